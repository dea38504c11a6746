import { expect, test } from 'vitest';
import { canariesOf } from '../../../functions/probe/expect-canary.ts';
import type { Canary } from '../../../shared/domain/canary.ts';
import { NOON } from '../../support/samples.ts';

const REF = { accountId: 'account1', hostId: 'host1', scanId: 'scan1' };
const ABOUT = { leg: '192.0.2.1:25', test: 'plain', recipient: 'b@canary.example' };

function noting(write: () => Promise<void> = async () => {}) {
  const written: Canary[] = [];
  let minted = 0;
  const mint = () => ({ id: `canary${++minted}`, token: 'token' });
  const store = {
    async expectCanary(canary: Canary) {
      await write();
      written.push(canary);
    },
  };
  return { written, expectCanary: canariesOf(REF, mint, store, () => NOON) };
}

test('a canary is written down, with its scan and what it tries, before it is handed out', async () => {
  const { written, expectCanary } = noting();
  expect(await expectCanary(ABOUT)).toEqual({ id: 'canary1', token: 'token' });
  expect(written).toEqual([{ id: 'canary1', ...REF, ...ABOUT, sentAt: NOON }]);
});

test('a canary that cannot be written down is not handed out', async () => {
  const { expectCanary } = noting(async () => {
    throw new Error('the table is away');
  });
  await expect(expectCanary(ABOUT)).rejects.toThrow('the table is away');
});

test('a sitting has three hundred canaries and no more', async () => {
  const { written, expectCanary } = noting();
  for (let each = 0; each < 300; each++) expect(await expectCanary(ABOUT)).toBeDefined();
  expect(await expectCanary(ABOUT)).toBeUndefined();
  expect(written).toHaveLength(300);
});
