import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { RepeatableRequest } from '../../shared/store/audit-store.ts';
import { NOON } from '../support/samples.ts';
import { startTable, type TestTable } from '../support/table.ts';

const DAY = 24 * 60 * 60_000;
const CLAIM = 60_000;
let now = NOON;
let table: TestTable;

beforeAll(async () => {
  table = await startTable(() => now, 400 * DAY);
});
afterAll(() => table.stop());
beforeEach(() => {
  now = NOON;
});

let count = 0;

const requestOf = (rest: Partial<RepeatableRequest> = {}): RepeatableRequest => ({
  accountId: 'account1',
  key: `key ${++count}`,
  fingerprint: 'POST /hosts',
  ...rest,
});
const claim = (request: RepeatableRequest, at = NOON) => table.store.claimRequest(request, at, at + CLAIM, at + DAY);

test('of many who make a request at once one is the first, and for the others it is still being made', async () => {
  const request = requestOf();
  const kinds = (await Promise.all(Array.from({ length: 10 }, () => claim(request)))).map(({ kind }) => kind);
  expect(kinds.toSorted()).toEqual(['new', ...Array(9).fill('running')]);
});

test('a request that is repeated is given the answer of the first', async () => {
  const request = requestOf();
  await claim(request);
  const answer = JSON.stringify({ status: 201, body: 'ü'.repeat(50_000) });
  await table.store.keepAnswer(request, answer);
  expect(await claim(request, NOON + DAY - 1)).toEqual({ kind: 'answered', answer });
});

test('another request with the same key is told apart, be the first answered or not', async () => {
  const request = requestOf();
  const other = { ...request, fingerprint: 'POST /keys' };
  await claim(request);
  expect(await claim(other)).toEqual({ kind: 'different' });
  await table.store.keepAnswer(other, 'not its own');
  await table.store.keepAnswer(request, 'its own');
  expect(await claim(other)).toEqual({ kind: 'different' });
  expect(await claim(request)).toEqual({ kind: 'answered', answer: 'its own' });
});

test('the same key of another account, and another key, are other requests', async () => {
  const request = requestOf();
  await claim(request);
  expect(await claim({ ...request, accountId: 'account2' })).toEqual({ kind: 'new' });
  expect(await claim(requestOf())).toEqual({ kind: 'new' });
});

test('a claim without an answer lapses, and the request may be made again', async () => {
  const request = requestOf();
  await claim(request);
  expect(await claim(request, NOON + CLAIM - 1)).toEqual({ kind: 'running' });
  expect(await claim(request, NOON + CLAIM)).toEqual({ kind: 'new' });
  expect(await claim(request, NOON + CLAIM + 1)).toEqual({ kind: 'running' });
});

test('an answer does not lapse with the claim, but when it has been kept long enough', async () => {
  const request = requestOf();
  await claim(request);
  await table.store.keepAnswer(request, 'answer');
  expect(await claim(request, NOON + 2 * CLAIM)).toEqual({ kind: 'answered', answer: 'answer' });
  expect(await claim(request, NOON + DAY)).toEqual({ kind: 'new' });
  expect(await claim(request, NOON + DAY)).toEqual({ kind: 'running' });
});

test('a request that failed may be made again at once', async () => {
  const request = requestOf();
  await claim(request);
  await table.store.forgetRequest({ ...request, fingerprint: 'another' });
  expect(await claim(request)).toEqual({ kind: 'running' });
  await table.store.forgetRequest(request);
  expect(await claim(request)).toEqual({ kind: 'new' });
});

test('an answer that was given stands: it is neither forgotten nor replaced', async () => {
  const request = requestOf();
  await claim(request);
  await table.store.keepAnswer(request, 'first');
  await table.store.keepAnswer(request, 'second');
  await table.store.forgetRequest(request);
  expect(await claim(request)).toEqual({ kind: 'answered', answer: 'first' });
});

test('an answer without a claim is not kept', async () => {
  const request = requestOf();
  await table.store.keepAnswer(request, 'answer');
  expect(await claim(request)).toEqual({ kind: 'new' });
});
