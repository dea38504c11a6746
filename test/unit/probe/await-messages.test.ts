import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { takeArrival } from '../../../functions/canary/take-arrival.ts';
import type { AuditOrder } from '../../../functions/probe/audit-host.ts';
import type { Finding } from '../../../functions/probe/finding.ts';
import { probeScans, type Services } from '../../../functions/probe/probe-scans.ts';
import type { Canary } from '../../../shared/domain/canary.ts';
import type { Host, HostState } from '../../../shared/domain/host.ts';
import { type LegEvidence, type ScanKind, type ScanRef, scanId, type TestResult } from '../../../shared/domain/scan.ts';
import { NEGATIVE_CONTROL, POSITIVE_CONTROL } from '../../../shared/domain/verdict.ts';
import { raiseScan } from '../../../shared/outcomes/raise-scan.ts';
import { ANY_TURN } from '../../support/gate.ts';
import { createSampleAccount, NOON, registerSample, sampleHost, sampleLeg } from '../../support/samples.ts';
import type { TestTable } from '../../support/table.ts';
import { startTable } from '../../support/unit-table.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
let now = NOON;
let table: TestTable;
let audits: AuditOrder[] = [];
let woken: string[] = [];

beforeAll(async () => {
  table = await startTable(() => now, 400 * DAY);
  await createSampleAccount(table.store);
});
afterAll(() => table.stop());
beforeEach(() => {
  now = NOON;
  audits = [];
  woken = [];
});

const FORM = `${NEGATIVE_CONTROL}percent-srv`;

/** A leg that refused every foreign recipient, took any local part, and has these canaries. */
function catchAll(canaries: readonly string[], more: Partial<LegEvidence> = {}): LegEvidence {
  const taken = canaries.map(
    (canary, index): TestResult => ({ test: `form-${index}`, outcome: 'accepted', stage: 'message', negative: FORM, canary }),
  );
  const controls = [POSITIVE_CONTROL, FORM].map((each): TestResult => ({ test: each, outcome: 'accepted', stage: 'rcpt' }));
  return { ...sampleLeg(), tests: [...sampleLeg().tests, ...taken], controls, canaries, toCarry: 0, ...more };
}

const foundIn = (...legs: readonly LegEvidence[]): Finding => ({ legs });

const log = { info: () => {}, error: () => {} };
const wakeNotices = async (ids: readonly string[]) => void woken.push(...ids);
const raising = () => ({ store: table.store, wakeNotices, log });

function services(audit: () => Finding | Promise<Finding>, store: Partial<typeof table.store> = {}): Services {
  return {
    store: { ...table.store, ...store },
    audit: async (_, order) => {
      audits.push(order);
      return audit();
    },
    turns: () => ({ take: ANY_TURN, end: async () => {}, booked: () => ({}) }),
    canaries: () => async () => undefined,
    raise: async (ref, returns) => void (await raiseScan(raising(), ref, returns)),
    egressBlocked: async () => false,
    dnsAnswers: async () => true,
    wakeNotices,
    clock: () => now,
    count: () => {},
    log,
    confirmDelayMs: 5 * MINUTE,
    continueMs: 5 * MINUTE,
    putOffMs: 15 * MINUTE,
    awaitMs: HOUR,
  };
}

const nobodyAsks = () => expect.fail('a server was asked, though its messages are waited for');
const findingOf = (canaries: readonly string[]) => () => foundIn(catchAll(canaries));

type Begun = { readonly host: Host; readonly ref: ScanRef; readonly canaries: readonly Canary[]; readonly ids: readonly string[] };

let count = 0;

/** A host with a scan that has sent so many messages. */
async function begun(messages = 2, kind: ScanKind = 'on-demand', state: Partial<HostState> = {}): Promise<Begun> {
  const host = sampleHost({}, { relay: 'closed', since: NOON - DAY, lastFull: NOON - DAY, ...state });
  const ref = { accountId: host.accountId, hostId: host.id, scanId: scanId(now, kind) };
  await registerSample(table.store, host, { ...ref, dueAt: now, tries: 0 });
  const canaries = Array.from(
    { length: messages },
    (_, index): Canary => ({
      ...ref,
      id: `canary${++count}`,
      leg: '192.0.2.1:25',
      test: `form-${index}`,
      recipient: 'b@canary.example',
      sentAt: now,
    }),
  );
  for (const canary of canaries) await table.store.expectCanary(canary);
  return { host, ref, canaries, ids: canaries.map(({ id }) => id) };
}

