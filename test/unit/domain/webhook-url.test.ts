import { describe, expect, test } from 'vitest';
import { readWebhookUrl, type WebhookUrl } from '../../../shared/domain/webhook-url.ts';

describe('the address of a webhook', () => {
  const name = { kind: 'name', name: 'hooks.example.org' } as const;

  test.each<[string, string, Pick<WebhookUrl, 'port' | 'path'>]>([
    ['leads to the port of HTTPS, and to the root, where it names neither', 'https://hooks.example.org', { port: 443, path: '/' }],
    ['keeps its path and query', 'https://Hooks.Example.org/relay?to=Me', { port: 443, path: '/relay?to=Me' }],
    ['has a query at the root, where it has no path', 'https://hooks.example.org?to=me', { port: 443, path: '/?to=me' }],
    ['may name a port, the first', 'https://hooks.example.org:1/', { port: 1, path: '/' }],
    ['and the last', 'https://hooks.example.org:65535/', { port: 65_535, path: '/' }],
  ])('%s', (_, url, rest) => expect(readWebhookUrl(url)).toEqual({ target: name, ...rest }));

  test.each([
    ['https://192.0.2.1/', '192.0.2.1'],
    ['https://[2001:DB8::1]:8443/', '2001:db8::1'],
  ])('may hold an address: %s', (url, text) => {
    expect(readWebhookUrl(url)).toMatchObject({ target: { kind: 'address', address: { text } } });
  });

  test.each([
    ['port 0', 'https://hooks.example.org:0/', 'its port must lie between 1 and 65535'],
    ['port 65536', 'https://hooks.example.org:65536/', 'its port must lie between 1 and 65535'],
    ['a label alone', 'https://localhost/', 'its host must be a full name'],
    ['another scheme', 'http://hooks.example.org/', 'must be an address such as https://'],
  ])('is told what is wrong with it: %s', (_, url, wrong) => {
    expect(readWebhookUrl(url)).toEqual({ wrong: expect.stringContaining(wrong) });
  });
});
