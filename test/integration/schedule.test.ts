import { beforeEach, describe, expect, test } from 'vitest';
import { type Services as DispatchServices, dispatch } from '../../functions/dispatch/dispatch.ts';
import type { AuditOrder } from '../../functions/probe/audit-host.ts';
import type { Finding } from '../../functions/probe/finding.ts';
import { type Services as ProbeServices, probeScans } from '../../functions/probe/probe-scans.ts';
import { type Lines, turnsOf } from '../../functions/probe/turns.ts';
import type { Host } from '../../shared/domain/host.ts';
import { noticeId } from '../../shared/domain/notice.ts';
import { kindOf, type LegEvidence, scanId, type TestResult } from '../../shared/domain/scan.ts';
import { slotOf, tickOf } from '../../shared/domain/schedule.ts';
import { SCANS_A_MINUTE, shareOf } from '../../shared/domain/shares.ts';
import { newId } from '../../shared/runtime/ids.ts';
import { noticesQueue, readScansMessage, scansQueue } from '../../shared/runtime/queues.ts';
import { ANY_TURN } from '../support/gate.ts';
import { startQueues, type TestQueues } from '../support/queue.ts';
import { createSampleAccount, NOON, registerSample, SUSPECTED, sampleHost, sampleLeg } from '../support/samples.ts';
import { IS_WHOLE, runs } from '../support/searches.ts';
import { startTable, type TestTable } from '../support/table.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
let now = NOON;
let table: TestTable;
let queues: TestQueues;
let audits: string[] = [];
let judge: (host: Host) => 'closed' | 'suspected' | 'our-trouble' = () => 'closed';

beforeEach(async () => {
  now = NOON;
  audits = [];
  judge = () => 'closed';
  [table, queues] = await Promise.all([startTable(() => now, 400 * 24 * HOUR), startQueues()]);
  await createSampleAccount(table.store);
  return async () => void (await Promise.all([table.stop(), queues.stop()]));
});

const dispatcher = (): DispatchServices => ({
  store: table.store,
  wakeScans: scansQueue(queues.urls.scans, queues.client),
  wakeNotices: noticesQueue(queues.urls.notices, queues.client),
  clock: () => now,
  count: () => {},
  owedLeaseMs: 15 * MINUTE,
});

const prober = (): ProbeServices => ({
  store: table.store,
  async audit(host) {
    audits.push(host.id);
    const found = judge(host);
    if (found === 'our-trouble') throw new Error('trouble of ours');
    return { legs: [sampleLeg(found === 'closed' ? 'refused' : 'accepted')] };
  },
  turns: () => ({ take: ANY_TURN, end: async () => {}, booked: () => ({}) }),
  egressBlocked: async () => false,
  dnsAnswers: async () => true,
  wakeNotices: noticesQueue(queues.urls.notices, queues.client),
  clock: () => now,
  count: () => {},
  log: { info: () => {}, error: () => {} },
  confirmDelayMs: 5 * MINUTE,
  continueMs: 5 * MINUTE,
  canaries: () => async () => undefined,
  raise: async () => {},
  putOffMs: 15 * MINUTE,
  awaitMs: 60 * MINUTE,
});

const OWNERS = 20;

const owedBy = (accountId: string, hostId: string) => ({ accountId, hostId, scanId: scanId(now, 'on-demand'), dueAt: now, tries: 0 });

async function probeAll(): Promise<void> {
  for (const body of await queues.drain(queues.urls.scans)) expect(await probeScans(readScansMessage(body), prober())).toEqual([]);
}

async function tickTo(time: number): Promise<void> {
  for (; now < time; now += MINUTE) {
    await dispatch(dispatcher());
    await probeAll();
  }
}

/** Registers hosts of several accounts, whose first scan has been made. */
async function establish(count: number): Promise<Host[]> {
  const hosts = Array.from({ length: count }, (_, index) => ({ ...sampleHost(), accountId: `owner${index % OWNERS}` }));
  for (const host of hosts) {
    const first = { accountId: host.accountId, hostId: host.id, scanId: scanId(now, 'first'), dueAt: now, tries: 0 };
    await registerSample(table.store, host, first);
  }
  while ((await dispatch(dispatcher())).owed > 0) await probeAll();
  now += MINUTE;
  audits = [];
  return hosts;
}

