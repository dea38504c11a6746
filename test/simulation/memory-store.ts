import { type Arrival, arrivalOf, type Bounce, bounceOf, type Canary } from '../../shared/domain/canary.ts';
import type { Change, Confirmation } from '../../shared/domain/change.ts';
import type { Host, HostState } from '../../shared/domain/host.ts';
import { groupOf, type Notice, type NoticeOutcome, type NoticeRecord, newsOf } from '../../shared/domain/notice.ts';
import type { LegEvidence, OwedScan, Scan } from '../../shared/domain/scan.ts';
import type { Span } from '../../shared/domain/timeline.ts';
import type { AuditStore, RaisedResult, Result } from '../../shared/store/audit-store.ts';

const WEAKER: Partial<Record<NoticeOutcome, readonly NoticeOutcome[]>> = {
  delivered: ['sent'],
  rejected: ['sent'],
  bounced: ['sent', 'delivered'],
  complained: ['sent', 'delivered', 'bounced'],
};

/** The methods of the store that the way of an alert takes. */
export type SimulatedStore = Pick<
  AuditStore,
  | 'registerHost'
  | 'findHost'
  | 'changeSettings'
  | 'removeHost'
  | 'findAccount'
  | 'confirmedRecipients'
  | 'mailStops'
  | 'readCursor'
  | 'moveCursor'
  | 'hostsInSlot'
  | 'owe'
  | 'findOwed'
  | 'dueScans'
  | 'noteWaiting'
  | 'leaseScan'
  | 'putOff'
  | 'continueScan'
  | 'dropOwed'
  | 'noteProgress'
  | 'listSpans'
  | 'dueErasures'
  | 'keepEvidence'
  | 'keepSoFar'
  | 'readEvidence'
  | 'findScan'
  | 'storeResult'
  | 'storeRaised'
  | 'listChanges'
  | 'expectCanary'
  | 'findCanary'
  | 'markCanary'
  | 'markBounced'
  | 'readReturns'
  | 'dueDigests'
  | 'storeDigest'
  | 'dropDigest'
  | 'storeTold'
  | 'dueMails'
  | 'dueWebhooks'
  | 'claimNotice'
  | 'settleNotice'
  | 'noteDelivery'
  | 'releaseNotice'
  | 'findNotice'
  | 'openAlertWindow'
  | 'joinGroup'
  | 'stopMail'
>;

/**
 * The store in memory, with the conditions of the one on DynamoDB and nothing else. Each method is one step, but for the one that
 * makes two requests: `between` is called there. It is checked against the real one by `memory-store.test.ts`.
 */
