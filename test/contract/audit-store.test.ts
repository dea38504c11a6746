import { randomBytes } from 'node:crypto';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Effect, effectOf, raise } from '../../shared/domain/change.ts';
import type { Host, HostState } from '../../shared/domain/host.ts';
import { noticesOf, seenIn } from '../../shared/domain/notice.ts';
import type { Judgement } from '../../shared/domain/reason.ts';
import { kindOf, type LegEvidence, type Scan, type ScanKind, scanId } from '../../shared/domain/scan.ts';
import { slotOf } from '../../shared/domain/schedule.ts';
import { dueIds } from '../support/notices.ts';
import {
  AMPLE,
  CLOSED,
  NOON,
  registerSample,
  SUSPECTED,
  sampleArrival,
  sampleCanary,
  sampleHost,
  sampleLeg,
  sampleScan,
} from '../support/samples.ts';
import { startTable, type TestTable } from '../support/table.ts';

const DAY = 24 * 60 * 60_000;
const RULES = { confirmDelayMs: 300_000 };
let now = NOON;
let table: TestTable;

beforeAll(async () => {
  table = await startTable(() => now, 400 * DAY);
});
afterAll(() => table.stop());
beforeEach(() => {
  now = NOON;
});

async function registered(...settingsAndState: Parameters<typeof sampleHost>): Promise<Host> {
  const host = sampleHost(...settingsAndState);
  await registerSample(table.store, host, owedOf(host, 'first', now));
  return host;
}

function owedOf(host: Host, kind: ScanKind, dueAt: number) {
  return { accountId: host.accountId, hostId: host.id, scanId: scanId(dueAt, kind), dueAt, tries: 0 };
}

function store(host: Host, scan: Scan, wasOwed = false) {
  const effect: Effect = effectOf(host, scan, RULES);
  const notices = noticesIn(host, scan, effect);
  return table.store.storeResult({ host, scan, effect, notices, wasOwed });
}

function noticesIn(host: Host, scan: Scan, effect: Effect) {
  if (effect.kind === 'late' || effect.occasion === undefined) return [];
  return noticesOf(host, effect.state, effect.occasion, scan.finishedAt, seenIn(scan, [sampleLeg('accepted')], effect.state.relay));
}

const reread = async (host: Host) => (await table.store.findHost(host.accountId, host.id)) ?? expect.fail('the host is gone');

