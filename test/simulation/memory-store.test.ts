import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Host } from '../../shared/domain/host.ts';
import { type MailNotice, noticesOf } from '../../shared/domain/notice.ts';
import { dueIds, mailsAmong } from '../support/notices.ts';
import { NOON, registerSample, sampleHost, sampleScan } from '../support/samples.ts';
import { runs } from '../support/searches.ts';
import { startTable, type TestTable } from '../support/table.ts';
import { memoryStore, type SimulatedStore } from './memory-store.ts';

const RUNS = runs(20, 60);
let table: TestTable;
let count = 0;

beforeAll(async () => {
  table = await startTable(() => NOON, 1_000_000_000_000);
});
afterAll(() => table.stop());

const which = fc.nat(2);
const at = fc.nat(20).map((minutes) => NOON + minutes * 60_000);
const outcome = fc.constantFrom('sent', 'delivered', 'bounced', 'complained', 'rejected', 'withheld' as const);

const command = fc.oneof(
  fc.record({ do: fc.constant('claim' as const), which, at }),
  fc.record({ do: fc.constant('settle' as const), which, at, outcome }),
  fc.record({
    do: fc.constant('news' as const),
    which,
    outcome: fc.constantFrom('delivered', 'bounced', 'complained', 'rejected' as const),
  }),
  fc.record({ do: fc.constant('release' as const), which, at, tried: fc.boolean() }),
  fc.record({ do: fc.constant('join' as const), which, at, group: fc.nat(1) }),
  fc.record({ do: fc.constant('window' as const), which, at }),
  fc.record({ do: fc.constant('claim group' as const), group: fc.nat(1), at }),
  fc.record({ do: fc.constant('store' as const), stale: fc.boolean(), told: fc.boolean(), owed: fc.boolean() }),
  fc.record({ do: fc.constant('digest' as const), stale: fc.boolean(), at }),
  fc.record({ do: fc.constant('drop digest' as const), at }),
  fc.record({ do: fc.constant('go on' as const), which, at, sittings: fc.nat(2), waits: fc.boolean() }),
  fc.record({ do: fc.constant('put off' as const), which, at, sittings: fc.option(fc.nat(2), { nil: undefined }) }),
  fc.record({ do: fc.constant('late' as const), which, stale: fc.boolean(), wasOwed: fc.boolean() }),
  fc.record({ do: fc.constant('lease' as const), which, at }),
  fc.record({ do: fc.constant('edit' as const), stale: fc.boolean() }),
);

type Command = Parameters<Parameters<typeof fc.property<[typeof command extends fc.Arbitrary<infer T> ? T : never]>>[1]>[0];

const begunAfter = (sittings: number) => ({ startedAt: NOON, full: true, sittings, soFar: '=hash' });

// Few, so that they meet.
const waitingId = (index: number) => `20260601T14000${index}Z-on-demand`;

/** Does what a command says of scans that wait. `first` is the host as it was registered. */
async function applyWaiting(store: SimulatedStore, first: Host, current: Host, each: Command): Promise<unknown> {
  const { accountId, id: hostId } = current;
  const ref = { accountId, hostId, scanId: waitingId('which' in each ? each.which : 0) };
  switch (each.do) {
    case 'go on': {
      const awaits = each.waits ? { since: NOON, until: each.at } : undefined;
      return store.continueScan(current, { ...ref, dueAt: each.at, tries: 0, begun: { ...begunAfter(each.sittings), awaits } });
    }
    case 'put off':
      return store.putOff(
        current,
        { ...ref, dueAt: each.at, tries: 1, begun: each.sittings === undefined ? undefined : begunAfter(each.sittings) },
        'dns-trouble',
      );
    case 'lease':
      await store.leaseScan(ref, each.at);
      return store.findOwed(hostId, ref.scanId);
    case 'late': {
      const host = each.stale ? first : current;
      const scan = sampleScan(host, ref.scanId, NOON);
      return store.storeResult({ host, scan, effect: { kind: 'late' }, notices: [], wasOwed: each.wasOwed });
    }
    case 'edit':
      return (await store.changeSettings(each.stale ? first : current, { ...current.settings, ports: [25, 465] }))?.revision;
  }
}

