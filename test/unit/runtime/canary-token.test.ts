import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mintCanaryToken, readCanaryToken } from '../../../shared/runtime/canary-token.ts';
import { secretsFrom } from '../../../shared/runtime/secrets.ts';

const SECRETS = secretsFrom('a secret of this deployment, long enough');
const OTHERS = secretsFrom('a secret of another deployment, as long');
const TOKEN = mintCanaryToken(SECRETS);

test('a minted token reads back as its id', () => {
  for (let count = 0; count < 50; count++) {
    const { id, token } = mintCanaryToken(SECRETS);
    expect(readCanaryToken(SECRETS, token)).toBe(id);
  }
});

test('a token is lower-case letters, digits and hyphens, safe in a header and in a Message-ID, and ids are sixteen characters', () => {
  expect(TOKEN.token).toMatch(/^[a-z0-9-]{37}$/);
  expect(TOKEN.id).toMatch(/^[a-z2-7]{16}$/);
});

test('no two tokens are alike', () => {
  expect(new Set(Array.from({ length: 500 }, () => mintCanaryToken(SECRETS).id)).size).toBe(500);
});

describe('a token that was not minted here is refused', () => {
  test('any changed character', () => {
    const character = fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz0123456789ABCXYZ_-=+/ \n\0é');
    fc.assert(
      fc.property(fc.nat({ max: TOKEN.token.length - 1 }), character, (at, other) => {
        fc.pre(TOKEN.token[at] !== other);
        expect(readCanaryToken(SECRETS, TOKEN.token.slice(0, at) + other + TOKEN.token.slice(at + 1))).toBeUndefined();
      }),
      { numRuns: 1_000 },
    );
  });

  test.each([
    ['nothing', ''],
    ['its id alone', TOKEN.id],
    ['something before it', ` ${TOKEN.token}`],
    ['something behind it', `${TOKEN.token}\n`],
    ['a part of it', TOKEN.token.slice(0, -1)],
    ['it in capitals', TOKEN.token.toUpperCase()],
    ['an id with a code of zeros', `ra1-${TOKEN.id}-aaaaaaaaaaaaaaaa`],
  ])('%s', (_, text) => {
    expect(readCanaryToken(SECRETS, text)).toBeUndefined();
  });

  test('two tokens put together', () => {
    const [key, id] = TOKEN.token.split('-');
    const [, , code] = mintCanaryToken(SECRETS).token.split('-');
    expect(readCanaryToken(SECRETS, [key, id, code].join('-'))).toBeUndefined();
  });

  test('a token of another deployment', () => {
    expect(readCanaryToken(OTHERS, TOKEN.token)).toBeUndefined();
  });
});