const scheduledScans = async (host: Host) =>
  (await table.store.listScans(host.id, { limit: 50 })).items.filter((scan) => scan.kind === 'scheduled').length;

describe('P4: a host that is due or owed is scanned, also after an outage, once', () => {
  test('of its two owed scans one is sent in a minute, and the other is not told to wait for a share of the account', async () => {
    const [host] = await establish(1);
    if (host === undefined) throw new Error('no host');
    const { accountId, id: hostId } = host;
    const [first, second] = [scanId(now - MINUTE, 'on-demand'), scanId(now, 'on-demand')];
    for (const each of [first, second]) await table.store.owe({ accountId, hostId, scanId: each, dueAt: now, tries: 0 });
    expect((await dispatch(dispatcher())).owed).toBe(1);
    expect(await table.store.waitingScans(accountId, now)).toBe(0);
    now += MINUTE;
    expect((await dispatch(dispatcher())).owed).toBe(1);
    await queues.drain(queues.urls.scans);
  });

  test('1,000 hourly hosts after an outage of 26 hours get exactly one scan each', async () => {
    const hosts = await establish(1_000);
    await dispatch(dispatcher());
    await probeAll();
    const before = new Map<string, number>();
    for (const host of hosts) before.set(host.id, await scheduledScans(host));
    audits = [];
    now += 26 * HOUR;
    // Catching up is spread over ticks; the clock stands, so that nothing new comes due meanwhile.
    for (let i = 0; i < 10; i++) await dispatch(dispatcher());
    await probeAll();
    expect(await table.store.readCursor()).toBe(tickOf(now));
    for (const host of hosts) expect(await scheduledScans(host)).toBe((before.get(host.id) ?? 0) + 1);
    expect(audits.toSorted()).toEqual(hosts.map((host) => host.id).toSorted());
  }, 240_000); // of which most is spent registering

  test('a crash between sending and moving the cursor makes no second scan and loses none', async () => {
    const hosts = await establish(60);
    now += 2 * HOUR;
    const crashing = { ...dispatcher(), store: { ...table.store, moveCursor: () => Promise.reject(new Error('killed here')) } };
    await expect(dispatch(crashing)).rejects.toThrow('killed here');
    await probeAll();
    now += MINUTE;
    await dispatch(dispatcher());
    await probeAll();
    for (const host of hosts) expect(await scheduledScans(host)).toBeGreaterThanOrEqual(1);
    // One host in sixty has its slot in the minute that passed.
    expect(audits.length).toBeLessThanOrEqual(hosts.length + 5);
    expect(new Set(audits).size).toBe(hosts.length);
  });

  test('hour after hour, every host is scanned once an hour', async () => {
    const hosts = await establish(20);
    await tickTo(now + 3 * HOUR);
    for (const host of hosts) expect(await scheduledScans(host)).toBe(3);
  }, 60_000);

  test('no number of scans of one account keeps another’s waiting: it goes with the first of them, in the minute that it is due', async () => {
    const count = 8 * SCANS_A_MINUTE;
    const many = Array.from({ length: count }, (_, index) => ({ ...owedBy('busy', `busy-${index}`), dueAt: now - 600_000 + index }));
    await Promise.all(many.map((each) => table.store.owe(each)));
    await table.store.owe(owedBy('other', 'lonely'));
    await dispatch(dispatcher());
    const messages = (await queues.drain(queues.urls.scans)).map(readScansMessage);
    expect(messages[0]?.slice(0, 2).map(({ hostId }) => hostId)).toEqual(['busy-0', 'lonely']);
    expect(messages.flat().filter(({ accountId }) => accountId === 'busy')).toHaveLength(SCANS_A_MINUTE);
    expect(await table.store.waitingScans('busy', now)).toBe(count - SCANS_A_MINUTE);
    expect(await table.store.waitingScans('other', now)).toBe(0);
    const sent = messages.flat().map(({ hostId }) => hostId);
    for (let minutes = 0; minutes < 7; minutes++) {
      now += MINUTE;
      await dispatch(dispatcher());
      sent.push(...(await queues.drain(queues.urls.scans)).flatMap(readScansMessage).map(({ hostId }) => hostId));
    }
    expect([sent.length, new Set(sent).size]).toEqual([count + 1, count + 1]);
    now += 3 * MINUTE;
    expect(await table.store.waitingScans('busy', now)).toBe(0);
  }, 60_000);

  /** Registers hosts of one account that are all in the slot of one minute, which comes round now; nothing else is due. */
  async function bunched(count: number, accountId = 'busy'): Promise<Host[]> {
    const ids: string[] = [];
    while (ids.length < count) ids.push(...[newId()].filter((id) => slotOf(id, 'hour') === tickOf(now) % 60));
    const hosts = ids.map((id) => ({ ...sampleHost({ period: 'hour' }), id, accountId }));
    for (const host of hosts) {
      const first = { accountId, hostId: host.id, scanId: scanId(now, 'first'), dueAt: now, tries: 0 };
      await registerSample(table.store, host, first);
      await table.store.dropOwed(first);
    }
    await table.store.moveCursor(undefined, tickOf(now) - 1);
    return hosts;
  }

  test('hosts of the wheel that are more than the share of their account become owed, wait their turn, and are scanned once', async () => {
    const hosts = await bunched(2 * SCANS_A_MINUTE + 3);
    await table.store.owe(owedBy('busy', 'asked-for'));
    await table.store.owe(owedBy('other', 'lonely'));
    const minutes: string[][] = [];
    for (let minute = 0; minute < 4; minute++, now += MINUTE) {
      await dispatch(dispatcher());
      const bodies = await queues.drain(queues.urls.scans);
      minutes.push(bodies.flatMap(readScansMessage).map(({ hostId }) => hostId));
      if (minute === 0) expect(await table.store.waitingScans('busy', now)).toBe(SCANS_A_MINUTE + 4);
      for (const body of bodies) expect(await probeScans(readScansMessage(body), prober())).toEqual([]);
    }
    expect(minutes.map(({ length }) => length)).toEqual([SCANS_A_MINUTE + 1, SCANS_A_MINUTE, 4, 0]);
    expect(minutes[0]?.slice(0, 2)).toContain('lonely');
    expect(audits.toSorted()).toEqual(hosts.map(({ id }) => id).toSorted());
    for (const host of hosts) expect(await scheduledScans(host)).toBe(1);
  }, 60_000);

  test.each(['dueScans', 'findAccount', 'noteWaiting'] as const)(
    'the wheel goes on while %s fails',
    async (what) => {
      const hosts = await bunched(SCANS_A_MINUTE + 5);
      const failing = { ...dispatcher(), store: { ...table.store, [what]: () => Promise.reject(new Error('throttled')) } };
      await dispatch(failing).catch((error: Error) => expect(error.message).toBe('throttled'));
      expect(await table.store.readCursor()).toBe(tickOf(now));
      await probeAll();
      now += MINUTE;
      await dispatch(dispatcher());
      await probeAll();
      expect(audits.toSorted()).toEqual(hosts.map(({ id }) => id).toSorted());
    },
    60_000,
  );

  test('owed scans go on while the wheel cannot be read', async () => {
    await table.store.owe(owedBy('other', 'lonely'));
    const failing = { ...dispatcher(), store: { ...table.store, readCursor: () => Promise.reject(new Error('throttled')) } };
    await expect(dispatch(failing)).rejects.toThrow('throttled');
    const sent = (await queues.drain(queues.urls.scans)).flatMap(readScansMessage);
    expect(sent.map(({ hostId }) => hostId)).toEqual(['lonely']);
  });

  test('a crash before the cursor moves owes no host of the wheel twice and scans each once', async () => {
    const hosts = await bunched(SCANS_A_MINUTE + 5);
    const crashing = { ...dispatcher(), store: { ...table.store, moveCursor: () => Promise.reject(new Error('killed here')) } };
    await expect(dispatch(crashing)).rejects.toThrow('killed here');
    await probeAll();
    for (let minute = 0; minute < 3; minute++) {
      now += MINUTE;
      await dispatch(dispatcher());
      await probeAll();
    }
    expect(audits.toSorted()).toEqual(hosts.map(({ id }) => id).toSorted());
    for (const host of hosts) {
      expect(await scheduledScans(host)).toBe(1);
      expect(await table.store.owedOf(host.id)).toEqual([]);
    }
  }, 60_000);

  test('an account with very many hosts has a share that its wheel stays within', async () => {
    await bunched(SCANS_A_MINUTE + 5, 'large');
    const store = { ...table.store, findAccount: async (id: string) => ({ id, email: '', createdAt: 0, hosts: 600 }) };
    await dispatch({ ...dispatcher(), store });
    expect((await queues.drain(queues.urls.scans)).flatMap(readScansMessage)).toHaveLength(shareOf(600));
    expect(await table.store.waitingScans('large', now)).toBe(0);
  });

  test('an owed scan whose message was lost is sent again when its lease has run out', async () => {
    const host = sampleHost({ period: 'week' }); // so that no slot of its own comes round meanwhile
    await registerSample(table.store, host, {
      accountId: host.accountId,
      hostId: host.id,
      scanId: scanId(now, 'first'),
      dueAt: now,
      tries: 0,
    });
    await dispatch(dispatcher());
    await queues.drain(queues.urls.scans);
    now += 14 * MINUTE;
    await dispatch(dispatcher());
    await probeAll();
    expect(audits).toEqual([]);
    now += 2 * MINUTE;
    await dispatch(dispatcher());
    await probeAll();
    expect(audits).toEqual([host.id]);
  });

  test('a message delivered twice makes one scan', async () => {
    const [host] = await establish(1);
    now += HOUR;
    await dispatch(dispatcher());
    const [body = ''] = await queues.drain(queues.urls.scans);
    await probeScans(readScansMessage(body), prober());
    await probeScans(readScansMessage(body), prober());
    expect(audits).toHaveLength(1);
    expect(host === undefined ? 0 : await scheduledScans(host)).toBe(1);
  });

  test('a crash between scan and host is made good by the second delivery, without a second probe', async () => {
    const [host] = await establish(1);
    if (host === undefined) return expect.fail();
    now += HOUR;
    await dispatch(dispatcher());
    const [body = ''] = await queues.drain(queues.urls.scans);
    const [ref] = readScansMessage(body);
    const at = now;
    // What the cheap path leaves behind when it is killed after its first write.
    const scan = {
      hostId: host.id,
      id: ref?.scanId ?? '',
      kind: 'scheduled' as const,
      startedAt: at,
      finishedAt: at,
      judgement: SUSPECTED,
      openLegs: [],
      full: true,
    };
    await table.store.storeResult({ host, scan, effect: { kind: 'late' }, notices: [], wasOwed: false });
    await probeScans(readScansMessage(body), prober());
    expect(audits).toEqual([]);
    expect((await table.store.findHost(host.accountId, host.id))?.state).toMatchObject({
      last: { id: scan.id },
      pending: { to: 'suspected' },
    });
  });
});