describe('hosts', () => {
  test('a host, its wheel entry and its first owed scan appear together', async () => {
    const host = await registered();
    expect(await table.store.findHost('account1', host.id)).toEqual(host);
    expect(await table.store.hostsInSlot('hour', slotOf(host.id, 'hour'))).toContainEqual({ accountId: 'account1', hostId: host.id });
    expect((await table.store.owedOf(host.id)).map((owed) => owed.scanId)).toEqual([scanId(NOON, 'first')]);
  });

  test('another account does not find a host', async () => {
    const host = await registered();
    expect(await table.store.findHost('account2', host.id)).toBeUndefined();
  });

  test('an edit of an old revision changes nothing', async () => {
    const host = await registered();
    expect(await table.store.changeSettings(host, { ...host.settings, ports: [2525] })).toMatchObject({ revision: 2 });
    expect(await table.store.changeSettings(host, { ...host.settings, ports: [26] })).toBeUndefined();
    expect((await reread(host)).settings.ports).toEqual([2525]);
  });

  test('a change of period moves the wheel entry', async () => {
    const host = await registered();
    await table.store.changeSettings(host, { ...host.settings, period: 'week' });
    const ids = async (period: 'hour' | 'week') =>
      (await table.store.hostsInSlot(period, slotOf(host.id, period))).map((entry) => entry.hostId);
    expect(await ids('hour')).not.toContain(host.id);
    expect(await ids('week')).toContain(host.id);
  });

  test('an owner’s edit and a scan at the same moment both stand', async () => {
    const host = await registered();
    await table.store.changeSettings(host, { ...host.settings, ports: [2525] });
    expect(await store(host, sampleScan(host, scanId(NOON, 'scheduled'), NOON))).toBe('stored');
    expect(await reread(host)).toMatchObject({ revision: 2, settings: { ports: [2525] }, state: { relay: 'closed' } });
  });

  test('a host is removed as it is now: whoever read it before its period changed reads it again', async () => {
    const host = await registered();
    const edited = await table.store.changeSettings(host, { ...host.settings, period: 'week' });
    expect(await table.store.removeHost(host)).toBe(false);
    expect(edited && (await table.store.removeHost(edited))).toBe(true);
    expect((await table.store.hostsInSlot('week', slotOf(host.id, 'week'))).map((entry) => entry.hostId)).not.toContain(host.id);
  });

  test('of registrations and further ports that were decided upon the same hosts of an account one is made, and nothing of the others', async () => {
    const host = (name: string) => ({ ...sampleHost({ name }), accountId: 'account-of-pairs' });
    const add = (each: Host, hostsVersion?: number) =>
      table.store.registerHost(each, owedOf(each, 'first', now), { ...AMPLE, hostsVersion });
    const version = async () => (await table.store.findAccount('account-of-pairs'))?.hostsVersion;
    await table.store.createAccount({ id: 'account-of-pairs', email: 'pairs@example.org', createdAt: NOON });
    const pair = [host('mail.example.org'), host('mail.example.org')] as const;
    expect((await Promise.all(pair.map((each) => add(each)))).toSorted()).toEqual(['changed', 'registered']);
    const [first, ...others] = (await table.store.listHosts('account-of-pairs', 10)).items;
    expect(others).toEqual([]);
    for (const each of pair) expect(await table.store.owedOf(each.id)).toHaveLength(each.id === first?.id ? 1 : 0);
    expect(await table.store.findAccount('account-of-pairs')).toMatchObject({ hosts: 1 });
    // One that is removed in between leaves as many hosts as there were, and not the same.
    const before = await version();
    await add(host('mx.example.org'), before);
    const second = (await table.store.listHosts('account-of-pairs', 10)).items.find(({ id }) => id !== first?.id);
    await table.store.removeHost(second ?? expect.fail('no second host'));
    expect(await add(host('mx.example.org'), before)).toBe('changed');
    if (first === undefined) return;
    const wider = { ...first.settings, ports: [25, 587] };
    expect(await table.store.changeSettings(first, wider, { hostsVersion: before })).toBeUndefined();
    const now587 = { hostsVersion: await version() };
    expect(await table.store.changeSettings(first, wider, now587)).toMatchObject({ settings: wider });
    expect(await add(host('mx.example.org'), now587.hostsVersion)).toBe('changed');
    expect(await add(host('mx.example.org'), await version())).toBe('registered');
  });

  test('a removed host is off the wheel, and a result that comes late brings nothing of it back', async () => {
    const host = await registered();
    await table.store.removeHost(host);
    expect(await store(host, sampleScan(host, scanId(NOON, 'first'), NOON), true)).toBe('conflict');
    expect(await table.store.findHost('account1', host.id)).toBeUndefined();
    expect((await table.store.hostsInSlot('hour', slotOf(host.id, 'hour'))).map((entry) => entry.hostId)).not.toContain(host.id);
  });

  test('a list comes in pages that hold each host once', async () => {
    const hosts = [];
    for (let i = 0; i < 5; i++) {
      const host = { ...sampleHost(), accountId: 'account-of-five' };
      await registerSample(table.store, host, owedOf(host, 'first', now));
      hosts.push(host.id);
    }
    const first = await table.store.listHosts('account-of-five', 3);
    const second = await table.store.listHosts('account-of-five', 3, first.next);
    expect([...first.items, ...second.items].map((host) => host.id)).toEqual(hosts);
    expect(second.next).toBeUndefined();
  });

  test('an item that is no host is refused on the way in', async () => {
    await table.client.send(
      new PutItemCommand({ TableName: table.name, Item: { pk: { S: 'ACCOUNT#account1' }, sk: { S: 'HOST#broken' } } }),
    );
    await expect(table.store.findHost('account1', 'broken')).rejects.toThrow();
  });
});

describe('the schedule', () => {
  test('the cursor moves only from where it was read', async () => {
    const cursor = await table.store.readCursor();
    expect(await table.store.moveCursor(cursor, 100)).toBe(true);
    expect(await table.store.moveCursor(cursor, 200)).toBe(false);
    expect(await table.store.moveCursor(100, 200)).toBe(true);
    expect(await table.store.moveCursor(100, 300)).toBe(false);
    expect(await table.store.readCursor()).toBe(200);
  });

  test('a scan is owed once, as it was owed first', async () => {
    const host = await registered();
    const owed = owedOf(host, 'on-demand', NOON);
    expect(await table.store.owe(owed)).toBe(true);
    expect(await table.store.owe({ ...owed, dueAt: NOON + 1 })).toBe(false);
    expect(await table.store.findOwed(host.id, owed.scanId)).toMatchObject({ dueAt: NOON });
  });

  test('how many scans of an account wait is told for two minutes after it was noted', async () => {
    expect(await table.store.waitingScans('waits', NOON)).toBe(0);
    await table.store.noteWaiting('waits', 7, NOON);
    expect(await table.store.waitingScans('waits', NOON + 119_999)).toBe(7);
    expect(await table.store.waitingScans('waits', NOON + 120_000)).toBe(0);
    expect(await table.store.waitingScans('waits not', NOON)).toBe(0);
  });

  test('an owed scan is due until its lease begins, and again when that has run out', async () => {
    const host = await registered();
    const due = async (at: number) => (await table.store.dueScans(at, 500)).filter((owed) => owed.hostId === host.id).length;
    expect(await due(NOON)).toBe(1);
    await table.store.leaseScan(owedOf(host, 'first', NOON), NOON + 900_000);
    expect(await due(NOON)).toBe(0);
    expect(await due(NOON + 900_000)).toBe(1);
  });

  test('an owed scan leaves the table with its result, and a lease does not bring it back', async () => {
    const host = await registered();
    await store(host, sampleScan(host, scanId(NOON, 'first'), NOON), true);
    await table.store.leaseScan(owedOf(host, 'first', NOON), NOON + 1);
    expect(await table.store.owedOf(host.id)).toEqual([]);
  });

  test('trouble on our side puts off one scan of a host at a time', async () => {
    const host = await registered();
    const first = { ...owedOf(host, 'on-demand', NOON), tries: 1 };
    expect(await table.store.putOff(host, first, 'dns-trouble')).toBe(true);
    expect(await table.store.putOff(host, { ...owedOf(host, 'on-demand', NOON + 1_000), tries: 1 }, 'dns-trouble')).toBe(false);
    expect(await table.store.findOwed(host.id, first.scanId)).toMatchObject({ tries: 1, trouble: 'dns-trouble' });
    const waits = { since: NOON, troubleSince: NOON + 1, failure: { type: 'AAAA', name: 'mail.example.org', said: 'SERVFAIL' } } as const;
    expect(await table.store.putOff(await reread(host), { ...first, waits }, 'dns-trouble')).toBe(true);
    expect(await table.store.findOwed(host.id, first.scanId)).toMatchObject({ waits });
    await store(await reread(host), sampleScan(host, first.scanId, NOON + 2_000), true);
    expect((await reread(host)).state.putOff).toBeUndefined();
  });
});

