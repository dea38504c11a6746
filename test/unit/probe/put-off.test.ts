import { describe, expect, test } from 'vitest';
import type { Untested } from '../../../functions/probe/finding.ts';
import { probeScans, type Services } from '../../../functions/probe/probe-scans.ts';
import type { HostState } from '../../../shared/domain/host.ts';
import type { Reason } from '../../../shared/domain/reason.ts';
import { type OwedScan, type ScanKind, scanId } from '../../../shared/domain/scan.ts';
import type { AuditStore } from '../../../shared/store/audit-store.ts';
import { memoryStore } from '../../simulation/memory-store.ts';
import { ANY_TURN } from '../../support/gate.ts';
import { QUIET_PROBING } from '../../support/probing.ts';
import { AMPLE, BEGUN, NOON, sampleHost, sampleLeg } from '../../support/samples.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const FAILURE = { type: 'A', name: 'mail.example.org', said: 'SERVFAIL' } as const;

type Found = Reason | 'closed';

/** A host with its first scan owed, in a world where time passes as it is told, and DNS says `says`. */
async function world(state: Partial<HostState> = {}) {
  let now = NOON;
  const { store, all } = memoryStore(() => now);
  const host = sampleHost({}, state);
  const ref = (kind: ScanKind, at = NOON) => ({ accountId: host.accountId, hostId: host.id, scanId: scanId(at, kind) });
  await store.registerHost(host, { ...ref('first'), dueAt: NOON, tries: 0 }, AMPLE);
  const counted: string[] = [];
  const errors: string[] = [];
  const woken: string[] = [];
  let writes = 0;
  const dns = { says: 'no-consent' as Found, answers: true, audits: 0 };
  const services: Services = {
    ...QUIET_PROBING,
    store: { ...store, putOff: async (...of: Parameters<AuditStore['putOff']>) => ++writes > 0 && store.putOff(...of) } as AuditStore,
    turns: () => ({ take: ANY_TURN, end: async () => {}, booked: () => ({}) }),
    clock: () => now,
    dnsAnswers: async () => dns.answers,
    count: (name) => void counted.push(name),
    log: { info: () => {}, error: (message) => void errors.push(message) },
    wakeNotices: async (ids) => void woken.push(...ids),
    audit: async () => {
      dns.audits++;
      if (dns.says === 'closed') return { legs: [sampleLeg()] };
      const nothing: Untested = { untested: dns.says, legs: [] };
      return dns.says === 'dns-trouble' ? { ...nothing, failure: FAILURE } : nothing;
    },
  };
  const owed = (kind: ScanKind, at = NOON) => store.findOwed(host.id, scanId(at, kind));
  /** Makes a scan whenever it is due, until it is owed no more or `until` has come. */
  const live = async (until: number, kind: ScanKind = 'first') => {
    const looks: number[] = [];
    for (let each = await owed(kind); each !== undefined && each.dueAt <= until; each = await owed(kind)) {
      now = Math.max(now, each.dueAt);
      looks.push(now - NOON);
      expect(await probeScans([ref(kind)], services)).toEqual([]);
    }
    return looks;
  };
  return {
    store,
    host,
    ref,
    dns,
    counted,
    errors,
    woken,
    putOffs: () => writes,
    probe: async (which: ReturnType<typeof ref>, at = now) => {
      now = at;
      expect(await probeScans([which], services)).toEqual([]);
    },
    owed,
    scans: () => all().scans,
    told: () => all().notices.flatMap(({ notice }) => (notice.about === 'host' ? notice.occasion.kind : [])),
    state: async () => (await store.findHost(host.accountId, host.id))?.state ?? expect.fail('the host is gone'),
    live,
  };
}