describe('P3: one change record per change', () => {
  test('a turn is confirmed by a second scan five minutes later, and closed again likewise', async () => {
    const [host] = await establish(1);
    if (host === undefined) return expect.fail();
    judge = () => 'suspected';
    await tickTo(now + HOUR + 10 * MINUTE);
    judge = () => 'closed';
    await tickTo(now + HOUR + 10 * MINUTE);
    const changes = (await table.store.listChanges(host.id, 50)).items;
    expect(changes.map(({ from, to }) => `${from} → ${to}`)).toEqual(['suspected → closed', 'closed → suspected']);
    for (const change of changes) expect(kindOf(change.scanId)).toBe('confirming');
    expect(new Set(await queues.drain(queues.urls.notices)).size).toBe(2);
  }, 60_000);

  test('a notice whose wake-up message was lost is woken by the next dispatch', async () => {
    const [host] = await establish(1);
    if (host === undefined) return expect.fail();
    judge = () => 'suspected';
    await tickTo(now + HOUR + 10 * MINUTE);
    await queues.drain(queues.urls.notices);
    await dispatch(dispatcher());
    expect(await queues.drain(queues.urls.notices)).toEqual([
      JSON.stringify({ notices: [noticeId(host.id, (await table.store.listChanges(host.id, 1)).items[0]?.version ?? 0, '0')] }),
    ]);
  }, 60_000);
});