describe('a scan that goes on in a later sitting', () => {
  const BEGUN = {
    startedAt: NOON + 1,
    full: false,
    sittings: 1,
    soFar: '=hash',
    left: { reason: 'greylisted', completed: 3, planned: 4 },
  } as const;
  const goingOn = (host: Host, kind: ScanKind = 'scheduled') => ({
    ...owedOf(host, kind, NOON),
    dueAt: NOON + 300_000,
    tries: 1,
    begun: BEGUN,
  });

  test('stays owed with what it found, is refreshed with each sitting, and due', async () => {
    const host = await registered();
    const owed = goingOn(host);
    const other = { ...BEGUN, sittings: 2, soFar: '=other', awaits: { since: NOON, until: NOON + 3_600_000 } };
    expect(await table.store.continueScan(host, owed)).toBe(true);
    expect(await table.store.continueScan(await reread(host), { ...owed, begun: other, tries: 2 })).toBe(true);
    expect(await table.store.findOwed(host.id, owed.scanId)).toEqual({ ...owed, begun: other, tries: 2 });
    const { accountId, scanId: id } = owed;
    expect(await table.store.dueScans(NOON + DAY, 500)).toContainEqual({
      accountId,
      hostId: host.id,
      scanId: id,
      tries: 2,
      dueAt: owed.dueAt,
    });
    expect((await reread(host)).state.putOff).toBe(owed.scanId);
  });

  test('carries no trouble of ours along', async () => {
    const host = await registered();
    const owed = goingOn(host);
    await table.store.putOff(host, owed, 'dns-trouble');
    await table.store.continueScan(host, { ...owed, trouble: 'dns-trouble' });
    expect((await table.store.findOwed(host.id, owed.scanId))?.trouble).toBeUndefined();
  });

  test('is not owed when its result is stored already, or when another of the host waits', async () => {
    const host = await registered();
    await store(host, sampleScan(host, goingOn(host).scanId, NOON));
    expect(await table.store.continueScan(await reread(host), goingOn(host))).toBe(false);
    await table.store.putOff(host, { ...owedOf(host, 'on-demand', NOON), tries: 1 }, 'dns-trouble');
    expect(await table.store.continueScan(host, goingOn(host, 'first'))).toBe(false);
  });

  test('keeps what it found when another delivery, which knows of fewer sittings, is put off', async () => {
    const host = await registered();
    const owed = goingOn(host);
    await table.store.continueScan(host, owed);
    expect(await table.store.putOff(host, { ...owedOf(host, 'scheduled', NOON), tries: 1 }, 'address-busy')).toBe(false);
    expect(await table.store.findOwed(host.id, owed.scanId)).toMatchObject({ begun: BEGUN });
    expect(await table.store.putOff(host, { ...owed, tries: 2 }, 'address-busy')).toBe(true);
  });

  test('is not said to wait any more once it is history, though it began to after its host was read', async () => {
    const host = await registered();
    const owed = goingOn(host);
    const late = { scan: sampleScan(host, owed.scanId, NOON + 1), effect: { kind: 'late' }, notices: [], wasOwed: true } as const;
    await table.store.continueScan(host, owed);
    expect(await table.store.storeResult({ ...late, host })).toBe('conflict');
    expect(await table.store.storeResult({ ...late, host: await reread(host) })).toBe('stored');
    expect((await reread(host)).state.putOff).toBeUndefined();
  });

  test('finds its evidence exactly as it was, canaries and all, however alike an earlier one was', async () => {
    const host = await registered();
    const legs = (canary: string) => [
      { ...sampleLeg('accepted'), tests: sampleLeg('accepted').tests.map((test) => ({ ...test, canary })) },
    ];
    await table.store.keepEvidence(host, legs('first'));
    const hash = await table.store.keepSoFar(host, legs('second'));
    expect(await table.store.readEvidence(host.id, hash)).toEqual(legs('second'));
  });
});

