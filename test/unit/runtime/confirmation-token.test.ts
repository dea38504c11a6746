import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Confirmation, readConfirmation, sealConfirmation } from '../../../shared/runtime/confirmation-token.ts';
import { secretsFrom } from '../../../shared/runtime/secrets.ts';

const SECRETS = secretsFrom('a secret of this deployment, long enough');
const NOW = Date.UTC(2026, 10, 24);
const DAY = 24 * 60 * 60_000;
const ACCOUNT: Confirmation = { kind: 'account', email: 'you@example.org' };
const RECIPIENT: Confirmation = { kind: 'recipient', email: 'you@example.org', accountId: 'account1' };
const TOKEN = sealConfirmation(SECRETS, RECIPIENT, NOW);

test.each([ACCOUNT, RECIPIENT])('a token reads back as what it was sealed with, for a day: $kind', (confirmation) => {
  const token = sealConfirmation(SECRETS, confirmation, NOW);
  const read = { kind: 'good', confirmation: { ...confirmation, expires: NOW + DAY, nonce: expect.stringMatching(/^[0-9a-f]{20}$/) } };
  expect(readConfirmation(SECRETS, token, NOW)).toEqual(read);
  expect(readConfirmation(SECRETS, token, NOW + DAY - 1)).toEqual(read);
  expect(readConfirmation(SECRETS, token, NOW + DAY)).toMatchObject({ kind: 'expired' });
});

test('the token for the longest address fits into a link, in characters that a URL takes as they are', () => {
  const token = sealConfirmation(SECRETS, { ...RECIPIENT, email: `${'a'.repeat(242)}@example.org` }, NOW);
  expect(token).toMatch(/^ra1\.[\w-]+\.[\w-]+$/);
  expect(token.length).toBeLessThan(600);
});

test('no two tokens for the same are alike', () => {
  expect(new Set(Array.from({ length: 100 }, () => sealConfirmation(SECRETS, ACCOUNT, NOW))).size).toBe(100);
});

describe('a token that was not made here is unreadable', () => {
  const unreadable = { kind: 'unreadable' };

  test('any changed character', () => {
    const character = fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz0123456789ABCXYZ_-.=+/ \n\0é');
    fc.assert(
      fc.property(fc.nat({ max: TOKEN.length - 1 }), character, (at, other) => {
        fc.pre(TOKEN[at] !== other);
        expect(readConfirmation(SECRETS, TOKEN.slice(0, at) + other + TOKEN.slice(at + 1), NOW)).toEqual(unreadable);
      }),
      { numRuns: 1_000 },
    );
  });

  test.each([
    ['nothing', ''],
    ['without its code', TOKEN.slice(0, TOKEN.lastIndexOf('.'))],
    ['with something before it', ` ${TOKEN}`],
    ['with something behind it', `${TOKEN}\n`],
    ['a code of nothing', `ra1..${SECRETS.mac('confirmation', '', 16)}`],
  ])('%s', (_, text) => {
    expect(readConfirmation(SECRETS, text, NOW)).toEqual(unreadable);
  });

  test('another address under the code of the first', () => {
    const [, , code] = TOKEN.split('.');
    const payload = { ...RECIPIENT, email: 'me@example.org', nonce: '0', expires: NOW + DAY };
    const forged = `ra1.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.${code}`;
    expect(readConfirmation(SECRETS, forged, NOW)).toEqual(unreadable);
  });

  test('of another deployment, or with a code of another purpose', () => {
    expect(readConfirmation(secretsFrom('a secret of another deployment, as long'), TOKEN, NOW)).toEqual(unreadable);
    const encoded = TOKEN.split('.')[1] ?? '';
    expect(readConfirmation(SECRETS, `ra1.${encoded}.${SECRETS.mac('cursor', encoded, 16)}`, NOW)).toEqual(unreadable);
  });
});