/** The same, waiting for its messages by now. */
async function waiting(...about: Parameters<typeof begun>): Promise<Begun> {
  const scan = await begun(...about);
  expect(await probeScans([scan.ref], services(findingOf(scan.ids)))).toEqual([]);
  return scan;
}

const look = ({ ref }: Begun, store: Partial<typeof table.store> = {}) => probeScans([ref], services(nobodyAsks, store));
const scanOf = ({ ref }: Begun) => table.store.findScan(ref.hostId, ref.scanId);
const owedOf = ({ ref }: Begun) => table.store.findOwed(ref.hostId, ref.scanId);
const stateOf = async ({ host }: Begun) => (await table.store.findHost(host.accountId, host.id))?.state;
const changesOf = async ({ host }: Begun) => (await table.store.listChanges(host.id, 50)).items.map(({ from, to }) => `${from} ${to}`);

/** A message comes back, as whoever takes mails in finds it. */
async function comesBack({ ids }: Begun): Promise<void> {
  const [id = ''] = ids;
  const taking = { ...raising(), readToken: () => id, readMail: async () => undefined, clock: () => now };
  const headers = [{ name: 'Relay-Audit-Token', value: 'token' }];
  const mail = { source: 'a@probe.example', messageId: 'm', headers };
  await takeArrival({ mail, receipt: { recipients: ['b@canary.example'] } }, taking);
}

describe('a scan of a server that takes any local part', () => {
  test('waits for its messages an hour, and has no result before', async () => {
    const scan = await waiting();
    expect(await owedOf(scan)).toMatchObject({
      dueAt: NOON + HOUR,
      begun: { awaits: { since: NOON, until: NOON + HOUR }, startedAt: NOON },
    });
    expect(await scanOf(scan)).toBeUndefined();
    expect((await stateOf(scan))?.last).toBeUndefined();
  });

  test('sends nothing while it waits, and goes on waiting until its time is over', async () => {
    const scan = await waiting();
    now += 30 * MINUTE;
    expect(await look(scan)).toEqual([]);
    expect(await owedOf(scan)).toMatchObject({ dueAt: NOON + HOUR, begun: { awaits: { until: NOON + HOUR } } });
    expect(await scanOf(scan)).toBeUndefined();
    expect(audits).toHaveLength(1);
  });

  test('is closed at its end, as a catch-all, and nobody hears of it', async () => {
    const scan = await waiting();
    now += HOUR;
    await look(scan);
    expect(await scanOf(scan)).toMatchObject({ startedAt: NOON, judgement: { verdict: 'closed', reason: 'catch-all' }, openLegs: [] });
    expect(await stateOf(scan)).toMatchObject({ relay: 'closed', catchAll: true, lastFull: NOON });
    expect(await owedOf(scan)).toBeUndefined();
    expect(woken).toEqual([]);
  });

  test('is open when one of its messages comes back, and that is looked at without waiting for the end', async () => {
    const scan = await waiting();
    now += 10 * MINUTE;
    await comesBack(scan);
    expect((await owedOf(scan))?.dueAt).toBeLessThanOrEqual(now);
    await look(scan);
    expect(await scanOf(scan)).toMatchObject({
      judgement: { verdict: 'open' },
      arrivals: [{ canary: scan.ids[0] }],
      openLegs: ['192.0.2.1:25'],
    });
    expect(await changesOf(scan)).toEqual(['closed open']);
    expect(woken).toHaveLength(1);
  });

  test('finds a message that came back before it had begun to wait', async () => {
    const scan = await begun();
    await probeScans(
      [scan.ref],
      services(async () => {
        await comesBack(scan);
        return foundIn(catchAll(scan.ids));
      }),
    );
    expect((await owedOf(scan))?.dueAt).toBeLessThanOrEqual(now);
    await look(scan);
    expect((await scanOf(scan))?.judgement.verdict).toBe('open');
  });

  test('waits no more once all of its messages were bounced, and does while one was not', async () => {
    const scan = await waiting();
    const [first = '', second = ''] = scan.ids;
    now += 5 * MINUTE;
    await table.store.markBounced(first, { at: now });
    await look(scan);
    expect(await scanOf(scan)).toBeUndefined();
    await table.store.markBounced(second, { at: now });
    await look(scan);
    expect(await scanOf(scan)).toMatchObject({ judgement: { reason: 'catch-all' }, bounces: [{ canary: first }, { canary: second }] });
  });

  test('goes on with its other ports first, and waits when they are done', async () => {
    const scan = await begun();
    const [greylisted, ...refused] = sampleLeg().tests;
    const other = { ...sampleLeg(), port: 587, tests: [{ ...greylisted, outcome: 'greylisted' } as TestResult, ...refused] };
    await probeScans(
      [scan.ref],
      services(() => foundIn(catchAll(scan.ids), other)),
    );
    expect(await owedOf(scan)).toMatchObject({ dueAt: NOON + 5 * MINUTE, begun: { sittings: 1 } });
    expect((await owedOf(scan))?.begun?.awaits).toBeUndefined();
    now += 5 * MINUTE;
    await probeScans(
      [scan.ref],
      services(() => foundIn(catchAll(scan.ids), { ...other, tests: sampleLeg().tests })),
    );
    expect(audits.at(-1)?.before).toHaveLength(2);
    expect(await owedOf(scan)).toMatchObject({ begun: { awaits: { since: now } } });
  });

  test('tells its owner at once of a port that is proven to relay, whatever another waits for', async () => {
    const scan = await begun();
    await probeScans(
      [scan.ref],
      services(() => foundIn(catchAll(scan.ids), { ...sampleLeg('accepted'), port: 587 })),
    );
    expect((await scanOf(scan))?.judgement.verdict).toBe('suspected');
  });

  test('that is weekly sends the few messages of its round, once it is known to take any', async () => {
    const week = 7 * DAY;
    const scan = await waiting(2, 'scheduled', { catchAll: true, lastFull: NOON - week });
    const fresh = await waiting(2, 'scheduled', { lastFull: NOON - week });
    expect(audits.map(({ round }) => round)).toEqual([Math.floor(NOON / week), undefined]);
    for (const each of [scan, fresh]) expect(await scanOf(each)).toBeUndefined();
  });

  test('is known to take any local part no more when the whole table is refused', async () => {
    const scan = await begun(0, 'on-demand', { catchAll: true });
    await probeScans(
      [scan.ref],
      services(() => ({ legs: [sampleLeg()] })),
    );
    expect((await stateOf(scan))?.catchAll).toBeUndefined();
  });
});