describe('canaries', () => {
  async function expected(host: Host, id: string, scan = sampleScan(host, scanId(NOON, 'scheduled'), NOON)) {
    const canary = sampleCanary(scan, `${host.id}-${id}`);
    await table.store.expectCanary(canary);
    return canary;
  }
  const refOf = (host: Host, at = NOON) => ({ accountId: host.accountId, hostId: host.id, scanId: scanId(at, 'scheduled') });

  test('a canary is found as it was written down, and only once', async () => {
    const canary = await expected(sampleHost(), 'a');
    expect(await table.store.findCanary(canary.id)).toEqual(canary);
    await expect(table.store.expectCanary(canary)).rejects.toThrow();
  });

  test('of many arrivals the first is kept, and every caller hears of that one', async () => {
    const canary = await expected(sampleHost(), 'a');
    const path = [{ from: 'mx.example', address: '192.0.2.9' }];
    const first = { canary: canary.id, leg: canary.leg, test: 'plain', sentAt: canary.sentAt, at: NOON + 2_000, path };
    expect(await table.store.markCanary(canary.id, { at: NOON + 2_000, path })).toEqual(first);
    expect(await table.store.markCanary(canary.id, { at: NOON + 9_000, path: [] })).toEqual(first);
  });

  test('one that is not known cannot be marked, and leaves nothing behind', async () => {
    expect(await table.store.markCanary('never-sent', { at: NOON, path: [] })).toBeUndefined();
    expect(await table.store.findCanary('never-sent')).toBeUndefined();
  });

  test('after seven days one is known no more, deleted or not', async () => {
    const host = sampleHost();
    const canary = await expected(host, 'a');
    await table.store.markCanary(canary.id, { at: NOON, path: [] });
    now = canary.sentAt + 7 * DAY - 1;
    expect(await table.store.findCanary(canary.id)).toBeDefined();
    now += 1;
    expect(await table.store.findCanary(canary.id)).toBeUndefined();
    expect(await table.store.markCanary(canary.id, { at: now, path: [] })).toBeUndefined();
    expect(await table.store.markBounced(canary.id, { at: now })).toBeUndefined();
    expect(await table.store.readReturns(refOf(host), [canary.id])).toEqual({ arrivals: [], bounces: [] });
  });

  test('the arrivals of a scan are those of its own canaries that came back, however many and however often asked for', async () => {
    const host = sampleHost();
    const sent = await Promise.all(Array.from({ length: 120 }, (_, i) => expected(host, `many-${i}`)));
    const others = await expected(host, 'other', sampleScan(host, scanId(NOON + 60_000, 'scheduled'), NOON + 60_000));
    await table.store.markCanary(sent[118]?.id ?? '', { at: NOON + 3_000, path: [] });
    await table.store.markCanary(sent[0]?.id ?? '', { at: NOON + 5_000, path: [] });
    await table.store.markCanary(others.id, { at: NOON + 4_000, path: [] });
    const ids = [...sent.map(({ id }) => id), others.id, sent[0]?.id ?? '', 'never-sent'];
    const { arrivals, bounces } = await table.store.readReturns(refOf(host), ids);
    expect(arrivals.map(({ canary, at }) => [canary, at])).toEqual([
      [sent[118]?.id, NOON + 3_000],
      [sent[0]?.id, NOON + 5_000],
    ]);
    expect(bounces).toEqual([]);
    expect(await table.store.readReturns(refOf(host), [])).toEqual({ arrivals: [], bounces: [] });
  });
});

describe('canaries that were bounced', () => {
  const AT = NOON + 2_000;

  async function sent(host: Host, id: string) {
    const canary = sampleCanary(sampleScan(host, scanId(NOON, 'scheduled'), NOON), `${host.id}-${id}`);
    await table.store.expectCanary(canary);
    return canary;
  }
  const refOf = (host: Host) => ({ accountId: host.accountId, hostId: host.id, scanId: scanId(NOON, 'scheduled') });

  test('are remembered by their first bounce, which every caller hears of', async () => {
    const { id, leg, sentAt } = await sent(sampleHost(), 'a');
    const first = { canary: id, leg, test: 'plain', sentAt, at: AT, by: 'mail.example.org' };
    expect(await table.store.markBounced(id, { at: AT, by: 'mail.example.org' })).toEqual(first);
    expect(await table.store.markBounced(id, { at: AT + 1, by: 'mail.example.net' })).toEqual(first);
  });

  test('may have come back too, before or after: neither is lost', async () => {
    const host = sampleHost();
    const [a, b] = [await sent(host, 'a'), await sent(host, 'b')];
    await table.store.markCanary(a.id, { at: AT, path: [] });
    await table.store.markBounced(a.id, { at: AT + 1 });
    await table.store.markBounced(b.id, { at: AT });
    await table.store.markCanary(b.id, { at: AT + 1, path: [] });
    const { arrivals, bounces } = await table.store.readReturns(refOf(host), [a.id, b.id]);
    expect(arrivals.map(({ canary, at }) => [canary, at])).toEqual([
      [a.id, AT],
      [b.id, AT + 1],
    ]);
    expect(bounces.map(({ canary, at }) => [canary, at])).toEqual([
      [b.id, AT],
      [a.id, AT + 1],
    ]);
  });

  test('and are not known cannot be marked, and leave nothing behind', async () => {
    expect(await table.store.markBounced('never-sent', { at: NOON })).toBeUndefined();
    expect(await table.store.findCanary('never-sent')).toBeUndefined();
  });

  test('are noted in their stored scan, which no older copy of it is written over', async () => {
    const host = await registered();
    const scan = { ...sampleScan(host, scanId(NOON, 'scheduled'), NOON, SUSPECTED), canaries: ['canary'] };
    await store(host, scan);
    const current = await reread(host);
    const bounce = { canary: 'canary', leg: '192.0.2.1:25', test: 'plain', sentAt: NOON, at: AT };
    const { scan: noted, effect } = raise(current, scan, { arrivals: [], bounces: [bounce] });
    expect(await table.store.storeRaised({ host: current, before: scan, scan: noted, effect, notices: [] })).toBe('stored');
    expect(await table.store.findScan(host.id, scan.id)).toEqual({ ...scan, bounces: [bounce] });
    expect(await reread(host)).toEqual(current);
    const { scan: open } = raise(current, scan, { arrivals: [sampleArrival(sampleCanary(scan, 'canary'))], bounces: [] });
    expect(await table.store.storeRaised({ host: current, before: scan, scan: open, effect, notices: [] })).toBe('conflict');
    expect(await store(current, scan)).toBe('conflict');
  });
});

