import { expect, test } from 'vitest';
import { takeMessage } from '../../../functions/probe/take-message.ts';

const refTo = (scanId: string) => ({ accountId: 'account', hostId: 'host', scanId });
const [ONE, TWO, THREE] = [refTo('scan1'), refTo('scan2'), refTo('scan3')];
type Ref = typeof ONE;

/** Takes a message of which these cannot be stored, and says what was probed and what was sent again. */
async function take(refs: readonly Ref[], { comesBack = false, failed = [] as readonly Ref[] } = {}) {
  const seen = { probed: [] as Ref[], sent: [] as Ref[], comesAgain: false };
  await takeMessage(refs, comesBack, {
    async probe(asked) {
      seen.probed.push(...asked);
      return failed;
    },
    sendSingly: async (each) => void seen.sent.push(...each),
  }).catch(() => {
    seen.comesAgain = true;
  });
  return seen;
}

test('a message is done when all of its scans are stored', async () => {
  expect(await take([ONE, TWO])).toEqual({ probed: [ONE, TWO], sent: [], comesAgain: false });
});

test('of a message whose scans are stored in part the others are sent again, each by itself', async () => {
  expect(await take([ONE, TWO, THREE], { failed: [TWO] })).toEqual({ probed: [ONE, TWO, THREE], sent: [TWO], comesAgain: false });
});

test('a message of which nothing could be stored comes back whole', async () => {
  expect(await take([ONE, TWO], { failed: [ONE, TWO] })).toEqual({ probed: [ONE, TWO], sent: [], comesAgain: true });
});

test('a message that comes back is taken apart, and one of a single scan is tried again', async () => {
  expect(await take([ONE, TWO], { comesBack: true })).toEqual({ probed: [], sent: [ONE, TWO], comesAgain: false });
  expect(await take([ONE], { comesBack: true })).toEqual({ probed: [ONE], sent: [], comesAgain: false });
});