export function memoryStore(clock: () => number, between: (step: string) => Promise<void> = async () => {}, checksVersion = true) {
  const hosts = new Map<string, Host>();
  const scans = new Map<string, Scan>();
  const owed = new Map<string, OwedScan>();
  const changes = new Map<string, Change>();
  const notices = new Map<string, NoticeRecord>();
  const digests = new Map<string, { accountId: string; hostId: string; dueAt: number }>();
  const windows = new Map<string, { hostId: string; until: number }>();
  const canaries = new Map<string, { canary: Canary; arrival?: Pick<Arrival, 'at' | 'path'>; bounce?: Pick<Bounce, 'at' | 'by'> }>();
  const evidence = new Map<string, readonly LegEvidence[]>();
  const spans = new Map<string, Span[]>();
  const stops = new Map<string, 'bounced' | 'complained'>();
  let cursor: number | undefined;

  const scanKey = (hostId: string, id: string) => `${hostId} ${id}`;
  const sameVersion = (host: Host) => hosts.get(host.id)?.state.version === host.state.version;
  const putSpan = (host: Host, span: Span | undefined) => {
    if (span !== undefined) spans.set(host.id, [...(spans.get(host.id) ?? []), span]);
  };
  const setState = (host: Host, state: HostState) => {
    const current = hosts.get(host.id);
    if (current !== undefined) hosts.set(host.id, { ...current, state });
  };
  const sameScan = (scan: Scan, mustExist: boolean, { arrivals, bounces }: Scan = scan) => {
    const there = scans.get(scanKey(scan.hostId, scan.id));
    if (there === undefined) return !mustExist;
    const same = there.arrivals?.length === arrivals?.length && there.bounces?.length === bounces?.length;
    return there.startedAt === scan.startedAt && same;
  };
  const put = (scan: Scan) => void scans.set(scanKey(scan.hostId, scan.id), scan);
  const owe = (each: OwedScan) => void owed.set(scanKey(each.hostId, each.scanId), each);
  const setPutOff = (host: Host, putOff: string | undefined) => {
    const { version } = host.state;
    hosts.set(host.id, { ...host, state: { ...host.state, version: version + 1, putOff } });
  };
  const keepWaiting = (hostId: string, each: OwedScan) => {
    const current = hosts.get(hostId);
    const waits = current?.state.putOff ?? each.scanId;
    if (current === undefined || waits !== each.scanId || scans.has(scanKey(hostId, each.scanId))) return false;
    setPutOff(current, each.scanId);
    owe(each);
    return true;
  };
  const putNotices = (all: readonly Notice[]) => {
    for (const notice of all) notices.set(notice.id, { notice, tries: 0, dueAt: notice.owedAt });
  };
  const putNews = (host: Host, state: HostState, all: readonly Notice[]) => {
    putNotices(all);
    const dueAt = host.state.flapping?.owedAt === undefined ? state.flapping?.owedAt : undefined;
    if (dueAt !== undefined) digests.set(host.id, { accountId: host.accountId, hostId: host.id, dueAt });
  };
  const due = <T extends { dueAt?: number | undefined }>(all: Iterable<T>, now: number, limit: number) =>
    [...all]
      .flatMap((each) => (each.dueAt === undefined || each.dueAt > now ? [] : [{ each, dueAt: each.dueAt }]))
      .toSorted((a, b) => a.dueAt - b.dueAt)
      .slice(0, limit)
      .map(({ each }) => each);
  const settle = (id: string, outcome: NoticeOutcome, why?: string) => {
    const there = notices.get(id);
    if (there?.dueAt === undefined) return false;
    const { notice, tries } = there;
    notices.set(id, { notice, tries, outcome, settledAt: clock(), why: why ?? there.why });
    return true;
  };

  async function storePlain({ host, scan, span }: Result, state: HostState) {
    if (!sameScan(scan, false)) return 'conflict' as const;
    put(scan);
    putSpan(host, span);
    await between('storePlain');
    if (checksVersion && !sameVersion(host)) return 'conflict' as const;
    setState(host, state);
    return 'stored' as const;
  }

  function storeLate({ host, scan, wasOwed }: Result, again: Confirmation | undefined) {
    const current = hosts.get(host.id);
    const waits = host.state.putOff === scan.id;
    if (!sameScan(scan, false) || ((waits || wasOwed) && waits !== (current?.state.putOff === scan.id))) return 'conflict' as const;
    put(scan);
    if (wasOwed) owed.delete(scanKey(host.id, scan.id));
    if (waits && current !== undefined) setPutOff(current, undefined);
    if (again !== undefined) owe({ accountId: host.accountId, hostId: host.id, ...again, tries: 0 });
    return 'stored' as const;
  }

  function storeTogether({ host, scan, effect, notices: told, wasOwed, span }: Result, state: HostState) {
    if (!sameVersion(host) || !sameScan(scan, false)) return 'conflict' as const;
    putSpan(host, span);
    setState(host, state);
    put(scan);
    if (wasOwed) owed.delete(scanKey(host.id, scan.id));
    if (effect.kind === 'unchanged' && effect.owed !== undefined)
      owe({ accountId: host.accountId, hostId: host.id, ...effect.owed, tries: 0 });
    if (effect.kind === 'changed') changes.set(`${host.id} ${effect.change.version}`, effect.change);
    putNews(host, state, told);
    return 'stored' as const;
  }

  const store: SimulatedStore = {
    async registerHost(host, first) {
      hosts.set(host.id, host);
      owe(first);
      return 'registered';
    },
    findHost: async (_accountId, hostId) => hosts.get(hostId),
    async changeSettings(host, settings) {
      const current = hosts.get(host.id);
      if (current?.revision !== host.revision) return undefined;
      const revision = host.revision + 1;
      hosts.set(host.id, { ...current, settings, revision });
      return { ...host, settings, revision };
    },
    removeHost: async ({ id, revision }) => hosts.get(id)?.revision === revision && hosts.delete(id),
    findAccount: async (id) => ({ id, email: 'owner@example.org', createdAt: 0 }),
    confirmedRecipients: async (_accountId, emails) => [...emails],
    mailStops: async (_accountId, emails) => emails.flatMap((email) => [stops.get(email)].flatMap((why) => (why ? [{ email, why }] : []))),
    stopMail: async (email, why) => void stops.set(email, why),
    readCursor: async () => cursor,
    async moveCursor(from, to) {
      if (cursor !== from) return false;
      cursor = to;
      return true;
    },
    hostsInSlot: async () => [],
    async owe(each) {
      if (owed.has(scanKey(each.hostId, each.scanId))) return false;
      owe(each);
      return true;
    },
    findOwed: async (hostId, scanId) => owed.get(scanKey(hostId, scanId)),
    noteWaiting: async () => {},
    dueScans: async (now, limit) => due(owed.values(), now, limit),
    async leaseScan({ hostId, scanId }, until) {
      const there = owed.get(scanKey(hostId, scanId));
      if (there !== undefined) owe({ ...there, dueAt: until });
    },
    async putOff(host, each, trouble) {
      const had = owed.get(scanKey(each.hostId, each.scanId))?.begun?.sittings ?? 0;
      return had <= (each.begun?.sittings ?? 0) && keepWaiting(host.id, { ...each, trouble });
    },
    continueScan: async (host, each) => keepWaiting(host.id, { ...each, trouble: undefined }),
    dropOwed: async ({ hostId, scanId }) => void owed.delete(scanKey(hostId, scanId)),
    async noteProgress({ hostId, scanId }, underWay) {
      const there = owed.get(scanKey(hostId, scanId));
      if (there !== undefined) owe({ ...there, underWay });
    },
    listSpans: async (hostId, limit) => (spans.get(hostId) ?? []).toSorted((a, b) => b.from - a.from).slice(0, limit),
    dueErasures: async () => [],
    async keepEvidence(host, legs) {
      const hash = JSON.stringify(legs.map(({ tests, canaries: sent }) => [tests.map(({ outcome }) => outcome), sent]));
      evidence.set(`${host.id} ${hash}`, legs);
      return hash;
    },
    async keepSoFar(host, legs) {
      const hash = `=${JSON.stringify(legs)}`;
      evidence.set(`${host.id} ${hash}`, legs);
      return hash;
    },
    readEvidence: async (hostId, hash) => [...(evidence.get(`${hostId} ${hash}`) ?? [])],
    findScan: async (hostId, scanId) => scans.get(scanKey(hostId, scanId)),
    async storeResult(result) {
      const { effect, notices: told, wasOwed } = result;
      if (effect.kind === 'late') return storeLate(result, effect.owed);
      const plain = effect.kind === 'unchanged' && effect.owed === undefined && told.length === 0 && !wasOwed;
      return plain ? storePlain(result, effect.state) : storeTogether(result, effect.state);
    },
    async storeRaised({ host, before, scan, effect, notices: told, span }: RaisedResult) {
      if (!sameVersion(host) || !sameScan(scan, true, before)) return 'conflict';
      put(scan);
      putSpan(host, span);
      if (effect.kind === 'late') return 'stored';
      setState(host, effect.state);
      if (effect.kind === 'changed') changes.set(`${host.id} ${effect.change.version}`, effect.change);
      putNews(host, effect.state, told);
      return 'stored';
    },
    async listChanges(hostId) {
      return { items: [...changes.values()].filter((change) => change.hostId === hostId).toSorted((a, b) => b.version - a.version) };
    },
    async expectCanary(canary) {
      if (canaries.has(canary.id)) throw new Error('ConditionalCheckFailed');
      canaries.set(canary.id, { canary });
    },
    findCanary: async (id) => canaries.get(id)?.canary,
    async markCanary(id, arrived) {
      const there = canaries.get(id);
      if (there === undefined) return undefined;
      there.arrival ??= arrived;
      return arrivalOf(there.canary, there.arrival);
    },
    async markBounced(id, bounced) {
      const there = canaries.get(id);
      if (there === undefined) return undefined;
      there.bounce ??= bounced;
      return bounceOf(there.canary, there.bounce);
    },
    async readReturns({ hostId, scanId }, ids) {
      const all = ids.flatMap((id) => canaries.get(id) ?? []);
      const ours = all.filter(({ canary }) => canary.hostId === hostId && canary.scanId === scanId);
      return {
        arrivals: ours.flatMap(({ canary, arrival }) => (arrival === undefined ? [] : [arrivalOf(canary, arrival)])),
        bounces: ours.flatMap(({ canary, bounce }) => (bounce === undefined ? [] : [bounceOf(canary, bounce)])),
      };
    },
    dueDigests: async (now, limit) => due(digests.values(), now, limit).map(({ accountId, hostId }) => ({ accountId, hostId })),
    async storeDigest({ host, state, notices: told }) {
      if (!sameVersion(host)) return 'conflict';
      setState(host, state);
      digests.delete(host.id);
      putNotices(told);
      return 'stored';
    },
    async storeTold({ host, state, notices: told }) {
      if (!sameVersion(host)) return 'conflict';
      setState(host, state);
      putNotices(told);
      return 'stored';
    },
    async dropDigest(hostId, now) {
      const there = digests.get(hostId);
      if (there !== undefined && there.dueAt <= now) digests.delete(hostId);
    },
    async dueMails(now, limit) {
      const mails = [...notices.values()].filter(({ notice }) => notice.channel === 'mail');
      return due(mails, now, limit).map(({ notice }) => notice.id);
    },
    async dueWebhooks(now, limit) {
      const calls = [...notices.values()].flatMap(({ notice, ...rest }) => (notice.channel === 'webhook' ? [{ notice, ...rest }] : []));
      return due(calls, now, limit).map(({ notice: { id, accountId, hostId } }) => ({ id, accountId, hostId }));
    },
    async claimNotice(id, now, until) {
      const there = notices.get(id);
      if (there?.dueAt === undefined || there.dueAt > now) return undefined;
      const claimed = { ...there, dueAt: until, tries: there.tries + 1 };
      notices.set(id, claimed);
      return { notice: claimed.notice, tries: claimed.tries };
    },
    settleNotice: async (id, { outcome, why }) => settle(id, outcome, why),
    async noteDelivery(id, outcome) {
      const there = notices.get(id);
      if (there?.outcome !== undefined && WEAKER[outcome]?.includes(there.outcome)) notices.set(id, { ...there, outcome });
    },
    async releaseNotice(id, dueAt, why, tried = true) {
      const there = notices.get(id);
      if (there?.dueAt !== undefined) notices.set(id, { ...there, dueAt, why, tries: there.tries - (tried ? 0 : 1) });
    },
    async findNotice(id): Promise<NoticeRecord | undefined> {
      const there = notices.get(id);
      return there === undefined ? undefined : { ...there };
    },
    async openAlertWindow({ accountId, recipient, hostId, now, until }) {
      const key = `${accountId} ${recipient}`;
      const there = windows.get(key);
      if (there !== undefined && there.until > now) return there;
      windows.set(key, { hostId, until });
      return { hostId, until };
    },
    async joinGroup(notice, groupId, dueAt, now) {
      if (notices.get(notice.id)?.dueAt === undefined) return false;
      const group = notices.get(groupId);
      if (group === undefined) notices.set(groupId, { notice: groupOf(notice, groupId, now), tries: 0, dueAt });
      else if (group.notice.about !== 'hosts' || group.tries > 0) return false;
      else notices.set(groupId, { ...group, notice: { ...group.notice, hosts: [...group.notice.hosts, newsOf(notice)] } });
      return settle(notice.id, 'grouped', groupId);
    },
  };
  return {
    store,
    /** What is in it, for whoever judges a run. */
    all: () => ({
      hosts: [...hosts.values()],
      scans: [...scans.values()],
      changes: [...changes.values()],
      notices: [...notices.values()],
      marked: [...canaries.values()].filter(({ arrival }) => arrival !== undefined),
      owed: [...owed.values()],
    }),
    /** When the next of what waits is due; undefined when nothing waits. */
    nextDue(): number | undefined {
      const times = [...owed.values(), ...notices.values(), ...digests.values()].flatMap(({ dueAt }) => dueAt ?? []);
      return times.length === 0 ? undefined : Math.max(clock(), Math.min(...times));
    },
  };
}
