import { dispatch } from '../../functions/dispatch/dispatch.ts';
import { notify } from '../../functions/notify/notify.ts';
import { type Gate, permitHost, type TakeTurn } from '../../functions/probe/permit-host.ts';
import { probeScans } from '../../functions/probe/probe-scans.ts';
import { turnsOf } from '../../functions/probe/turns.ts';
import { parseAddress } from '../../shared/domain/address.ts';
import type { Host } from '../../shared/domain/host.ts';
import { speaksFor } from '../../shared/domain/presence.ts';
import type { ScanRef } from '../../shared/domain/scan.ts';
import { tickOf } from '../../shared/domain/schedule.ts';
import type { Found, Lookups } from '../../shared/network/lookups.ts';
import { consentToken } from '../../shared/runtime/consent-token.ts';
import { formToken, sealSession } from '../../shared/runtime/session-token.ts';
import { type ApiOnTable, startApi } from '../support/api-on-table.ts';
import { type KnownBytes, knowBytes } from '../support/known-bytes.ts';
import { type Pages, pagesOn, SECRETS } from '../support/pages.ts';
import { QUIET_PROBING } from '../support/probing.ts';
import { NOON, sampleLeg } from '../support/samples.ts';
import type { startTable } from '../support/table.ts';
import type { Meter } from '../support/test-table.ts';

const MINUTE = 60_000;
const PACE_MS = 3_000; // longer is a time-out
const DAY = 24 * 60 * MINUTE;

/** One of the two who have accounts, with what they know. */
export type Party = {
  readonly accountId: string;
  readonly email: string;
  readonly key: string;
  readonly stream: { readonly name: string; drawn: number };
  /** The session of its browser, which begins with the account. */
  readonly cookie: string;
  readonly form: string;
  readonly hosts: { readonly id: string; readonly name: string }[];
};

/** What comes with a request beside its body: where from, and headers, of which none says where from. */
export type Beside = { readonly sourceIp?: string; readonly headers?: Record<string, string> };

/** A world of the service, of which the watcher writes down every byte that it is told, and all work that is done for it. */
export type SilentWorld = {
  readonly api: ApiOnTable;
  readonly pages: Pages;
  /** What the watcher's zone says, and what its names lead to beside its own addresses. */
  readonly zone: { says: 'token' | 'nothing' | 'deny' | 'trouble'; readonly leads: Map<string, readonly string[]> };
  readonly told: string[];
  watcher: Party;
  owner: Party;
  /** Begins a new day, with new accounts of both. */
  begin(seed: number): Promise<void>;
  /** Opens the account of a party anew, after it was deleted. */
  reopen(who: 'owner' | 'watcher'): Promise<void>;
  /** A request of a party; the watcher's answers are written down, with their work. */
  ask(
    party: Party,
    method: string,
    path: string,
    body?: object,
    beside?: Beside,
  ): Promise<{ readonly status: number; readonly body: unknown }>;
  /** A page that a party reads, or a form that it sends when there are fields, with the same written down. */
  browse(party: Party, path: string, fields?: Record<string, string>, beside?: Beside): Promise<void>;
  /** An opt-out of a party's: of its answer every byte, not its work, whose time is evened out. */
  optOut(party: Party, target: string): Promise<void>;
  /** Some minutes pass, and at their end dispatch, with all the scans and notices that it sends. */
  later(minutes: number): Promise<void>;
};

/** The names and addresses of the two, by the number of a server. */
export const nameOf = (who: 'owner' | 'watcher', number: number) => `mx${number}.${who}-mail.com`;
export const addressOf = (who: 'owner' | 'watcher', number: number) => `185.${who === 'owner' ? 1 : 6}.1.${number + 1}`;

/** Plays on two worlds that are alike, each on a table of its own. Chance and pauses of this process are taken over for as long. */
export async function onWorlds(
  starts: readonly [typeof startTable, typeof startTable],
  play: (one: SilentWorld, other: SilentWorld) => Promise<void>,
): Promise<void> {
  const bytes = knowBytes();
  const [one, other] = [await startSilent(bytes, starts[0]), await startSilent(bytes, starts[1])];
  const { setTimeout: real } = globalThis;
  // What is waited between two questions of DNS is no time here: the worlds have a clock of their own.
  globalThis.setTimeout = ((then: () => void, ms = 0) =>
    ms < PACE_MS ? setImmediate(then) : real(then, ms)) as unknown as typeof setTimeout;
  try {
    await play(one, other);
  } finally {
    globalThis.setTimeout = real;
    bytes.putBack();
    await Promise.all([one.api.stop(), other.api.stop()]);
  }
}

