import fc from 'fast-check';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { registerHostRequest } from '../../../shared/contract/requests.ts';
import { parseNetwork } from '../../../shared/domain/address.ts';
import { readWebhookUrl } from '../../../shared/domain/webhook-url.ts';
import { postToWebhook } from '../../../shared/network/webhook.ts';
import { lookupsTo } from '../../support/gate.ts';
import { elapse, startTcpServer } from '../../support/webhook-receiver.ts';

const EVERYWHERE = ['0.0.0.0/0', '::/0'].map((text) => parseNetwork(text) ?? expect.fail());
const NO_SESSION = 'no HTTPS session with a public address of it, under a certificate that is valid for it, came about';
const addresses = vi.fn(lookupsTo('127.0.0.1').addresses);
beforeEach(() => void addresses.mockClear());

/** A call that may go anywhere, so that nothing but the reading of its address stands before it. */
const call = (url: string) =>
  postToWebhook(url, { body: '{}', headers: {} }, { lookups: { addresses }, operatorNetworks: EVERYWHERE, isVetoed: () => false });

describe('DNS is not asked, and nothing dialled, for', () => {
  test.each([
    ['another scheme', 'http://hooks.example.org/'],
    ['no scheme', '//hooks.example.org/'],
    ['a scheme that hides', 'javascript:https://hooks.example.org/'],
    ['one slash', 'https:/hooks.example.org/'],
    ['three slashes', 'https:///hooks.example.org/'],
    ['backslashes', 'https:\\\\hooks.example.org\\'],
    ['a space before', ' https://hooks.example.org/'],
    ['a space behind', 'https://hooks.example.org/ '],
    ['a user', 'https://user@hooks.example.org/'],
    ['a user and a password', 'https://user:secret@hooks.example.org/'],
    ['an empty user', 'https://@hooks.example.org/'],
    ['a name that is a user to other readers', 'https://good.example.org@127.0.0.1/'],
    ['a backslash that is a slash to other readers', 'https://good.example.org\\@127.0.0.1/'],
    ['a fragment', 'https://hooks.example.org/#here'],
    ['an empty fragment', 'https://hooks.example.org#'],
    ['a fragment that is a host to other readers', 'https://127.0.0.1#.example.org/'],
    ['port 0', 'https://hooks.example.org:0/'],
    ['port 65536', 'https://hooks.example.org:65536/'],
    ['a port that overflows into 443', 'https://hooks.example.org:4295417739/'],
    ['a negative port', 'https://hooks.example.org:-1/'],
    ['a signed port', 'https://hooks.example.org:+443/'],
    ['a port that is empty', 'https://hooks.example.org:/'],
    ['a hexadecimal port', 'https://hooks.example.org:0x1bb/'],
    ['two ports', 'https://hooks.example.org:443:8443/'],
    ['a NUL in the host', 'https://hooks.example.org\0.example.net/'],
    ['a NUL in the path', 'https://hooks.example.org/\0'],
    ['CR and LF in the host', 'https://hooks.example.org\r\n.example.net/'],
    ['CR and LF in the path', 'https://hooks.example.org/ HTTP/1.1\r\nHost: other.example.net\r\n\r\n'],
    ['a line feed at the end', 'https://hooks.example.org/\n'],
    ['a tab that other readers drop', 'https://hooks.exa\tmple.org/'],
    ['a path beyond ASCII', 'https://hooks.example.org/ü'],
    ['a character that ends as CR in one byte', 'https://hooks.example.org/\u010d\u010a'],
    ['a name beyond ASCII', 'https://hoöks.example.org/'],
    ['full-width dots', 'https://hooks．example．org/'],
    ['a soft hyphen', 'https://hooks\u00adx.example.org/'],
    ['a long s that folds to s', 'https://hook\u017f.example.org/'],
    ['a percent sign in the host', 'https://hooks%2eexample.org/'],
    ['a label alone', 'https://localhost/'],
    ['a dot at the end', 'https://hooks.example.org./'],
    ['an empty label', 'https://hooks..example.org/'],
    ['an underscore', 'https://_hooks.example.org/'],
    ['an empty host', 'https:///'],
    ['an address short of two numbers', 'https://127.1/'],
    ['an address in one number', 'https://2130706433/'],
    ['a hexadecimal address', 'https://0x7f000001/'],
    ['an octal address', 'https://0177.0.0.1/'],
    ['leading zeros', 'https://127.000.000.001/'],
    ['an address with a dot at the end', 'https://127.0.0.1./'],
    ['a name that ends in a number', 'https://hooks.example.1/'],
    ['a name that ends in a hexadecimal number', 'https://hooks.0x1/'],
    ['full-width digits', 'https://１２７.０.０.１/'],
    ['circled digits', 'https://①②⑦.⓪.⓪.①/'],
    ['an IPv6 address without brackets', 'https://::1/'],
    ['an IPv6 zone', 'https://[fe80::1%lo]/'],
    ['an IPv6 zone, escaped', 'https://[fe80::1%25lo]/'],
    ['half a bracket', 'https://[::1/'],
    ['a name in brackets', 'https://[hooks.example.org]/'],
    ['nothing', ''],
  ])('%s', async (_, url) => {
    expect(await call(url)).toMatchObject({ kind: 'refused', why: expect.stringMatching(/must|reads as an address/) });
    expect(addresses).not.toHaveBeenCalled();
  });
});

