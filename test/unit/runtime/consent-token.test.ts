import { expect, test } from 'vitest';
import { sayingOf } from '../../../shared/domain/consent.ts';
import { consentToken } from '../../../shared/runtime/consent-token.ts';
import { secretsFrom } from '../../../shared/runtime/secrets.ts';

const SECRETS = secretsFrom('a secret of this deployment, long enough');
const OTHERS = secretsFrom('a secret of another deployment, as long');

test('the token of an account is always the same', () => {
  expect(consentToken(SECRETS, 'account1')).toBe(consentToken(SECRETS, 'account1'));
});

test('it is an EHLO keyword, and one string of a TXT record, as it is', () => {
  for (let count = 0; count < 200; count++) expect(consentToken(SECRETS, `account${count}`)).toMatch(/^ra1-[a-z2-7]{24}$/);
});

test("no two accounts have the same, and no two deployments' accounts", () => {
  const tokens = [SECRETS, OTHERS].flatMap((secrets) =>
    Array.from({ length: 200 }, (_, index) => consentToken(secrets, `account${index}`)),
  );
  expect(new Set(tokens).size).toBe(400);
});

test('it is read back where proofs are looked for, in whatever case it is published', () => {
  const token = consentToken(SECRETS, 'account1');
  expect(sayingOf([token.toUpperCase()], token)).toBe('token');
  expect(sayingOf([consentToken(SECRETS, 'account2')], token)).toBe('other');
});