describe('a stored scan that a canary raises', () => {
  async function raisable() {
    const host = await registered({ alertRecipients: ['a@example.org', 'b@example.org'] });
    const scan = { ...sampleScan(host, scanId(NOON, 'scheduled'), NOON, SUSPECTED), canaries: ['canary'] };
    await store(host, scan);
    const current = await reread(host);
    const arrival = sampleArrival(sampleCanary(scan, 'canary'));
    const { scan: open, effect } = raise(current, scan, { arrivals: [arrival], bounces: [] });
    if (effect.kind !== 'changed') return expect.fail('not a change');
    const notices = noticesIn(current, open, effect);
    return { host: current, arrival, raised: { host: current, before: scan, scan: open, effect, notices } };
  }

  test('is stored with the host, the change and its notices, all of them or none', async () => {
    const { host, raised } = await raisable();
    const stale = { ...raised, host: { ...host, state: { ...host.state, version: 99 } } };
    expect(await table.store.storeRaised(stale)).toBe('conflict');
    expect(await table.store.findScan(host.id, raised.scan.id)).toEqual(raised.before);
    expect((await table.store.listChanges(host.id, 50)).items).toEqual([]);
    expect(await table.store.storeRaised(raised)).toBe('stored');
    expect(await table.store.findScan(host.id, raised.scan.id)).toEqual(raised.scan);
    expect((await reread(host)).state.relay).toBe('open');
    expect((await table.store.listChanges(host.id, 50)).items).toMatchObject([{ from: 'unknown', to: 'open' }]);
    expect((await dueIds(table.store, NOON + DAY, 500)).filter((id) => id.startsWith(host.id))).toHaveLength(2);
  });

  test('is a conflict when another canary has raised it since it was read', async () => {
    const { host, raised } = await raisable();
    await table.store.storeRaised(raised);
    const current = await reread(host);
    expect(await table.store.storeRaised({ ...raised, host: current, effect: { kind: 'late' }, notices: [] })).toBe('conflict');
    const again = { ...raised, host: current, before: raised.scan, effect: { kind: 'late' }, notices: [] } as const;
    expect(await table.store.storeRaised(again)).toBe('stored');
  });

  test('that only notes an arrival leaves the host, on the condition that it is still as it was', async () => {
    const { host, raised } = await raisable();
    const noted = { ...raised, effect: { kind: 'late' }, notices: [] } as const;
    expect(await table.store.storeRaised({ ...noted, host: { ...host, state: { ...host.state, version: 99 } } })).toBe('conflict');
    expect(await table.store.storeRaised(noted)).toBe('stored');
    expect(await reread(host)).toEqual(host);
  });

  test('is never made up: a scan that is not stored cannot be raised', async () => {
    const { host, raised } = await raisable();
    const missing = { ...raised.scan, id: scanId(NOON, 'on-demand') };
    expect(await table.store.storeRaised({ ...raised, before: missing, scan: missing })).toBe('conflict');
    expect(await table.store.findScan(host.id, missing.id)).toBeUndefined();
  });

  test('is not written over by whoever stores it a second time', async () => {
    const { host, raised } = await raisable();
    await table.store.storeRaised(raised);
    const again = { host: await reread(host), scan: raised.before, effect: { kind: 'late' }, notices: [], wasOwed: false } as const;
    expect(await table.store.storeResult(again)).toBe('conflict');
    expect(await table.store.findScan(host.id, raised.scan.id)).toEqual(raised.scan);
  });
});

test('a scan whose result is stored is not put off, so that it stands in the way of no other', async () => {
  const host = await registered();
  const ref = { ...owedOf(host, 'scheduled', NOON), tries: 1 };
  await store(host, sampleScan(host, ref.scanId, NOON));
  expect(await table.store.putOff(host, ref, 'dns-trouble')).toBe(false);
  expect((await reread(host)).state.putOff).toBeUndefined();
});