async function startSilent(bytes: KnownBytes, start: typeof startTable): Promise<SilentWorld> {
  const work = { questions: 0 };
  const lookups = lookupsOf(
    () => world,
    () => work.questions++,
  );
  const api = await startApi({ lookups, secrets: SECRETS, tokenOf: (accountId) => consentToken(SECRETS, accountId) }, start);
  const pages = pagesOn(api.table.store, () => api.now, { lookups });
  let opened = 0;
  const open = async (who: 'owner' | 'watcher') => {
    world[who] = await openAccount(world, bytes, `${who} ${opened}`, `${who}-${opened}@${who === 'owner' ? 'example.org' : 'example.net'}`);
  };
  const world: SilentWorld = {
    api,
    pages,
    zone: { says: 'token', leads: new Map() },
    told: [],
    watcher: undefined as never,
    owner: undefined as never,
    async begin(seed) {
      api.now = NOON + seed * DAY;
      world.told.length = 0;
      world.zone.leads.clear();
      world.zone.says = 'token';
      // The schedule begins now: the day between is not caught up on.
      await api.services.store.moveCursor(await api.services.store.readCursor(), tickOf(api.now));
      opened = seed * 100;
      await open('owner');
      await open('watcher');
    },
    async reopen(who) {
      // Whichever of the two goes, the other's next account has the same name in both worlds.
      const { email, stream } = world[who];
      world[who] = await openAccount(world, bytes, `${stream.name}'`, email);
    },
    ...askingIn(() => world, bytes, work),
    async later(minutes) {
      api.now += minutes * MINUTE;
      await tick(world, lookups, () => work.questions);
    },
  };
  return world;
}

async function openAccount({ api, pages }: SilentWorld, bytes: KnownBytes, name: string, email: string): Promise<Party> {
  const stream = { name, drawn: 0 };
  const { accountId, key } = await bytes.as(stream, () => api.account(email));
  const session = { accountId, sessionId: name.replaceAll(/\W/g, '_') };
  await pages.services.store.startSession({ ...session, id: session.sessionId, email, startedAt: api.now, until: api.now + DAY });
  const cookie = `__Host-relay-audit=${sealSession(SECRETS, session)}`;
  return { accountId, email, key, stream, cookie, form: formToken(SECRETS, session), hosts: [] };
}

type Asking = Pick<SilentWorld, 'ask' | 'browse' | 'optOut'>;

function askingIn(worldOf: () => SilentWorld, bytes: KnownBytes, work: { questions: number }): Asking {
  // Of the watcher's requests all is written down: what was asked, the answer, and the work.
  const noted = async <T>(party: Party, asked: object, request: () => Promise<T>): Promise<T> => {
    const { api, watcher, owner, told } = worldOf();
    const { meter } = api.table;
    meter.reset();
    work.questions = 0;
    const answer = await bytes.as(party.stream, request);
    await settled(meter);
    const cost = { requests: meter.requests, reads: meter.readUnits, writes: meter.writeUnits, questions: work.questions };
    // What the owner's zone says is public, whoever reads it; which of their accounts it names is not what this is about.
    const isPublic = api.services.tokenOf(owner.accountId) ?? '';
    if (party === watcher) told.push(JSON.stringify({ ...asked, answer, cost }).replaceAll(isPublic, 'the token of another'));
    return answer;
  };
  return {
    ask(party, method, path, body, { sourceIp = sourceOf(party), headers = {} } = {}) {
      const asked = { key: party.key, sourceIp, headers, ...(body === undefined ? {} : { body }) };
      return noted(party, { method, path, ...asked }, () => worldOf().api.call(method, path, asked));
    },
    async browse(party, path, fields, { sourceIp = sourceOf(party), headers = {} } = {}) {
      const { pages } = worldOf();
      pages.sourceIp = sourceIp;
      await noted(party, { path, fields, sourceIp }, () =>
        fields === undefined
          ? pages.get(path, party.cookie, headers)
          : pages.post(path, { form: party.form, ...fields }, party.cookie, headers),
      );
    },
    async optOut(party, target) {
      const { pages, watcher, told } = worldOf();
      pages.sourceIp = sourceOf(party);
      const answer = await pages.post('/opt-out', { target });
      if (party === watcher) told.push(JSON.stringify({ asked: `opt-out of ${target}`, answer }));
    },
  };
}

// An answer that one of several requests brings about leaves the others under way: they are its work too.
async function settled(meter: Meter): Promise<void> {
  for (let quiet = 0; quiet < 2; quiet = meter.underWay === 0 ? quiet + 1 : 0) await new Promise((done) => setImmediate(done));
}

const sourceOf = ({ email }: Party) => (email.startsWith('owner') ? '198.51.100.1' : '198.51.100.2');

async function tick(world: SilentWorld, lookups: Lookups, questions: () => number): Promise<void> {
  const { api, told, watcher } = world;
  const { store } = api.services;
  const sent: ScanRef[] = [];
  const woken = new Set<string>();
  const wakeNotices = async (ids: readonly string[]) => {
    for (const id of ids) woken.add(id);
  };
  const clock = () => api.now;
  await dispatch({
    store,
    wakeScans: async (refs) => void sent.push(...refs),
    wakeNotices,
    clock,
    count: () => {},
    owedLeaseMs: 15 * MINUTE,
  });
  const isWatchers = ({ accountId }: ScanRef) => accountId === watcher.accountId;
  told.push(JSON.stringify({ at: api.now, due: sent.filter(isWatchers) }));
  const rules = { leaseMs: 2 * MINUTE, spacingMs: 10 * MINUTE, soonestMs: 5 * MINUTE };
  // One after the other, so that the questions of each are its own.
  for (const ref of sent)
    await probeScans([ref], {
      ...QUIET_PROBING,
      store,
      audit: async (host, { takeTurn, scanId }) => {
        const before = questions();
        const finding = await audit(host, takeTurn, gateOf(world, lookups), scanId);
        if (isWatchers(ref)) told.push(JSON.stringify({ audit: ref.scanId, host: host.id, finding, questions: questions() - before }));
        return finding;
      },
      turns: (each, fresh, bookings) => turnsOf(each, fresh, store, clock, rules, new Map(), bookings),
      wakeNotices,
      clock,
    });
  for (const id of [...woken].sort()) await send(world, id);
}