describe('a scan that its server leaves unfinished', () => {
  const [greylisted, ...refused] = sampleLeg('refused').tests;
  const LEFT: LegEvidence = { ...sampleLeg('refused'), tests: [{ ...greylisted, outcome: 'greylisted' } as TestResult, ...refused] };
  const UNFINISHED: Finding = { legs: [LEFT] };
  const orders: AuditOrder[] = [];
  const probe = async (host: Host, id: string, finding: Finding) => {
    const audit: ProbeServices['audit'] = async (_, order) => {
      orders.push(order);
      return finding;
    };
    await probeScans([{ accountId: host.accountId, hostId: host.id, scanId: id }], { ...prober(), audit });
  };
  const stateOf = async (host: Host) => (await table.store.findHost(host.accountId, host.id))?.state;

  test('goes on under its own id with what was found, after 5, 10 and 15 minutes, and is stored when it is done', async () => {
    const [host] = await establish(1);
    if (host === undefined) return expect.fail();
    const id = scanId(now, 'on-demand');
    const began = now;
    for (const [sitting, wait] of [5, 10, 15].entries()) {
      await probe(host, id, UNFINISHED);
      expect(await table.store.findOwed(host.id, id)).toMatchObject({
        dueAt: now + wait * MINUTE,
        begun: { startedAt: began, full: true, sittings: sitting + 1, left: { reason: 'greylisted', completed: 18, planned: 19 } },
      });
      expect(await table.store.findScan(host.id, id)).toBeUndefined();
      now += wait * MINUTE;
    }
    await probe(host, id, { legs: [sampleLeg('refused')] });
    expect(orders.at(-1)?.before?.[0]?.tests).toEqual(LEFT.tests);
    expect(await table.store.findScan(host.id, id)).toMatchObject({ startedAt: began, judgement: { verdict: 'closed' } });
    expect(await table.store.findOwed(host.id, id)).toBeUndefined();
  });

  test('has ten sittings at most, and then says how far it came', async () => {
    const [host] = await establish(1);
    if (host === undefined) return expect.fail();
    const id = scanId(now, 'on-demand');
    for (let sitting = 1; sitting <= 10; sitting++) await probe(host, id, UNFINISHED);
    expect(await table.store.findScan(host.id, id)).toMatchObject({
      judgement: { verdict: 'inconclusive', reason: 'greylisted', completed: 18, planned: 19 },
    });
    expect(await table.store.findOwed(host.id, id)).toBeUndefined();
  });

  test('then waits for its messages, says so, and keeps how long it waited in vain, and where TLS is broken', async () => {
    const [host] = await establish(1);
    if (host === undefined) return expect.fail();
    const id = scanId(now, 'on-demand');
    const negative = 'control-random-user:percent-served';
    const taken: TestResult = { test: 'percent-served', outcome: 'accepted', stage: 'message', negative, canary: 'c' };
    const catchAll: LegEvidence = {
      ...sampleLeg('refused'),
      tests: [...refused, taken],
      controls: [{ test: negative, outcome: 'accepted', stage: 'rcpt' }],
      canaries: ['c'],
    };
    const broken: LegEvidence = {
      ...sampleLeg('refused'),
      transport: 'starttls',
      contact: 'tls-failed',
      brokenTls: { sittings: 2, why: 'no shared cipher' },
    };
    await probe(host, id, { legs: [catchAll, broken] });
    const until = now + 60 * MINUTE;
    expect(await table.store.findOwed(host.id, id)).toMatchObject({
      dueAt: until,
      begun: { awaits: { since: now, until }, left: { reason: 'awaiting-messages' } },
    });
    now = until;
    await probe(host, id, UNFINISHED);
    expect(await table.store.findScan(host.id, id)).toMatchObject({
      judgement: { verdict: 'closed', reason: 'catch-all' },
      waitedMs: 60 * MINUTE,
      brokenTls: [25],
    });
    expect(await stateOf(host)).toMatchObject({ catchAll: true, brokenTls: [25] });
  });

  test('is not overtaken by another that is unfinished too: that one is history', async () => {
    const [host] = await establish(1);
    if (host === undefined) return expect.fail();
    const first = scanId(now, 'on-demand');
    await probe(host, first, UNFINISHED);
    now += MINUTE;
    await probe(host, scanId(now, 'scheduled'), UNFINISHED);
    expect((await stateOf(host))?.last?.verdict).toBe('closed');
    await probe(host, first, { legs: [sampleLeg('accepted')] });
    expect(await stateOf(host)).toMatchObject({ last: { id: first }, pending: { to: 'suspected', scanId: first } });
  });

  test('keeps what its ports that answered have shown, when another is blocked on our side', async () => {
    const [host] = await establish(1);
    if (host === undefined) return expect.fail();
    const id = scanId(now, 'on-demand');
    const answered = { ...sampleLeg(), port: 2525 };
    const legs = [{ ...sampleLeg(), contact: 'connection-timed-out' as const }, answered];
    const ref = { accountId: host.accountId, hostId: host.id, scanId: id };
    await probeScans([ref], { ...prober(), audit: async () => ({ legs }), egressBlocked: async () => true });
    expect(await table.store.findOwed(host.id, id)).toMatchObject({ trouble: 'egress-blocked', begun: { startedAt: now, sittings: 0 } });
    await probe(host, id, { legs: [answered] });
    expect(orders.at(-1)?.before?.map(({ port }) => port)).toEqual([2525]);
  });
});