test('a host that our reader and a URL reader both read is the same host, port and kind to both', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      'hooks',
      'example',
      '.',
      '.org',
      '127',
      '0',
      '1',
      '0x7f',
      '::',
      '[',
      ']',
      ':',
      '443',
      '@',
      '/',
      '\\',
      '?',
      '#',
      '%2e',
      '-',
      '_',
    ),
    fc.string({ unit: 'binary', maxLength: 2 }),
  );
  const urls = fc.array(piece, { maxLength: 9 }).map((pieces) => `https://${pieces.join('')}`);
  let both = 0;
  fc.assert(
    fc.property(
      fc.oneof(
        urls,
        urls.map((url) => url.replace('https://', 'https://hooks.example.org')),
      ),
      (text) => {
        const ours = readWebhookUrl(text);
        const theirs = URL.parse(text);
        if ('wrong' in ours || theirs === null) return;
        both++;
        const { target } = ours;
        const host = target.kind === 'name' ? target.name : target.address.family === 6 ? `[${target.address.text}]` : target.address.text;
        expect({ host: theirs.hostname, port: Number(theirs.port || '443'), user: theirs.username }).toEqual({
          host,
          port: ours.port,
          user: '',
        });
      },
    ),
    { numRuns: 20_000, seed: 4 },
  );
  expect(both).toBeGreaterThan(500);
});

describe('without networks of the operator’s own', () => {
  const outside = (url: string, ...found: string[]) =>
    postToWebhook(url, { body: '{}', headers: {} }, { lookups: lookupsTo(...found), operatorNetworks: [], isVetoed: () => false });

  test.each([
    '127.0.0.1',
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '169.254.169.254',
    '172.16.0.1',
    '192.0.2.1',
    '192.168.0.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::1',
    '::',
    '::ffff:127.0.0.1',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '2001:0:7f00:1::',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'ff02::1',
    '2606:4700:0:0:0:5efe:7f00:1',
  ])('%s is not called, by itself or by a name that leads there', async (address) => {
    const local = await startTcpServer(() => {});
    onTestFinished(local.stop);
    const literal = address.includes(':') ? `[${address}]` : address;
    for (const [url, found] of [
      [`https://${literal}:${local.port}/`, []],
      [`https://hooks.example.org:${local.port}/`, [address]],
      [`https://hooks.example.org:${local.port}/`, ['9.9.9.9', address]],
    ] as const)
      expect(await outside(url, ...found)).toMatchObject({ why: NO_SESSION });
    expect(local.connections()).toBe(0);
  });
});

describe('nothing is sent to what is on the never-list, in the words and the time of an address where nobody answers:', () => {
  test.each([
    ['a name, of which DNS is not asked', 'https://Hooks.Example.ORG/', 'hooks.example.org', 0],
    ['an address of the operator’s networks that a name leads to', 'https://hooks.example.org/', '127.0.0.1', 1],
    ['an address literal', 'https://127.0.0.2/', '127.0.0.2', 0],
    ['an IPv6 address in its one spelling', 'https://[2606:4700:0:0::1]/', '2606:4700::1', 0],
  ])('%s', async (_, url, never, asked) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const find = vi.fn(lookupsTo('127.0.0.1').addresses);
    const door = { lookups: { addresses: find }, operatorNetworks: EVERYWHERE, isVetoed: (target: string) => target === never };
    expect(await elapse(postToWebhook(url, { body: '{}', headers: {} }, door))).toMatchObject({ why: NO_SESSION });
    expect(find).toHaveBeenCalledTimes(asked);
  });
});

const portOf = (webhook: string) => registerHostRequest.safeParse({ name: 'mail.example.org', webhook }).error?.issues[0]?.message;

test.each(['', ':443', ':8443'])('a webhook may be called at %j', (port) => {
  expect(portOf(`https://hooks.example.org${port}/`)).toBeUndefined();
});

test.each([1, 22, 25, 80, 444, 465, 993, 5432, 65_535])('port %i is no port of a webhook: its owner may be a stranger', (port) => {
  expect(portOf(`https://hooks.example.org:${port}/`)).toBe('its port must be 443 or 8443');
});