// Receivers of webhooks take what comes at an even minute, and refuse the rest.
function send({ api, told, watcher }: SilentWorld, noticeId: string): Promise<void> {
  const tell = (notice: { accountId: string }, what: object) => {
    if (notice.accountId === watcher.accountId) told.push(JSON.stringify({ at: api.now, ...what }));
  };
  return notify(noticeId, {
    store: api.services.store,
    async send(mail, recipient, tags) {
      tell({ accountId: tags?.account ?? '' }, { mail, recipient });
      return { kind: 'accepted', messageId: noticeId };
    },
    async call(notice) {
      tell(notice, { called: notice });
      return (api.now / MINUTE) % 2 === 0 ? { kind: 'taken' } : { kind: 'refused', why: 'it answered 500' };
    },
    clock: () => api.now,
    wait: async () => {},
    log: { info: () => {}, error: () => {} },
    siteUrl: 'https://audit.example',
    egressAddresses: ['192.0.2.7'],
    unsubscribeUrl: (accountId, email) => `https://audit.example/unsubscribe?token=${accountId}-${email}`,
    claimLeaseMs: 10 * MINUTE,
    gatherMs: 10 * MINUTE,
  });
}

// Servers of odd numbers take everything.
async function audit(host: Host, takeTurn: TakeTurn, gate: Gate, scanId: string | undefined) {
  const permission = await permitHost(host, [4], takeTurn, gate, scanId);
  if ('untested' in permission) return permission;
  const takes = /mx\d*[13579]\.|\.[24]$/.test(host.settings.name);
  const addresses = permission.ways.flatMap(({ address, permitted }) => (permitted === undefined ? [] : [address.text]));
  const legs = addresses.map((address) => ({ ...sampleLeg(takes ? 'accepted' : 'refused'), address }));
  return { legs, paused: permission.paused };
}

function gateOf({ api }: SilentWorld, lookups: Lookups): Gate {
  const { store } = api.services;
  return {
    lookups,
    lookAgain: () => lookups,
    isThere: async (host, scan, address) => speaksFor(await store.findPresence(host.id, scan), address, api.now),
    isRegistered: async ({ accountId, id }) => (await store.findHost(accountId, id)) !== undefined,
    now: () => api.now,
    operatorNetworks: [],
    tokenOf: api.services.tokenOf,
    isVetoed: () => false,
    pausedAmong: async (addresses) => (await store.pausesOf(addresses, api.now)).map(({ address }) => address),
  };
}

// The owner proves everything of theirs, by reverse DNS; the watcher says what it likes, of its own.
function lookupsOf(worldOf: () => SilentWorld, asked: () => void): Lookups {
  const found = <T>(values: readonly T[]): Found<T> => (values.length === 0 ? { kind: 'absent' } : { kind: 'found', values: [...values] });
  const isTrouble = (name: string) => name.endsWith('watcher-mail.com') && worldOf().zone.says === 'trouble';
  const ask = <T>(name: string, values: () => readonly T[]): Found<T> => {
    asked();
    return isTrouble(name) ? { kind: 'trouble', why: 'SERVFAIL' } : found(values());
  };
  return {
    addresses: async (name) =>
      ask(name, () => {
        const number = Number(/^mx(\d+)\./.exec(name)?.[1] ?? -1);
        if (number < 0) return [];
        const own = addressOf(name.endsWith('owner-mail.com') ? 'owner' : 'watcher', number);
        return (worldOf().zone.leads.get(name) ?? [own]).flatMap((text) => parseAddress(text) ?? []);
      }),
    texts: async (name) =>
      ask(name, () => {
        const { owner, watcher, zone, api } = worldOf();
        if (name === '_relay-audit.owner-mail.com') return [api.services.tokenOf(owner.accountId)];
        if (name !== '_relay-audit.watcher-mail.com') return [];
        return zone.says === 'token' ? [api.services.tokenOf(watcher.accountId)] : zone.says === 'deny' ? ['deny'] : [];
      }),
    names: async ({ text }) => ask(text, () => [nameOf(text.startsWith('185.1.') ? 'owner' : 'watcher', Number(text.split('.')[3]) - 1)]),
    mailServers: async (name) => ask(name, () => (name === 'owner-mail.com' ? [{ name: nameOf('owner', 0), preference: 10 }] : [])),
  };
}
