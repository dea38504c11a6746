import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { apiKeyMac, mintApiKey, readApiKey } from '../../../shared/runtime/api-key.ts';
import { secretsFrom } from '../../../shared/runtime/secrets.ts';

const SECRETS = secretsFrom('a secret of this deployment, long enough');
const OTHERS = secretsFrom('a secret of another deployment, as long');
const KEY = mintApiKey(SECRETS);

test('a minted key reads back', () => {
  for (let count = 0; count < 50; count++) {
    const key = mintApiKey(SECRETS);
    expect(key.text).toMatch(/^ra1_[0-9a-f]{12}_[0-9a-f]{48}_[\w-]{11}$/);
    expect(readApiKey(SECRETS, key.text)).toEqual(key);
  }
});

test('no two keys are alike', () => {
  const keys = Array.from({ length: 200 }, () => mintApiKey(SECRETS));
  expect(new Set(keys.map(({ prefix }) => prefix)).size).toBe(200);
  expect(new Set(keys.map(({ text }) => text.split('_')[2])).size).toBe(200);
});

describe('a key that was not minted here is refused', () => {
  test('any changed character', () => {
    const character = fc.constantFrom(...'0123456789abcdefABCDEFghxyzXYZ_-=+/ \n\0é');
    fc.assert(
      fc.property(fc.nat({ max: KEY.text.length - 1 }), character, (at, other) => {
        fc.pre(KEY.text[at] !== other);
        expect(readApiKey(SECRETS, KEY.text.slice(0, at) + other + KEY.text.slice(at + 1))).toBeUndefined();
      }),
      { numRuns: 1_000 },
    );
  });

  test('the last character too, though base64url leaves two of its bits unused', () => {
    for (const last of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_')
      if (!KEY.text.endsWith(last)) expect(readApiKey(SECRETS, KEY.text.slice(0, -1) + last)).toBeUndefined();
  });

  test('anything before it, behind it, or missing', () => {
    for (const text of [
      ` ${KEY.text}`,
      `${KEY.text} `,
      `${KEY.text}\n`,
      KEY.text.slice(1),
      KEY.text.slice(0, -1),
      `${KEY.text}=`,
      '',
      KEY.text.toUpperCase(),
    ])
      expect(readApiKey(SECRETS, text)).toBeUndefined();
  });

  test('two keys put together', () => {
    const other = mintApiKey(SECRETS).text.split('_');
    const mixed = KEY.text.split('_').map((part, index) => (index === 3 ? (other[3] ?? '') : part));
    expect(readApiKey(SECRETS, mixed.join('_'))).toBeUndefined();
  });

  test('a key of another deployment', () => {
    expect(readApiKey(OTHERS, KEY.text)).toBeUndefined();
  });
});

test('what is stored of a key hangs on the deployment’s secret, and holds no part of the key', () => {
  const stored = apiKeyMac(SECRETS, KEY);
  expect(stored).not.toBe(apiKeyMac(OTHERS, KEY));
  expect(stored).not.toBe(apiKeyMac(SECRETS, mintApiKey(SECRETS)));
  for (const part of KEY.text.split('_').filter((each) => each.length > 4)) expect(stored).not.toContain(part);
});
