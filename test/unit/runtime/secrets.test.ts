import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadSecrets, type Purpose, secretsFrom } from '../../../shared/runtime/secrets.ts';

const PURPOSES: readonly Purpose[] = ['api-key', 'api-key-checksum', 'cursor', 'canary'];
const SECRET = 'a secret of this deployment, long enough';
const SECRETS = secretsFrom(SECRET);

describe('an authentication code', () => {
  test('differs from purpose to purpose, so that a token of one is never good for another', () => {
    expect(new Set(PURPOSES.map((purpose) => SECRETS.mac(purpose, 'text'))).size).toBe(PURPOSES.length);
    for (const made of PURPOSES)
      for (const used of PURPOSES) expect(SECRETS.verify(used, 'text', SECRETS.mac(made, 'text'))).toBe(made === used);
  });

  test('differs from secret to secret and from text to text', () => {
    const others = secretsFrom(`${SECRET}!`);
    expect(others.mac('cursor', 'text')).not.toBe(SECRETS.mac('cursor', 'text'));
    expect(SECRETS.mac('cursor', 'text')).not.toBe(SECRETS.mac('cursor', 'texts'));
  });

  test('is the same in every process that has the secret', () => {
    expect(secretsFrom(SECRET).mac('cursor', 'text')).toBe(SECRETS.mac('cursor', 'text'));
  });

  test('is base64url of as many bytes as are asked for', () => {
    expect(SECRETS.mac('cursor', 'text')).toMatch(/^[\w-]{43}$/);
    expect(SECRETS.mac('cursor', 'text', 8)).toMatch(/^[\w-]{11}$/);
  });

  test.each([
    ['nothing', ''],
    ['a part of it', SECRETS.mac('cursor', 'text').slice(0, 20)],
    ['it and more', `${SECRETS.mac('cursor', 'text')}A`],
    ['it in other letters', SECRETS.mac('cursor', 'text').toUpperCase()],
    ['other bytes of its length', 'é'.repeat(43)],
    ['its short form', SECRETS.mac('cursor', 'text', 8)],
  ])('is not verified by %s', (_, given) => {
    expect(SECRETS.verify('cursor', 'text', given)).toBe(false);
  });
});

describe('a secret in a file', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'relay-audit-secrets-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function load(text: string) {
    const path = join(folder, 'secret');
    await writeFile(path, text, { mode: 0o600 });
    return loadSecrets(`file:${path}`);
  }

  test('is read without the line end that editors add', async () => {
    const secrets = await load(`${SECRET}\n`);
    expect(secrets.mac('cursor', 'text')).toBe(SECRETS.mac('cursor', 'text'));
  });

  test.each(['', 'short', ' '.repeat(100)])('of fewer than 32 characters (%j) stops the start', async (text) => {
    await expect(load(text)).rejects.toThrow('fewer than 32 characters');
  });

  test('that is not there stops the start', async () => {
    await expect(loadSecrets(`file:${join(folder, 'nowhere')}`)).rejects.toThrow('ENOENT');
  });
});
