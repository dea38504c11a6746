import { createHmac, createSecretKey, hkdfSync, type KeyObject, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

/** What a key is used for; each purpose has a key of its own, so that a token of one is never good for another. */
export type Purpose =
  | 'api-key'
  | 'api-key-checksum'
  | 'cursor'
  | 'canary'
  | 'consent'
  | 'confirmation'
  | 'unsubscribe'
  | 'webhook'
  | 'session'
  | 'known-browser'
  | 'cause';

/** Authentication codes from the one secret of a deployment. */
export type Secrets = {
  /** HMAC-SHA-256 of the text, base64url, cut to `bytes`. */
  mac(purpose: Purpose, text: string, bytes?: number): string;
  /** Compares in constant time. */
  verify(purpose: Purpose, text: string, mac: string, bytes?: number): boolean;
};

const SECRET_MIN_LENGTH = 32; // characters; both generators make more

/** Reads the deployment's secret from Secrets Manager (`arn:…`) or a file (`file:/path`). */
export async function loadSecrets(location: string): Promise<Secrets> {
  const secret = location.startsWith('file:') ? await readFile(location.slice('file:'.length), 'utf8') : await fetchSecret(location);
  if (secret.trim().length < SECRET_MIN_LENGTH) throw new Error(`The secret has fewer than ${SECRET_MIN_LENGTH} characters`);
  return secretsFrom(secret.trim());
}

/** Derives a key for each purpose (HKDF, RFC 5869). */
export function secretsFrom(secret: string): Secrets {
  const keys = new Map<Purpose, KeyObject>();
  const keyFor = (purpose: Purpose) => {
    const key = keys.get(purpose) ?? createSecretKey(Buffer.from(hkdfSync('sha256', secret, 'relay-audit', purpose, 32)));
    keys.set(purpose, key);
    return key;
  };
  const mac: Secrets['mac'] = (purpose, text, bytes = 32) =>
    createHmac('sha256', keyFor(purpose)).update(text).digest().subarray(0, bytes).toString('base64url');
  return {
    mac,
    verify(purpose, text, given, bytes = 32) {
      const expected = Buffer.from(mac(purpose, text, bytes));
      const actual = Buffer.from(given);
      return expected.length === actual.length && timingSafeEqual(expected, actual);
    },
  };
}

async function fetchSecret(arn: string): Promise<string> {
  const { SecretString } = await new SecretsManagerClient({}).send(new GetSecretValueCommand({ SecretId: arn }));
  if (SecretString === undefined) throw new Error('The secret has no text value');
  return SecretString;
}