describe('whatever happens while messages are waited for', () => {
  test('a crash before the result is stored loses nothing, and stores it once', async () => {
    const scan = await waiting();
    now += HOUR;
    expect(await look(scan, { storeResult: () => Promise.reject(new Error('killed here')) })).toEqual([scan.ref]);
    expect(await scanOf(scan)).toBeUndefined();
    expect(await look(scan)).toEqual([]);
    expect(await look(scan)).toEqual([]);
    expect(await stateOf(scan)).toMatchObject({ catchAll: true, recent: 'c' });
  });

  test('a crash before the wait was written asks the server again, and then waits', async () => {
    const scan = await begun();
    const crashing = services(findingOf(scan.ids), { continueScan: () => Promise.reject(new Error('killed here')) });
    expect(await probeScans([scan.ref], crashing)).toEqual([scan.ref]);
    expect(await probeScans([scan.ref], services(findingOf(scan.ids)))).toEqual([]);
    expect(await owedOf(scan)).toMatchObject({ begun: { awaits: { until: NOON + HOUR } } });
  });

  test('a crash between the wait and the look for what came before it costs the wait, and no message', async () => {
    const scan = await begun();
    const crashing = services(
      async () => {
        await comesBack(scan);
        return foundIn(catchAll(scan.ids));
      },
      { readReturns: () => Promise.reject(new Error('killed here')) },
    );
    expect(await probeScans([scan.ref], crashing)).toEqual([scan.ref]);
    now += HOUR;
    await look(scan);
    expect((await scanOf(scan))?.judgement.verdict).toBe('open');
  });

  test('an owner who changes the settings meanwhile keeps the result, and the settings', async () => {
    const scan = await waiting();
    const host = (await table.store.findHost(scan.host.accountId, scan.host.id)) ?? expect.fail();
    await table.store.changeSettings(host, { ...host.settings, servedDomains: ['new.example'], period: 'day' });
    now += HOUR;
    expect(await look(scan)).toEqual([]);
    expect((await scanOf(scan))?.judgement.reason).toBe('catch-all');
    expect(await table.store.findHost(host.accountId, host.id)).toMatchObject({
      settings: { servedDomains: ['new.example'] },
      state: { catchAll: true },
    });
  });

  test('an owner who changes them just when the result is stored does so too', async () => {
    const scan = await waiting();
    now += HOUR;
    const edit = async () => {
      const host = (await table.store.findHost(scan.host.accountId, scan.host.id)) ?? expect.fail();
      await table.store.changeSettings(host, { ...host.settings, servedDomains: ['new.example'] });
    };
    let tries = 0;
    const storeResult: typeof table.store.storeResult = async (result) => {
      if (tries++ === 0) await edit();
      return table.store.storeResult(result);
    };
    expect(await look(scan, { storeResult })).toEqual([]);
    expect(await stateOf(scan)).toMatchObject({ catchAll: true, last: { id: scan.ref.scanId } });
  });

  test('an owner who removes the host hears nothing, and nothing is left to be done', async () => {
    const scan = await waiting();
    await table.store.removeHost((await table.store.findHost(scan.host.accountId, scan.host.id)) ?? expect.fail());
    now += HOUR;
    expect(await look(scan)).toEqual([]);
    expect(await owedOf(scan)).toBeUndefined();
    expect(await scanOf(scan)).toBeUndefined();
  });

  test('another scan that would wait too is history, and takes nothing from the one that waits', async () => {
    const scan = await waiting();
    now += 30 * MINUTE;
    const other = { ...scan.ref, scanId: scanId(now, 'scheduled') };
    await probeScans([other], services(findingOf(scan.ids)));
    expect(await table.store.findScan(scan.host.id, other.scanId)).toMatchObject({ judgement: { reason: 'awaiting-messages' } });
    now += 30 * MINUTE;
    await look(scan);
    expect(await stateOf(scan)).toMatchObject({ catchAll: true, last: { id: scan.ref.scanId } });
  });

  test('a message that comes back after the scan has closed the host opens it again', async () => {
    const pending = { to: 'closed', scanId: 'before', notBefore: NOON - MINUTE } as const;
    const scan = await waiting(2, 'confirming', { relay: 'suspected', openLegs: ['192.0.2.1:25'], pending });
    now += HOUR;
    await look(scan);
    expect(await stateOf(scan)).toMatchObject({ relay: 'closed', closedAt: NOON });
    now += 3 * HOUR;
    await comesBack(scan);
    expect(await scanOf(scan)).toMatchObject({ judgement: { verdict: 'open' } });
    expect(await changesOf(scan)).toEqual(['closed open', 'suspected closed']);
  });

  test('a message of an earlier scan that comes back after that opens nothing', async () => {
    const old = await begun(1, 'on-demand', { relay: 'suspected', openLegs: ['192.0.2.1:25'] });
    await probeScans(
      [old.ref],
      services(() => ({ legs: [{ ...sampleLeg('accepted'), canaries: old.ids }] })),
    );
    now += 10 * MINUTE;
    for (const kind of ['on-demand', 'confirming'] as const) {
      await probeScans(
        [{ ...old.ref, scanId: scanId(now, kind) }],
        services(() => ({ legs: [sampleLeg()] })),
      );
      now += 10 * MINUTE;
    }
    expect((await stateOf(old))?.relay).toBe('closed');
    await comesBack(old);
    expect((await stateOf(old))?.relay).toBe('closed');
  });
});

test('what was paused when the messages went out is noted of the scan that has waited for them', async () => {
  const scan = await begun();
  const paused = ['192.0.2.2'];
  await probeScans(
    [scan.ref],
    services(() => ({ ...findingOf(scan.ids)(), paused })),
  );
  now += HOUR;
  await look(scan);
  expect((await scanOf(scan))?.paused).toEqual(paused);
  expect((await stateOf(scan))?.last?.paused).toEqual(paused);
});
