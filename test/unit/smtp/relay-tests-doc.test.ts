import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { TABLE } from '../../../shared/smtp/relay-tests.ts';

const doc = readFileSync(new URL('../../../docs/relay-tests.md', import.meta.url), 'utf8');

test('docs/relay-tests.md has every row of the table, and no other', () => {
  const rows = [...doc.matchAll(/^\| `([\w-]+)` \|/gm)].map((match) => match[1]);
  expect(rows).toEqual(TABLE.map(({ id }) => id));
});