describe('P5: trouble on our side never reads as trouble on theirs', () => {
  test('a scan that met our trouble is no result and stays owed until it is made', async () => {
    const [host] = await establish(1);
    if (host === undefined) return expect.fail();
    judge = () => 'our-trouble';
    await tickTo(now + HOUR);
    expect(await scheduledScans(host)).toBe(0);
    expect(await table.store.owedOf(host.id)).toMatchObject([{ trouble: 'internal-error' }]);
    judge = () => 'closed';
    await tickTo(now + HOUR);
    expect(await table.store.owedOf(host.id)).toEqual([]);
    expect(await scheduledScans(host)).toBe(2);
  }, 60_000);

  test('a port that is blocked on our side is noticed though another port answers', async () => {
    const [host] = await establish(1);
    if (host === undefined) return expect.fail();
    const legs = [
      { ...sampleLeg(), contact: 'connection-timed-out' as const },
      { ...sampleLeg(), port: 2525 },
    ];
    const asked: number[] = [];
    const services: ProbeServices = {
      ...prober(),
      audit: async () => ({ legs }),
      egressBlocked: async (port) => asked.push(port) > 0,
    };
    const ref = { accountId: host.accountId, hostId: host.id, scanId: scanId(now, 'scheduled') };
    await probeScans([ref], services);
    expect(asked).toEqual([25]);
    expect(await table.store.findOwed(host.id, ref.scanId)).toMatchObject({ trouble: 'egress-blocked' });
  });

  test('when nothing answers and our own endpoints are silent too, it is us', async () => {
    const [host] = await establish(1);
    if (host === undefined) return expect.fail();
    const silent = { ...sampleLeg(), contact: 'connection-timed-out' as const };
    const services: ProbeServices = {
      ...prober(),
      audit: async () => ({
        judgement: { verdict: 'unreachable', reason: 'connection-timed-out', completed: 0, planned: 0 },
        legs: [silent],
      }),
      egressBlocked: async () => true,
    };
    const ref = { accountId: host.accountId, hostId: host.id, scanId: scanId(now, 'scheduled') };
    await probeScans([ref], services);
    expect(await scheduledScans(host)).toBe(0);
    expect(await table.store.findOwed(host.id, ref.scanId)).toMatchObject({ trouble: 'egress-blocked' });
    await probeScans([ref], { ...services, egressBlocked: async () => false });
    expect((await table.store.findScan(host.id, ref.scanId))?.judgement.verdict).toBe('unreachable');
  });
});

