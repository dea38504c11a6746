import { expect, test } from 'vitest';
import { ifHolds } from '../../../shared/store/dynamodb/table.ts';

/** What the SDK throws for a transaction that was not made. */
function cancelled(...codes: readonly string[]): Error {
  return Object.assign(new Error('Transaction cancelled'), {
    name: 'TransactionCanceledException',
    CancellationReasons: codes.map((Code) => ({ Code })),
  });
}

/** A write that fails with each of these in turn, and then is made. */
function write(...failures: readonly Error[]) {
  let calls = 0;
  const run = async () => {
    const failure = failures[calls++];
    if (failure !== undefined) throw failure;
  };
  return { run, calls: () => calls };
}

test('a write that met another of the same item is made again', async () => {
  const single = Object.assign(new Error('conflict'), { name: 'TransactionConflictException' });
  const twice = write(cancelled('None', 'TransactionConflict'), single);
  expect(await ifHolds(twice.run)).toBe(true);
  expect(twice.calls()).toBe(3);
});

test('a condition that does not hold is an answer, beside a conflict too', async () => {
  const once = write(cancelled('TransactionConflict', 'ConditionalCheckFailed'));
  expect(await ifHolds(once.run)).toBe(false);
  expect(once.calls()).toBe(1);
});

test('conflicts without end are thrown on, as is any other failure', async () => {
  await expect(ifHolds(write(...Array(20).fill(cancelled('TransactionConflict'))).run)).rejects.toThrow('cancelled');
  const throttled = write(new Error('throttled'));
  await expect(ifHolds(throttled.run)).rejects.toThrow('throttled');
  expect(throttled.calls()).toBe(1);
});