describe('results', () => {
  test('a confirming scan that was overtaken leaves another owed', async () => {
    const host = await registered();
    await store(host, sampleScan(host, scanId(NOON, 'first'), NOON, SUSPECTED), true);
    const [confirming] = await table.store.owedOf(host.id);
    const startedAt = confirming?.dueAt ?? 0;
    const greylisted: Judgement = { ...CLOSED, verdict: 'inconclusive', reason: 'greylisted' };
    await store(await reread(host), sampleScan(host, scanId(startedAt + 1_000, 'on-demand'), startedAt + 1_000, greylisted));
    const late = { ...sampleScan(host, confirming?.scanId ?? '', startedAt, SUSPECTED), kind: 'confirming' as const };
    await store(await reread(host), late, true);
    expect((await table.store.owedOf(host.id)).map((owed) => kindOf(owed.scanId))).toEqual(['confirming']);
    expect((await table.store.owedOf(host.id))[0]?.scanId).not.toBe(confirming?.scanId);
  });

  test('of two results decided on the same state one is stored', async () => {
    const host = await registered();
    expect(await store(host, sampleScan(host, scanId(NOON, 'scheduled'), NOON))).toBe('stored');
    expect(await store(host, sampleScan(host, scanId(NOON, 'on-demand'), NOON + 1_000))).toBe('conflict');
  });

  test('a change, its scan and its notices appear together or not at all', async () => {
    const host = await registered({ alertRecipients: ['a@example.org', 'b@example.org'] });
    await store(host, sampleScan(host, scanId(NOON, 'first'), NOON, SUSPECTED), true);
    const pending = await reread(host);
    const confirming = sampleScan(host, scanId(NOON + 400_000, 'confirming'), NOON + 400_000, SUSPECTED);
    await table.store.changeSettings(pending, pending.settings);
    expect(await store({ ...pending, state: { ...pending.state, version: 7 } }, confirming, true)).toBe('conflict');
    expect((await table.store.listChanges(host.id, 50)).items).toEqual([]);
    expect(await table.store.findScan(host.id, confirming.id)).toBeUndefined();
    expect(await store(pending, confirming, true)).toBe('stored');
    expect((await table.store.listChanges(host.id, 50)).items).toMatchObject([{ from: 'unknown', to: 'suspected' }]);
    const due = (await dueIds(table.store, NOON + DAY, 500)).filter((id) => id.startsWith(host.id));
    expect(due).toHaveLength(2);
  });

  test('an unconfirmed turn owes its confirming scan in the same transaction', async () => {
    const host = await registered();
    await store(host, sampleScan(host, scanId(NOON, 'first'), NOON, SUSPECTED), true);
    expect(await table.store.owedOf(host.id)).toMatchObject([{ scanId: scanId(NOON + 301_000, 'confirming'), dueAt: NOON + 301_000 }]);
  });

  // All that a state can remember of changes, digests, reminders and thirty-two legs.
  async function withEverything(host: Host): Promise<Host> {
    const full: HostState = {
      ...host.state,
      version: host.state.version + 1,
      turns: [1, 2, 3, 4, 5].map((each) => now - each),
      flapping: { toldAt: now, owedAt: now + DAY, changes: 99 },
      reminders: 13,
      closedAt: now,
      lastFull: now,
      shown: `c${'abcdc'.repeat(10)}`,
      sink: true,
      catchAll: true,
      brokenTls: [25, 26, 465, 587],
    };
    now += 1_000;
    const scan = { ...sampleScan(host, scanId(now, 'scheduled'), now), openLegs: host.state.openLegs };
    const effect = { kind: 'unchanged', state: { ...full, last: { id: scan.id, startedAt: now, verdict: 'closed' } } } as const;
    expect(await table.store.storeResult({ host, scan, effect, notices: [], wasOwed: false })).toBe('stored');
    return reread(host);
  }

  test('a scheduled scan that changes nothing costs at most 3 write units, for the largest host with ten served domains too; with a hundred at most 7', async () => {
    const domain = (length: number, first: string) =>
      `${`${first}${'a'.repeat(59)}.`
        .repeat(Math.ceil(length / 61))
        .slice(0, length - 3)
        .replace(/\.$/, 'a')}.de`;
    const largest = {
      name: domain(253, 'm'),
      servedDomains: [domain(153, 'a'), ...'bcdefghij'.split('').map((first) => domain(8, first))],
      ports: [25, 26, 465, 587],
      alertRecipients: ['a', 'b', 'c', 'd', 'e'].map((name) => `${name}-recipient@mail.example.org`),
      controlMailbox: `${'o'.repeat(64)}@${domain(8, 'b')}`,
      webhook: `https://hooks.example.org/${'w'.repeat(36)}`,
      acknowledgedAt: now,
    };
    const { servedDomains, alertRecipients, controlMailbox, webhook } = largest;
    expect([...servedDomains, ...alertRecipients, controlMailbox, webhook].join('').length).toBe(500);
    const room = 2_500 - servedDomains.join('').length;
    const rest = Array.from({ length: 90 }, (_, i) =>
      `${i + 10}`.padEnd(Math.floor(room / 90) + (i < room % 90 ? 1 : 0) - 3, 'm').concat('.de'),
    );
    const most = { ...largest, servedDomains: [...servedDomains, ...rest] };
    expect([most.servedDomains.length, most.servedDomains.join('').length]).toEqual([100, 2_500]);
    const held = most.servedDomains.slice(-10);
    for (const [settings, limit] of [
      [{}, 3],
      [largest, 3],
      [most, 7],
    ] as const) {
      const host = await registered(settings, limit === 3 ? {} : { heldDomains: held });
      const openLegs = Array.from({ length: 32 }, (_, i) => `198.51.100.${200 + i}:2525`);
      for (let i = 0; i < 31; i++) {
        now += 3_600_000;
        const current = i === 1 ? await withEverything(await reread(host)) : await reread(host);
        table.meter.reset();
        const scan = { ...sampleScan(host, scanId(now, 'scheduled'), now), openLegs, ...(limit === 3 ? {} : { servedDomains: held }) };
        const evidence = await table.store.keepEvidence(current, [sampleLeg()]);
        const units = { evidence: table.meter.writeUnits };
        await store(current, { ...scan, evidence });
        if (i > 0) expect(units.evidence).toBe(0);
        if (i > 0) expect(table.meter.writeUnits).toBeGreaterThan(1);
        if (i > 0) expect(table.meter.writeUnits).toBeLessThanOrEqual(limit);
      }
    }
  });

  test('evidence is kept once for the same behaviour, whatever dates and ids the server says, and tokens and costs are ours', async () => {
    const host = await registered();
    const leg = (greeting: string) => [{ ...sampleLeg(), transcript: [`S: ${greeting}`] }];
    const first = await table.store.keepEvidence(host, leg('220 mx ESMTP Exim 4.96 Mon, 01 Jun 2026 12:00:00 +0000'));
    const second = await table.store.keepEvidence(host, leg('220 mx ESMTP Exim 4.96 Tue, 02 Jun 2026 13:10:01 +0000'));
    const other = await table.store.keepEvidence(host, [{ ...sampleLeg('accepted'), transcript: ['S: 220 mx ESMTP Exim 4.96 Tue'] }]);
    expect(second).toBe(first);
    const ours = (token: string) => [`C: Relay-Audit-Token: ra1-${token}`, `C: Message-ID: <ra1-${token}@probe.example>`];
    const sending = (token: string, refusals: number) => [
      {
        ...sampleLeg('accepted'),
        costs: { connections: 1, commands: 1, roundTrips: 1, refusals },
        tests: sampleLeg('accepted').tests.map((test) => ({ ...test, canary: token })),
        transcript: ours(token),
      },
    ];
    const canary = await table.store.keepEvidence(host, sending('abcdefghabcdefgh-ijklmnopijklmnop', 1));
    expect(await table.store.keepEvidence(host, sending('qrstuvwxqrstuvwx-yzabcdefyzabcdef', 2))).toBe(canary);
    expect(await table.store.keepEvidence(host, [{ ...sampleLeg(), transport: 'starttls' }])).not.toBe(
      await table.store.keepEvidence(host, [sampleLeg()]),
    );
    expect(other).not.toBe(first);
    expect(await table.store.readEvidence(host.id, other)).toMatchObject([{ tests: [{ outcome: 'accepted' }, ...Array(18).fill({})] }]);
  });
});