describe('a first scan without consent', () => {
  test('is no result: it stays owed, says why, and when it looks again', async () => {
    const { probe, ref, owed, scans, state, told } = await world();
    await probe(ref('first'));
    expect(await owed('first')).toMatchObject({ dueAt: NOON + MINUTE, trouble: 'no-consent', waits: { since: NOON } });
    expect([scans(), told(), (await state()).putOff]).toEqual([[], [], ref('first').scanId]);
  });

  test('looks by itself for 17 days, then ends as what DNS said, of which its owner is told once', async () => {
    const { live, scans, told, owed, state, counted, errors } = await world();
    const looks = await live(NOON + 40 * DAY);
    expect(looks.slice(0, 7)).toEqual([0, 1, 2, 5, 10, 30, 60].map((minutes) => minutes * MINUTE));
    expect([looks.length, looks.at(-1)]).toEqual([92, 17 * DAY]);
    expect(scans()).toMatchObject([{ kind: 'first', judgement: { reason: 'no-consent' }, waitedSince: NOON }]);
    expect(told()).toEqual(['gave-up']);
    expect([await owed('first'), (await state()).putOff]).toEqual([undefined, undefined]);
    expect(errors).toEqual([]);
    expect(counted.filter((name) => name === 'HostsProbed')).toHaveLength(1);
  });

  test('is made as the scan it is as soon as consent is there, of which its owner is told once', async () => {
    const { live, dns, scans, told, state } = await world();
    await live(NOON + 3 * HOUR);
    dns.says = 'closed';
    await live(NOON + 5 * HOUR);
    expect(scans()).toMatchObject([
      { id: scanId(NOON, 'first'), startedAt: NOON + 4 * HOUR, waitedSince: NOON, judgement: { verdict: 'closed' } },
    ]);
    expect([told(), (await state()).relay]).toEqual([['proven'], 'closed']);
  });

  test('whose address is then busy is told of all the same', async () => {
    const { live, dns, told, owed, scans } = await world();
    await live(NOON + HOUR);
    dns.says = 'address-busy';
    await live(NOON + 2 * HOUR);
    expect(await owed('first')).toMatchObject({ trouble: 'address-busy', waits: { since: NOON } });
    dns.says = 'closed';
    await live(NOON + 3 * HOUR);
    expect([told(), scans().length]).toEqual([['proven'], 1]);
  });

  test('ends at once when somebody has forbidden it', async () => {
    const { probe, ref, dns, scans, owed, told } = await world();
    await probe(ref('first'));
    dns.says = 'vetoed';
    await probe(ref('first'), NOON + MINUTE);
    expect(scans()).toMatchObject([{ judgement: { reason: 'vetoed' } }]);
    expect([await owed('first'), told()]).toEqual([undefined, []]);
  });

  test('that has begun ends as what DNS says now', async () => {
    const { store, host, probe, ref, scans } = await world();
    const soFar = await store.keepSoFar(host, [sampleLeg()]);
    await store.continueScan(host, { ...ref('first'), dueAt: NOON, tries: 0, begun: { ...BEGUN, soFar } });
    await probe(ref('first'), NOON + 5 * MINUTE);
    expect(scans()).toMatchObject([{ judgement: { reason: 'no-consent' } }]);
  });

  test('costs one small write a look while DNS says the same', async () => {
    const { live, putOffs, dns } = await world();
    await live(NOON + 10 * HOUR);
    expect(putOffs()).toBe(1);
    dns.says = 'no-address';
    await live(NOON + 20 * HOUR);
    expect(putOffs()).toBe(2);
  });

  test('is not said to be under way while it only looks', async () => {
    const { live, owed } = await world();
    await live(NOON + HOUR);
    expect(((await owed('first')) as OwedScan).underWay).toBeUndefined();
  });
});