/** Does what a command says to a store, and gives what there is to see of it. */
async function apply(store: SimulatedStore, host: Host, notices: readonly MailNotice[], each: Command, step: number): Promise<unknown> {
  const notice = 'which' in each ? notices[each.which] : notices[0];
  if (notice === undefined) throw new Error('no notice');
  const groupOf = (group: number) => `${host.id}-group-${group}`;
  const current = await store.findHost(host.accountId, host.id);
  if (current === undefined) throw new Error('no host');
  switch (each.do) {
    case 'claim':
      return store.claimNotice(notice.id, each.at, each.at + 300_000);
    case 'claim group':
      return store.claimNotice(groupOf(each.group), each.at, each.at + 300_000);
    case 'settle':
      return store.settleNotice(notice.id, { outcome: each.outcome }, NOON);
    case 'news':
      return store.noteDelivery(notice.id, each.outcome);
    case 'release':
      return store.releaseNotice(notice.id, each.at, 'why', each.tried);
    case 'join':
      return store.joinGroup(notice, groupOf(each.group), each.at, NOON);
    case 'window':
      return store.openAlertWindow({
        accountId: host.id,
        recipient: 'a@example.org',
        hostId: notice.id,
        now: each.at,
        until: each.at + 600_000,
      });
    case 'drop digest':
      return store.dropDigest(host.id, each.at);
    case 'digest': {
      const from = each.stale ? { ...current, state: { ...current.state, version: 99 } } : current;
      return store.storeDigest({
        host: from,
        state: { ...current.state, version: current.state.version + 1, flapping: undefined },
        notices: [],
      });
    }
    case 'store': {
      const from = each.stale ? { ...current, state: { ...current.state, version: 99 } } : current;
      const version = current.state.version + 1;
      const flapping = each.told ? { toldAt: NOON, owedAt: NOON + 600_000, changes: 1 } : current.state.flapping;
      const state = { ...current.state, version, flapping };
      const scan = sampleScan(host, `20260601T12${String(step).padStart(4, '0')}Z-scheduled`, NOON + step);
      const owed = each.owed ? { scanId: `20260601T13${String(step).padStart(4, '0')}Z-confirming`, dueAt: NOON } : undefined;
      const told = each.told ? noticesOf(from, state, { kind: 'reminder', count: 1 }, NOON) : [];
      return store.storeResult({ host: from, scan, effect: { kind: 'unchanged', state, owed }, notices: told, wasOwed: false });
    }
    default:
      return applyWaiting(store, host, current, each);
  }
}

/** All that is to be seen of a host and its notices. */
async function seen(store: SimulatedStore, host: Host, notices: readonly MailNotice[]): Promise<unknown> {
  const late = NOON + 100 * 600_000;
  const records = await Promise.all(notices.map(({ id }) => store.findNotice(id)));
  return {
    host: await store.findHost(host.accountId, host.id),
    notices: records.map((record) => ({ tries: record?.tries, dueAt: record?.dueAt, outcome: record?.outcome, why: record?.why })),
    due: (await dueIds(store, late, 1_000)).filter((id) => id.startsWith(host.id)).toSorted(),
    owed: (await store.dueScans(late, 1_000))
      .filter(({ hostId }) => hostId === host.id)
      .map(({ scanId }) => scanId)
      .toSorted(),
    digest: (await store.dueDigests(late, 1_000)).filter(({ hostId }) => hostId === host.id),
  };
}

test('the store of the simulation answers and keeps as the real one does, whatever is asked of it', async () => {
  const property = fc.asyncProperty(fc.array(command, { minLength: 5, maxLength: 25 }), async (commands) => {
    count++;
    const host = sampleHost({ alertRecipients: ['a@example.org', 'b@example.org', 'c@example.org'] });
    const memory = memoryStore(() => NOON).store;
    const stores: readonly SimulatedStore[] = [memory, table.store];
    const notices = mailsAmong(noticesOf(host, { ...host.state, version: 1 }, { kind: 'reminder', count: 1 }, NOON));
    for (const store of stores) {
      await registerSample(store, host, {
        accountId: host.accountId,
        hostId: host.id,
        scanId: `20260601T120000Z-first`,
        dueAt: NOON,
        tries: 0,
      });
      const state = { ...host.state, version: 1 };
      const scan = sampleScan(host, '20260601T120000Z-scheduled', NOON);
      await store.storeResult({ host, scan, effect: { kind: 'unchanged', state }, notices, wasOwed: false });
    }
    for (const [step, each] of commands.entries()) {
      const answers = await Promise.all(stores.map((store) => apply(store, host, notices, each, step + 1)));
      expect(plain(answers[0])).toEqual(plain(answers[1]));
    }
    expect(plain(await seen(memory, host, notices))).toEqual(plain(await seen(table.store, host, notices)));
  });
  await fc.assert(property, { numRuns: RUNS, seed: 20_261_125 });
  expect(count).toBe(RUNS);
}, 120_000);

// Without what is undefined, which the table does not keep.
function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