test('evidence is read back with everything that a leg showed, of a finished scan and of one that goes on', async () => {
  const host = await registered();
  const leg: Required<LegEvidence> = {
    ...sampleLeg('accepted'),
    transport: 'starttls',
    offersStarttls: true,
    tls: { version: 'TLSv1', cipher: 'AES128-SHA', subject: 'mx', issuer: 'mx', validTo: 'Nov 25 2026', distrust: 'SELF_SIGNED' },
    injected: '250 injected',
    seesUsAs: '172.18.0.1',
    software: { mta: 'exim', version: '4.96', from: 'greeting' },
    stopped: 'out-of-time',
    greetingName: 'mx.example.org',
    canaries: ['abcdefghabcdefgh'],
    toCarry: 2,
    pace: { greetMs: 35_000, refusalMs: 5_000 },
    noMailbox: true,
    limited: true,
    silentSittings: 1,
    brokenTls: { sittings: 2, why: 'no shared cipher' },
    ended: 'sittings-used-up',
  };
  for (const keep of [table.store.keepEvidence, table.store.keepSoFar])
    expect(await table.store.readEvidence(host.id, await keep(host, [leg]))).toEqual([leg]);
});

describe('evidence of a hostile server', () => {
  test('that no item could hold is stored without its transcripts, and read back', async () => {
    const host = await registered();
    const noise = () => Array.from({ length: 60 }, () => randomBytes(1_000).toString('latin1'));
    const legs = Array.from({ length: 16 }, (_, i) => ({ ...sampleLeg(), port: i + 1, transcript: noise() }));
    const hash = await table.store.keepEvidence(host, legs);
    const kept = await table.store.readEvidence(host.id, hash);
    expect(kept).toHaveLength(16);
    expect(kept?.[0]).toMatchObject({ transcript: ['-- too long to be kept'], tests: legs[0]?.tests });
  });
});

