import { randomBytes } from 'node:crypto';
import { type Services, takeArrival } from '../../../functions/canary/take-arrival.ts';
import { canariesOf } from '../../../functions/probe/expect-canary.ts';
import { type Arrival, arrivalOf, type Bounce, bounceOf, type Canary } from '../../../shared/domain/canary.ts';
import type { ScanRef } from '../../../shared/domain/scan.ts';
import type { ExpectCanary } from '../../../shared/network/leg-session.ts';
import { mintCanaryToken, readCanaryToken } from '../../../shared/runtime/canary-token.ts';
import { secretsFrom } from '../../../shared/runtime/secrets.ts';
import { type CanarySink, startCanarySink } from './canary-sink.ts';

/** The canaries of one audit, which nothing is kept of, with the mailbox that they come back to. */
export type CanaryBook = {
  readonly expectCanary: ExpectCanary;
  /** Those that came back so far. */
  readonly arrivals: readonly Arrival[];
  /** Those that were bounced so far. */
  readonly bounces: readonly Bounce[];
  /** Whether a canary went out of which nothing has come back, nor a bounce. */
  readonly waiting: () => boolean;
  readonly sink: CanarySink;
};

/** Opens a mailbox at `listen` for one audit. Tokens hang on a secret of its own, and what proves nothing is ignored as the service does. */
export async function openCanaryBook(listen: string, canaryDomain: string, ref: ScanRef): Promise<CanaryBook> {
  const secrets = secretsFrom(randomBytes(32).toString('hex'));
  const sent = new Map<string, Canary>();
  const arrivals: Arrival[] = [];
  const bounces: Bounce[] = [];
  const store: Services['store'] = {
    findCanary: async (id) => sent.get(id),
    markCanary: async (id, arrived) => {
      const canary = sent.get(id);
      const known = arrivals.find((each) => each.canary === id);
      if (canary === undefined || known !== undefined) return known;
      const arrival = arrivalOf(canary, arrived);
      arrivals.push(arrival);
      return arrival;
    },
    markBounced: async (id, bounced) => {
      const canary = sent.get(id);
      const known = bounces.find((each) => each.canary === id);
      if (canary === undefined || known !== undefined) return known;
      const bounce = bounceOf(canary, bounced);
      bounces.push(bounce);
      return bounce;
    },
    // No scan is stored that could be raised.
    findHost: async () => undefined,
    findScan: async () => undefined,
    findOwed: async () => undefined,
    leaseScan: async () => {},
    readEvidence: async () => undefined,
    storeRaised: async () => 'conflict',
    confirmedRecipients: async () => [],
    mailStops: async () => [],
    findAccount: async () => undefined,
  };
  const services: Omit<Services, 'readMail'> = {
    store,
    readToken: (text) => readCanaryToken(secrets, text),
    wakeNotices: async () => {},
    clock: Date.now,
    log: { info: () => {}, error: () => {} },
  };
  const sink = await startCanarySink({
    listen,
    canaryDomain,
    setting: '--canary-listen',
    onMail: (received, raw) => takeArrival(received, { ...services, readMail: async () => raw.toString('latin1') }),
  });
  const expectCanary = canariesOf(
    ref,
    () => mintCanaryToken(secrets),
    { expectCanary: async (canary) => void sent.set(canary.id, canary) },
    Date.now,
  );
  const waiting = () => [...sent.keys()].some((id) => ![...arrivals, ...bounces].some(({ canary }) => canary === id));
  return { expectCanary, arrivals, bounces, waiting, sink };
}
