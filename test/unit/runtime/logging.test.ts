import { describe, expect, test } from 'vitest';
import { mintApiKey } from '../../../shared/runtime/api-key.ts';
import { sealConfirmation } from '../../../shared/runtime/confirmation-token.ts';
import { loggedError } from '../../../shared/runtime/logging.ts';
import { secretsFrom } from '../../../shared/runtime/secrets.ts';

const SECRETS = secretsFrom('a secret of this deployment, long enough');

describe('an error as it is logged', () => {
  test('has its name, what it says and where it was thrown, and its cause in the same way', () => {
    const logged = loggedError(new TypeError('no such thing', { cause: new RangeError('too far') }));
    expect(logged).toMatchObject({ name: 'TypeError', message: 'no such thing', cause: { name: 'RangeError', message: 'too far' } });
    expect(logged.stack).toContain('logging.test.ts');
    expect(loggedError('just words')).toEqual({ name: 'string', message: 'just words' });
  });

  test('has nothing that a library hung on it', () => {
    const error = Object.assign(new Error('refused'), {
      $response: { headers: { authorization: 'Bearer secret' } },
      Item: { body: 'secret' },
    });
    expect(JSON.stringify(loggedError(error))).not.toContain('secret');
  });

  test('shows no API key and no token that its words quote', () => {
    const key = mintApiKey(SECRETS).text;
    const token = sealConfirmation(SECRETS, { kind: 'account', email: 'you@example.org' }, 0);
    for (const secret of [key, token]) {
      const { message, stack, cause } = loggedError(new Error(`Bearer ${secret}, "${secret}"`, { cause: new Error(secret) }));
      for (const text of [message, stack, cause?.message, cause?.stack]) {
        expect(text).toContain('ra1…');
        expect(text).not.toContain(secret.slice(4, 20));
      }
    }
  });
});