describe('the history', () => {
  async function history(scans: number, judgementOf = (_: number) => CLOSED) {
    const host = await registered();
    for (let i = 0; i < scans; i++) {
      const at = NOON + i * 60_000;
      await table.store.storeResult({
        host,
        scan: sampleScan(host, scanId(at, 'scheduled'), at, judgementOf(i)),
        effect: { kind: 'late' },
        notices: [],
        wasOwed: false,
      });
    }
    now = NOON + scans * 60_000;
    return host;
  }

  test('comes newest first, each scan once, page by page', async () => {
    const host = await history(7);
    const first = await table.store.listScans(host.id, { limit: 4 });
    const second = await table.store.listScans(host.id, { limit: 4, after: first.next });
    const times = [...first.items, ...second.items].map((scan) => scan.startedAt);
    expect(times).toEqual([6, 5, 4, 3, 2, 1, 0].map((i) => NOON + i * 60_000));
    expect(second.next).toBeUndefined();
  });

  test('a filtered page examines at most 200 scans and goes on where it stopped', async () => {
    const host = await history(250, (i) => (i < 20 ? SUSPECTED : CLOSED));
    const first = await table.store.listScans(host.id, { limit: 50, verdicts: ['suspected'] });
    expect(first.items).toEqual([]);
    expect(first.next).toBeDefined();
    const second = await table.store.listScans(host.id, { limit: 50, verdicts: ['suspected'], after: first.next });
    expect(second.items).toHaveLength(20);
    expect(second.next).toBeUndefined();
  });

  test('a page filtered by verdict that is full goes on behind its last scan', async () => {
    const host = await history(12, (i) => (i % 2 === 0 ? SUSPECTED : CLOSED));
    const first = await table.store.listScans(host.id, { limit: 4, verdicts: ['suspected'] });
    const second = await table.store.listScans(host.id, { limit: 4, verdicts: ['suspected'], after: first.next });
    expect([...first.items, ...second.items].map((scan) => (scan.startedAt - NOON) / 60_000)).toEqual([10, 8, 6, 4, 2, 0]);
  });

  test('a page of a time range holds that range, page by page', async () => {
    const host = await history(10);
    const range = { limit: 3, fromMs: NOON + 2 * 60_000, toMs: NOON + 6 * 60_000 };
    const first = await table.store.listScans(host.id, range);
    const second = await table.store.listScans(host.id, { ...range, after: first.next });
    expect([...first.items, ...second.items].map((scan) => (scan.startedAt - NOON) / 60_000)).toEqual([6, 5, 4, 3, 2]);
  });

  test('a range that holds nothing, or lies before what is kept, is an empty page', async () => {
    const host = await history(3);
    expect(await table.store.listScans(host.id, { limit: 3, toMs: NOON - 500 * DAY })).toEqual({ items: [] });
    expect(await table.store.listScans(host.id, { limit: 3, fromMs: NOON + DAY, toMs: NOON })).toEqual({ items: [] });
    const gone = scanId(NOON - 500 * DAY, 'scheduled');
    expect(await table.store.listScans(host.id, { limit: 3, after: gone })).toEqual({ items: [] });
  });

  test('what has expired is not given back, deleted or not', async () => {
    const host = await history(2);
    now = NOON + 400 * DAY + 30_000;
    expect((await table.store.listScans(host.id, { limit: 50 })).items).toHaveLength(1);
    expect(await table.store.findScan(host.id, scanId(NOON, 'scheduled'))).toBeUndefined();
  });
});

describe('notices', () => {
  async function noticeDue(): Promise<string> {
    const host = await registered();
    await store(host, sampleScan(host, scanId(NOON, 'first'), NOON, SUSPECTED), true);
    await store(await reread(host), sampleScan(host, scanId(NOON + 400_000, 'confirming'), NOON + 400_000, SUSPECTED), true);
    now = NOON + 500_000;
    return `${host.id}-0000000002-0`;
  }

  test('a notice is claimed by one of many who try at once', async () => {
    const id = await noticeDue();
    const claims = await Promise.all(Array.from({ length: 10 }, () => table.store.claimNotice(id, now, now + 300_000)));
    expect(claims.filter((claim) => claim !== undefined)).toHaveLength(1);
  });

  test('a claim that runs out can be claimed again', async () => {
    const id = await noticeDue();
    expect(await table.store.claimNotice(id, now, now + 300_000)).toMatchObject({ tries: 1 });
    expect(await table.store.claimNotice(id, now + 299_999, now + 600_000)).toBeUndefined();
    expect(await table.store.claimNotice(id, now + 300_000, now + 600_000)).toMatchObject({ tries: 2 });
  });

  test('a settled notice is neither due nor claimed again', async () => {
    const id = await noticeDue();
    await table.store.claimNotice(id, now, now + 300_000);
    await table.store.settleNotice(id, { outcome: 'sent', messageId: 'message-1' }, now);
    expect(await table.store.claimNotice(id, now + DAY, now + 2 * DAY)).toBeUndefined();
    expect(await dueIds(table.store, now + DAY, 500)).not.toContain(id);
  });

  test('a notice given back is due at its time', async () => {
    const id = await noticeDue();
    await table.store.claimNotice(id, now, now + 300_000);
    await table.store.releaseNotice(id, now + 60_000, 'throttled');
    expect(await dueIds(table.store, now + 59_999, 500)).not.toContain(id);
    expect(await dueIds(table.store, now + 60_000, 500)).toContain(id);
  });

  test('a notice that was never owed cannot be claimed', async () => {
    expect(await table.store.claimNotice('never-was', now, now + 1)).toBeUndefined();
  });
});
