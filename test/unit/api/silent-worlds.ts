import { dispatch } from '../../../functions/dispatch/dispatch.ts';
import { type Gate, permitHost, type TakeTurn } from '../../../functions/probe/permit-host.ts';
import { probeScans } from '../../../functions/probe/probe-scans.ts';
import { turnsOf } from '../../../functions/probe/turns.ts';
import { parseAddress } from '../../../shared/domain/address.ts';
import type { Host } from '../../../shared/domain/host.ts';
import type { ScanRef } from '../../../shared/domain/scan.ts';
import { tickOf } from '../../../shared/domain/schedule.ts';
import type { Found, Lookups } from '../../../shared/network/lookups.ts';
import { consentToken } from '../../../shared/runtime/consent-token.ts';
import { type KnownBytes, knowBytes } from '../../support/known-bytes.ts';
import { type Pages, pagesOn, SECRETS } from '../../support/pages.ts';
import { CLOSED, NOON, SUSPECTED, sampleLeg } from '../../support/samples.ts';
import { type ApiOnTable, startApi } from './api-on-table.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** One of the two who have accounts, with what they know. */
export type Party = {
  readonly accountId: string;
  readonly email: string;
  readonly key: string;
  readonly stream: { readonly name: string; drawn: number };
  readonly hosts: { readonly id: string; readonly name: string }[];
};

/** A world of the service, of which the watcher writes down every byte that it is told, and all work that is done for it. */
export type SilentWorld = {
  readonly api: ApiOnTable;
  readonly pages: Pages;
  /** What the watcher's zone says, and what its names lead to beside its own addresses. */
  readonly zone: { says: 'token' | 'nothing' | 'deny' | 'trouble'; readonly leads: Map<string, string> };
  readonly told: string[];
  watcher: Party;
  owner: Party;
  /** Begins a new day, with new accounts of both. */
  begin(seed: number): Promise<void>;
  /** A request of a party; the watcher's answers are written down, with their work. */
  ask(party: Party, method: string, path: string, body?: object): Promise<{ readonly status: number; readonly body: unknown }>;
  /** An opt-out of a party's: of its answer every byte, not its work, whose time is evened out. */
  optOut(party: Party, target: string): Promise<void>;
  /** A minute passes: dispatch, and all the scans that it sent. */
  minute(): Promise<void>;
  stop(): Promise<void>;
};

/** The names and addresses of the two, by the number of a server. */
export const nameOf = (who: 'owner' | 'watcher', number: number) => `mx${number}.${who}-mail.com`;
export const addressOf = (who: 'owner' | 'watcher', number: number) => `185.${who === 'owner' ? 1 : 6}.1.${number + 1}`;

/** Worlds that are alike. The chance of this process is taken over until the last of them is stopped. */
export async function startWorlds(): Promise<readonly [SilentWorld, SilentWorld]> {
  const bytes = knowBytes();
  const [one, other] = [await startSilent(bytes), await startSilent(bytes)];
  return [one, other];
}

async function startSilent(bytes: KnownBytes): Promise<SilentWorld> {
  let questions = 0;
  const lookups = lookupsOf(
    () => world,
    () => questions++,
  );
  const api = await startApi({ lookups, secrets: SECRETS, tokenOf: (accountId) => consentToken(SECRETS, accountId) });
  const pages = pagesOn(api.table.store, () => api.now, { lookups });
  const { meter } = api.table;
  const openAccount = async (name: string, email: string): Promise<Party> => {
    const stream = { name, drawn: 0 };
    const { accountId, key } = await bytes.as(stream, () => api.account(email));
    return { accountId, email, key, stream, hosts: [] };
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
      world.owner = await openAccount(`owner ${seed}`, `owner-${seed}@example.org`);
      world.watcher = await openAccount(`watcher ${seed}`, `watcher-${seed}@example.net`);
    },
    async ask(party, method, path, body) {
      meter.reset();
      questions = 0;
      const {
        status,
        headers,
        body: answer,
      } = await bytes.as(party.stream, () =>
        api.call(method, path, { key: party.key, sourceIp: sourceOf(party), ...(body === undefined ? {} : { body }) }),
      );
      if (party === world.watcher) {
        const work = { requests: meter.requests, reads: meter.readUnits, writes: meter.writeUnits, questions };
        world.told.push(JSON.stringify({ asked: `${method} ${path}`, body, status, headers, answer, work }));
      }
      return { status, body: answer };
    },
    async optOut(party, target) {
      pages.sourceIp = sourceOf(party);
      const answer = await pages.post('/opt-out', { target });
      if (party === world.watcher) world.told.push(JSON.stringify({ asked: `opt-out of ${target}`, answer }));
    },
    async minute() {
      api.now += MINUTE;
      await tick(world, lookups, () => questions);
    },
    stop: () => api.stop().finally(() => bytes.putBack()),
  };
  return world;
}

const sourceOf = ({ email }: Party) => (email.startsWith('owner') ? '198.51.100.1' : '198.51.100.2');

async function tick(world: SilentWorld, lookups: Lookups, questions: () => number): Promise<void> {
  const { api, told, watcher } = world;
  const { store } = api.services;
  const sent: ScanRef[] = [];
  const clock = () => api.now;
  await dispatch({
    store,
    wakeScans: async (refs) => void sent.push(...refs),
    wakeNotices: async () => {},
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
      store,
      audit: async (host, { takeTurn }) => {
        const before = questions();
        const finding = await audit(host, takeTurn, gateOf(world, lookups));
        if (isWatchers(ref)) told.push(JSON.stringify({ audit: ref.scanId, host: host.id, finding, questions: questions() - before }));
        return finding;
      },
      turns: (each, fresh, bookings) => turnsOf(each, fresh, store, clock, rules, new Map(), bookings),
      canaries: () => async () => undefined,
      raise: async () => {},
      egressBlocked: async () => false,
      wakeNotices: async () => {},
      clock,
      count: () => {},
      log: { info: () => {}, error: () => {} },
      confirmDelayMs: 5 * MINUTE,
      continueMs: 5 * MINUTE,
      putOffMs: 15 * MINUTE,
      awaitMs: 60 * MINUTE,
    });
}

// Servers of odd numbers take everything.
async function audit(host: Host, takeTurn: TakeTurn, gate: Gate) {
  const permission = await permitHost(host, [4], takeTurn, gate);
  if ('judgement' in permission) return permission;
  const takes = /mx\d*[13579]\./.test(host.settings.name);
  const addresses = permission.ways.flatMap(({ address, permitted }) => (permitted === undefined ? [] : [address.text]));
  const legs = addresses.map((address) => ({ ...sampleLeg(takes ? 'accepted' : 'refused'), address }));
  return { judgement: takes ? SUSPECTED : CLOSED, legs };
}

function gateOf({ api }: SilentWorld, lookups: Lookups): Gate {
  const { store } = api.services;
  return {
    lookups,
    lookAgain: () => lookups,
    isThere: async () => false,
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
    return isTrouble(name) ? { kind: 'trouble', why: 'ESERVFAIL' } : found(values());
  };
  return {
    addresses: async (name) =>
      ask(name, () => {
        const number = Number(/^mx(\d+)\./.exec(name)?.[1] ?? -1);
        if (number < 0) return [];
        const own = addressOf(name.endsWith('owner-mail.com') ? 'owner' : 'watcher', number);
        return [parseAddress(worldOf().zone.leads.get(name) ?? own) ?? []].flat();
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
