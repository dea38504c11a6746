import { describe, expect, test } from 'vitest';
import { coverOf } from '../../../shared/domain/never.ts';

const entry = (target: string) => ({ target });

describe('an entry covers', () => {
  test.each<[string, string, string, boolean]>([
    ['its address', '185.1.1.1', '185.1.1.1', true],
    ['no other address', '185.1.1.1', '185.1.1.2', false],
    ['an IPv6 address, however it is spelled', '2A02:1:0::1', '2a02:1::1', true],
    ['a network', '185.1.1.0/24', '185.1.1.255', true],
    ['no address beside the network', '185.1.1.0/24', '185.1.2.0', false],
    ['an IPv6 address and none beside it', '2a02:1::1', '2a02:1::2', false],
    ['an IPv6 network', '2a02:1::/32', '2a02:1:ffff::1', true],
    ['no address of the other family', '0.0.0.0/0', '2a02:1::1', false],
    ['a name', 'example.com', 'example.com', true],
    ['the names below it', 'example.com', 'a.b.example.com', true],
    ['no name above it', 'mx.example.com', 'example.com', false],
    ['no name that merely ends alike', 'example.com', 'anexample.com', false],
    ['a name in whatever case it was written', 'Example.COM', 'MX.example.com', true],
  ])('%s: %s, %s', (_, target, asked, covered) => {
    expect(coverOf(['unrelated.net', target, '192.0.2.0/24'].map(entry))(asked)).toBe(covered);
  });

  test('nothing, when the list is empty', () => {
    expect(coverOf([])('example.com')).toBe(false);
    expect(coverOf([])('185.1.1.1')).toBe(false);
  });
});