describe('beside a scan that waits for DNS', () => {
  test('scheduled ones ask nothing and store nothing, be they owed or not', async () => {
    const { probe, ref, store, dns, scans, owed } = await world();
    await probe(ref('first'));
    const audits = dns.audits;
    await probe(ref('scheduled', NOON + HOUR), NOON + HOUR);
    await store.owe({ ...ref('scheduled', NOON + 2 * HOUR), dueAt: NOON + 2 * HOUR, tries: 0 });
    await probe(ref('scheduled', NOON + 2 * HOUR), NOON + 2 * HOUR);
    expect([dns.audits, scans(), await owed('scheduled', NOON + 2 * HOUR)]).toEqual([audits, [], undefined]);
    expect(await owed('first')).toBeDefined();
  });

  test.each(['no-consent', 'dns-trouble'] as const)('one that its owner asks for is answered at once: %s', async (says) => {
    const { probe, ref, store, dns, scans, owed, state } = await world();
    await probe(ref('first'));
    dns.says = says;
    await store.owe({ ...ref('on-demand', NOON + HOUR), dueAt: NOON + HOUR, tries: 0 });
    await probe(ref('on-demand', NOON + HOUR), NOON + HOUR);
    expect(scans()).toMatchObject([{ kind: 'on-demand', judgement: { reason: says } }]);
    // The other one waits on.
    expect([(await owed('first'))?.trouble, (await state()).putOff]).toEqual(['no-consent', ref('first').scanId]);
    dns.says = 'closed';
    await probe(ref('first'), NOON + 2 * HOUR);
    expect(scans()).toHaveLength(2);
  });

  test('a first scan waits all the same', async () => {
    const { probe, ref, store, dns, owed, scans } = await world();
    dns.says = 'dns-trouble';
    await store.owe({ ...ref('on-demand', NOON), dueAt: NOON, tries: 0 });
    await probe(ref('on-demand', NOON));
    await probe(ref('first'));
    expect(scans()).toEqual([]);
    expect((await owed('first'))?.dueAt).toBe(NOON + MINUTE);
  });
});

describe('DNS that fails for a host that had results', () => {
  const KNOWN = { relay: 'closed', since: NOON - DAY, last: { id: 'x', startedAt: NOON - DAY, verdict: 'closed' } } as const;
  const failing = async (state: Partial<HostState> = KNOWN) => {
    const made = await world(state);
    await made.store.dropOwed(made.ref('first'));
    made.dns.says = 'dns-trouble';
    await made.probe(made.ref('scheduled'));
    return made;
  };

  test('puts its scan off in growing steps, tells its owner once after a day with the question that fails, and is the result after a week', async () => {
    const { live, scans, told, woken, errors, store, state } = await failing();
    expect((await live(NOON + DAY - 1, 'scheduled')).slice(0, 6)).toEqual([1, 2, 5, 10, 30, 60].map((minutes) => minutes * MINUTE));
    expect(told()).toEqual([]);
    await live(NOON + 2 * DAY, 'scheduled');
    expect(told()).toEqual(['dns-trouble']);
    expect((await store.findNotice(woken[0] ?? ''))?.notice).toMatchObject({ occasion: { since: NOON, failure: FAILURE } });
    const looks = await live(NOON + 40 * DAY, 'scheduled');
    expect(looks.at(-1)).toBe(7 * DAY);
    expect(scans()).toMatchObject([{ judgement: { verdict: 'untestable', reason: 'dns-trouble' } }]);
    expect([told(), errors, (await state()).relay]).toEqual([['dns-trouble'], [], 'closed']);
  });

  test('makes each later scan one look, and the first that is answered ends it, with one word to its owner', async () => {
    const { live, probe, ref, scans, told, dns, state } = await failing();
    await live(NOON + 8 * DAY, 'scheduled');
    for (const days of [9, 10, 11, 12]) await probe(ref('scheduled', NOON + days * DAY), NOON + days * DAY);
    expect(scans().map(({ judgement }) => judgement.reason)).toEqual(Array.from({ length: 5 }, () => 'dns-trouble'));
    expect(told()).toEqual(['dns-trouble']);
    dns.says = 'closed';
    await probe(ref('scheduled', NOON + 13 * DAY), NOON + 13 * DAY);
    expect([told(), (await state()).dnsLostSince]).toEqual([['dns-trouble', 'back'], undefined]);
    // From now on it is waited for again.
    dns.says = 'dns-trouble';
    await probe(ref('scheduled', NOON + 14 * DAY), NOON + 14 * DAY);
    expect(scans()).toHaveLength(6);
  });

  test('is trouble of ours where DNS does not answer for a name of our own either', async () => {
    const made = await world(KNOWN);
    made.dns.says = 'dns-trouble';
    made.dns.answers = false;
    await made.probe(made.ref('scheduled'));
    const looks = await made.live(NOON + 3 * DAY, 'scheduled');
    expect(looks.slice(0, 3)).toEqual([15, 30, 45].map((minutes) => minutes * MINUTE));
    expect([made.told(), made.scans()]).toEqual([[], []]);
    expect(made.errors).toContain('a scan was put off by trouble on our side');
  });
});