describe('a turn at an address that many hosts share', () => {
  const HOSTS = runs(100, 400);
  const ADDRESS = '192.0.2.1';
  const RULES = { leaseMs: 2 * MINUTE, spacingMs: 10 * MINUTE, soonestMs: 2 * MINUTE };
  const lines: Lines = new Map();
  let turns: number[] = [];

  const sharing = (): ProbeServices => ({
    ...prober(),
    turns: (ref, fresh, bookings) => turnsOf(ref, fresh, table.store, () => now, RULES, lines, bookings),
    async audit(host, { takeTurn }) {
      const turn = await takeTurn(ADDRESS);
      if (!turn.granted) return { untested: 'address-busy', legs: [], retryAt: turn.retryAt };
      turns.push(now);
      audits.push(host.id);
      return { legs: [sampleLeg()] };
    },
  });

  test('that is booked is waited for by a scan that is asked for meanwhile, which is then made too', async () => {
    turns = [];
    const hosts = [sampleHost(), sampleHost()];
    for (const host of hosts) {
      const first = { accountId: host.accountId, hostId: host.id, scanId: scanId(now, 'first'), dueAt: now, tries: 0 };
      await registerSample(table.store, host, first);
    }
    const tick = async () => {
      await dispatch(dispatcher());
      for (const body of await queues.drain(queues.urls.scans)) expect(await probeScans(readScansMessage(body), sharing())).toEqual([]);
    };
    await tick();
    const waiting = hosts.find(({ id }) => !audits.includes(id)) ?? expect.fail('nobody waits');
    now += MINUTE;
    const asked = { accountId: waiting.accountId, hostId: waiting.id, scanId: scanId(now, 'on-demand'), dueAt: now, tries: 0 };
    await table.store.owe(asked);
    await tick();
    expect((await table.store.findOwed(waiting.id, asked.scanId))?.dueAt).toBe(NOON + 10 * MINUTE);
    for (const until = now + 40 * MINUTE; now < until; now += MINUTE) await tick();
    const kinds = (await table.store.listScans(waiting.id, { limit: 50 })).items.map(({ kind }) => kind);
    expect(kinds).toEqual(expect.arrayContaining(['first', 'on-demand']));
  }, 60_000);

  test('is waited for at little cost, also by hundreds of hosts of one account', async () => {
    turns = [];
    for (let index = 0; index < HOSTS; index++) {
      const host = sampleHost();
      const first = { accountId: host.accountId, hostId: host.id, scanId: scanId(now, 'first'), dueAt: now, tries: 0 };
      await registerSample(table.store, host, first);
    }
    table.meter.reset();
    for (const until = now + 2 * HOUR; now < until; now += MINUTE) {
      await dispatch(dispatcher());
      for (const body of await queues.drain(queues.urls.scans)) expect(await probeScans(readScansMessage(body), sharing())).toEqual([]);
    }
    expect(turns.length).toBeGreaterThanOrEqual(9);
    // Whoever had to wait comes when it was told to, each another: nobody is passed over.
    expect(new Set(audits).size).toBe(audits.length);
    for (const [index, at] of turns.slice(1).entries()) expect(at - (turns[index] ?? 0)).toBeGreaterThanOrEqual(10 * MINUTE);
    // Two hours of dispatches and eleven scans; and for each host one dispatch, a place in line and a wait that is written down, but
    // nothing for each minute of it.
    const { writeUnits, readUnits } = table.meter;
    if (IS_WHOLE) console.log({ hosts: HOSTS, writeUnits, readUnits, turns: turns.length });
    expect(writeUnits).toBeLessThan(500 + HOSTS * 14);
    expect(readUnits).toBeLessThan(1_200 + HOSTS * 15);
  }, 240_000);
});
