import * as z from 'zod';
import type { Arrival, Bounce, Canary } from '../domain/canary.ts';
import { CAUSES } from '../domain/cause.ts';
import type { Change } from '../domain/change.ts';
import type { DnsFailure } from '../domain/consent.ts';
import { type Hole, SENDER_CLAIMS, WHERES } from '../domain/hole.ts';
import { type Host, type HostSettings, type HostState, letterOf, verdictOf } from '../domain/host.ts';
import { KEY_SCOPES } from '../domain/key-scope.ts';
import { MAIL_STOPS, type MailStop } from '../domain/mail-stop.ts';
import { type NoticeRecord, OUTCOMES_OF_NOTICES, type Seen } from '../domain/notice.ts';
import type { Presence } from '../domain/presence.ts';
import { judged, KNOWN_STATES, REASONS, RELAY_STATES, type Reason, VERDICTS } from '../domain/reason.ts';
import { MTA_NAMES, type Mta, type Software } from '../domain/remedies.ts';
import {
  type Begun,
  CONTACTS,
  type DnsWait,
  ENDS,
  type LegEvidence,
  OUTCOMES,
  type OwedScan,
  SAYS,
  SCAN_KINDS,
  type Scan,
  STAGES,
  STOPS,
  type TestResult,
  type TlsFacts,
  TRANSPORTS,
} from '../domain/scan.ts';
import { PERIODS } from '../domain/schedule.ts';
import type { Span } from '../domain/timeline.ts';
import type { Line } from '../domain/turn-line.ts';
import type { Account, DueScan, DueWebhook, NeverEntry, NoticeClaim, Pause, Session, StoredKey } from './audit-store.ts';
import { idIn, type Key, noticeIdOf } from './keys.ts';

// A schema for every property, so that none which is stored is forgotten when it is read.
type Shape<T> = Readonly<Record<keyof T, z.ZodType>>;

const reason = z.enum(Object.keys(REASONS) as [Reason, ...Reason[]]);
const verdict = z.enum(VERDICTS);
const relayState = z.enum(RELAY_STATES);
const knownState = z.enum(KNOWN_STATES);
const time = z.number().int().nonnegative();

// Its verdict stands in the table too, for queries; what counts is the reason.
const judgement = z.object({ reason, completed: z.number(), planned: z.number() }).transform((read) => judged(read.reason, read));

const settings = z.object({
  name: z.string(),
  servedDomains: z.array(z.string()),
  ports: z.array(z.number()),
  period: z.enum(PERIODS as [(typeof PERIODS)[number], ...typeof PERIODS]),
  alertRecipients: z.array(z.string()),
  controlMailbox: z.string().optional(),
  reminders: z.boolean().default(true), // the first hosts had no choice
  webhook: z.string().optional(),
  acknowledgedAt: time.optional(),
} satisfies Shape<HostSettings>);

const state = z.object({
  version: z.number(),
  relay: knownState,
  since: time.optional(),
  pending: z.object({ to: relayState, scanId: z.string(), notBefore: time }).optional(),
  last: z.object({ id: z.string(), startedAt: time, verdict, paused: z.array(z.string()).optional() }).optional(),
  openLegs: z.array(z.string()),
  heldDomains: z.array(z.string()).optional(),
  recent: z.string(),
  shown: z.string().optional(),
  evidence: z.string().optional(),
  closedAt: time.optional(),
  lastFull: time.optional(),
  putOff: z.string().optional(),
  sink: z.boolean().optional(),
  catchAll: z.boolean().optional(),
  brokenTls: z.array(z.number()).optional(),
  turns: z.array(time).optional(),
  flapping: z.object({ toldAt: time, owedAt: time.optional(), changes: z.number() }).optional(),
  silence: z.object({ scans: z.number(), since: time, told: z.boolean() }).optional(),
  dnsLostSince: time.optional(),
  reminders: z.number().optional(),
} satisfies Shape<HostState>);

const hostItem = z.object({ pk: z.string(), sk: z.string(), createdAt: time, revision: z.number(), settings, state });

const path = z.array(z.object({ from: z.string().optional(), address: z.string().optional(), by: z.string().optional() }));

const arrival = z.object({ canary: z.string(), leg: z.string(), test: z.string(), sentAt: time, at: time, path });

const bounce = z.object({ canary: z.string(), leg: z.string(), test: z.string(), sentAt: time, at: time, by: z.string().optional() });

const canaryItem = z.object({
  pk: z.string(),
  accountId: z.string(),
  hostId: z.string(),
  scanId: z.string(),
  leg: z.string(),
  test: z.string(),
  recipient: z.string(),
  from: z.string().optional(),
  mailboxes: z.object({ prefix: z.string(), domain: z.string() }).optional(),
  sentAt: time,
  arrival: z.object({ at: time, path }).optional(),
  bounce: z.object({ at: time, by: z.string().optional() }).optional(),
} satisfies Shape<Pick<Key, 'pk'> & Omit<Canary, 'id'> & Omit<StoredCanary, 'canary'>>);

const scanItem = z.object({
  pk: z.string(),
  sk: z.string(),
  kind: z.enum(SCAN_KINDS),
  startedAt: time,
  finishedAt: time,
  judgement,
  waitedSince: time.optional(),
  openLegs: z.array(z.string()),
  servedDomains: z.array(z.string()).optional(),
  paused: z.array(z.string()).optional(),
  closedLegs: z.array(z.string()).optional(),
  evidence: z.string().optional(),
  full: z.boolean(),
  canaries: z.array(z.string()).optional(),
  brokenTls: z.array(z.number()).optional(),
  waitedMs: z.number().optional(),
  arrivals: z.array(arrival).optional(),
  bounces: z.array(bounce).optional(),
} satisfies Shape<Key & Omit<Scan, 'hostId' | 'id'>>);

const testResult = z.object({
  test: z.string(),
  outcome: z.enum(OUTCOMES),
  stage: z.enum(STAGES),
  from: z.string().optional(),
  to: z.string().optional(),
  reply: z.string().optional(),
  ehlo: z.string().optional(),
  canary: z.string().optional(),
  negative: z.string().optional(),
  says: z.enum(SAYS).optional(),
  closings: z.number().optional(),
  shows: z.object({ cause: z.enum(CAUSES), name: z.string().optional() }).optional(),
} satisfies Shape<TestResult>);

const software = z.object({
  mta: z.enum(Object.keys(MTA_NAMES) as [Mta, ...Mta[]]),
  version: z.string().optional(),
  from: z.enum(['greeting', 'answers']),
} satisfies Shape<Software>);

const tls = z.object({
  version: z.string(),
  cipher: z.string(),
  subject: z.string().optional(),
  issuer: z.string().optional(),
  validTo: z.string().optional(),
  distrust: z.string().optional(),
} satisfies Shape<TlsFacts>);

const legs = z.array(
  z.object({
    address: z.string(),
    port: z.number(),
    transport: z.enum(TRANSPORTS),
    contact: z.enum(CONTACTS),
    offersStarttls: z.boolean().optional(),
    tls: tls.optional(),
    injected: z.string().optional(),
    seesUsAs: z.string().optional(),
    costs: z.object({ connections: z.number(), commands: z.number(), roundTrips: z.number(), refusals: z.number() }),
    software: software.optional(),
    tests: z.array(testResult),
    controls: z.array(testResult),
    stopped: z.enum(STOPS).optional(),
    greetingName: z.string().optional(),
    canaries: z.array(z.string()).optional(),
    toCarry: z.number().optional(),
    noMailbox: z.boolean().optional(),
    limited: z.boolean().optional(),
    pace: z.object({ greetMs: z.number(), refusalMs: z.number() }).optional(),
    silentSittings: z.number().optional(),
    brokenTls: z.object({ sittings: z.number(), why: z.string() }).optional(),
    ended: z.enum(ENDS).optional(),
    transcript: z.array(z.string()),
  } satisfies Shape<LegEvidence>),
);

const failure = z.object({
  type: z.string(),
  name: z.string(),
  said: z.string(),
  details: z.string().optional(),
} satisfies Shape<DnsFailure>);

const occasion = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('change'), from: knownState, to: relayState }),
  z.object({ kind: z.literal('digest'), changes: z.number(), from: time }),
  z.object({ kind: z.literal('reminder'), count: z.number() }),
  z.object({ kind: z.literal('silent'), reason, scans: z.number(), since: time }),
  z.object({ kind: z.literal('back'), silentSince: time }),
  z.object({ kind: z.literal('proven'), since: time }),
  z.object({ kind: z.literal('gave-up'), reason, since: time }),
  z.object({ kind: z.literal('dns-trouble'), since: time, failure: failure.optional() }),
]);

const hole = z.object({
  cause: z.enum(CAUSES),
  name: z.string().optional(),
  sender: z.enum(SENDER_CLAIMS).optional(),
  where: z.enum(WHERES).optional(),
  port: z.number().optional(),
  seesUsAs: z.string().optional(),
  others: z.number(),
} satisfies Shape<Hole>);

const seen = z.object({
  scanId: z.string(),
  scannedAt: time,
  reason,
  messageAccepted: z.boolean(),
  arrival: arrival.optional(),
  evidence: z.array(z.object({ leg: z.string(), from: z.string(), to: z.string(), reply: z.string() })),
  envelopes: z.number(),
  software: software.optional(),
  hole: hole.optional(),
} satisfies Shape<Seen>);

const owedNotice = { id: z.string(), accountId: z.string(), recipient: z.string(), owedAt: time };
const newsOfHost = { hostId: z.string(), hostName: z.string(), occasion, relay: knownState, since: time.optional(), seen: seen.optional() };

const notice = z.union([
  z.object({ channel: z.literal('mail'), about: z.literal('host'), ...owedNotice, ...newsOfHost }),
  z.object({ channel: z.literal('webhook'), about: z.literal('host'), ...owedNotice, ...newsOfHost }),
  z.object({ channel: z.literal('mail'), about: z.literal('hosts'), ...owedNotice, hosts: z.array(z.object(newsOfHost)) }),
]);

const noticeRecord = { notice, tries: z.number(), why: z.string().optional() };

const noticeItem = z.union([
  z.object({ ...noticeRecord, dueAt: time }),
  z.object({ ...noticeRecord, outcome: z.enum(OUTCOMES_OF_NOTICES), settledAt: time, messageId: z.string().optional() }),
]);

const sessionItem = z.object({ pk: z.string(), sk: z.string(), email: z.string(), startedAt: time, until: time });

const change = z.object({
  accountId: z.string(),
  hostId: z.string(),
  version: z.number(),
  from: knownState,
  to: relayState,
  at: time,
  firstScanId: z.string(),
  scanId: z.string(),
} satisfies Shape<Change>);

const dueScanItem = z.object({ pk: z.string(), sk: z.string(), accountId: z.string(), dueAt: time, tries: z.number() });

const owedItem = dueScanItem.extend({
  trouble: reason.optional(),
  waits: z.object({ since: time, troubleSince: time.optional(), failure: failure.optional() } satisfies Shape<DnsWait>).optional(),
  soFar: z.string().optional(),
  // A place of another shape, as it was before lines had rounds, is none: its scan joins the line anew.
  booked: z
    .record(z.string(), z.object({ round: z.number().int(), at: time }))
    .optional()
    .catch(undefined),
  underWay: z.object({ since: time, legs: z.array(z.object({ leg: z.string(), answered: z.number(), planned: z.number() })) }).optional(),
});

// Lies beside the attributes of an owed scan, not in one of its own: conditions look at `sittings`. The first ones had no scope, and do not
// say of a first sitting that was cut short that none is counted: who goes on asks all that is left of the full table, and who only waits for
// messages counts as none.
const begunItem = z.object({
  startedAt: time,
  full: z.boolean().optional(),
  sittings: z.number().default(0),
  soFar: z.string(),
  left: z.object({ reason, completed: z.number(), planned: z.number() }).optional(),
  paused: z.array(z.string()).optional(),
  awaits: z.object({ since: time, until: time }).optional(),
} satisfies Shape<Begun>);

function readBegun(item: unknown): Begun {
  const { full, ...begun } = begunItem.parse(item);
  return { ...begun, full: full ?? begun.awaits === undefined };
}

const spanItem = z.object({
  from: time,
  gapSince: time.optional(),
  whole: z.boolean(),
  verdict,
  legs: z.string(),
} satisfies Shape<Span>);

/** The legs of a span as one text, which costs less to store and to read than a list: a letter for the verdict before each name. */
export function packSeenLegs(legs: Span['legs']): string {
  return legs.map(({ leg, verdict: shown }) => `${letterOf(shown)}${leg}`).join('\n');
}

export function readSpan(item: unknown): Span {
  const { legs: packed, ...rest } = spanItem.parse(item);
  const seen = packed === '' ? [] : packed.split('\n');
  return { ...rest, legs: seen.map((each) => ({ leg: each.slice(1), verdict: verdict.parse(verdictOf(each.charAt(0))) })) };
}

/** Reads a stored host; throws on an item that is not one, as do all readers here: a broken item is our defect. */
export function readHost(item: unknown): Host {
  const { pk, sk, ...rest } = hostItem.parse(item);
  return { accountId: idIn(pk), id: idIn(sk), ...rest };
}

export function readScan(item: unknown): Scan {
  const { pk, sk, ...rest } = scanItem.parse(item);
  return { hostId: idIn(pk), id: idIn(sk), ...rest };
}

export function readOwed(item: unknown): OwedScan {
  const { pk, sk, soFar, ...rest } = owedItem.parse(item);
  return { hostId: idIn(pk), scanId: idIn(sk), ...rest, begun: soFar === undefined ? undefined : readBegun(item) };
}

/** What the index of what waits shows of an owed scan. */
export function readDueScan(item: unknown): DueScan {
  const { pk, sk, ...rest } = dueScanItem.parse(item);
  return { hostId: idIn(pk), scanId: idIn(sk), ...rest };
}

const presenceItem = z.object({ pk: z.string(), sk: z.string(), address: z.string(), until: time });

export function readPresence(item: unknown): Presence {
  const { pk, sk, ...rest } = presenceItem.parse(item);
  return { hostId: idIn(pk), scanId: idIn(sk), ...rest };
}

/** A canary as it is stored, with its first arrival when it has come back, and its first bounce when it was bounced. */
export type StoredCanary = {
  readonly canary: Canary;
  readonly arrival?: Pick<Arrival, 'at' | 'path'> | undefined;
  readonly bounce?: Pick<Bounce, 'at' | 'by'> | undefined;
};

export function readCanary(item: unknown): StoredCanary {
  const { pk, arrival: marked, bounce: bounced, ...rest } = canaryItem.parse(item);
  return { canary: { id: idIn(pk), ...rest }, arrival: marked, bounce: bounced };
}

export function readLegs(value: unknown): LegEvidence[] {
  return legs.parse(value);
}

const claimItem = z.object({ notice, tries: z.number(), repeatedAt: time.optional() });

export function readClaim(item: unknown): NoticeClaim {
  return claimItem.parse(item);
}

const dueWebhookItem = z.object({ pk: z.string(), sk: z.string(), accountId: z.string().default('') }); // the first ones did not say whose they are

export function readDueWebhook(item: unknown): DueWebhook {
  const { accountId, ...key } = dueWebhookItem.parse(item);
  return { id: noticeIdOf(key), accountId, hostId: idIn(key.pk) };
}

export function readNoticeRecord(item: unknown): NoticeRecord {
  return noticeItem.parse(item);
}

const windowItem = z.object({ hostId: z.string(), until: time });

/** Which host opened a window of alerts, and until when it is open. */
export function readWindow(item: unknown): { hostId: string; until: number } {
  return windowItem.parse(item);
}

const digestItem = z.object({ pk: z.string(), accountId: z.string() });

export function readDigest(item: unknown): { accountId: string; hostId: string } {
  const { pk, accountId } = digestItem.parse(item);
  return { accountId, hostId: idIn(pk) };
}

const erasureItem = z.object({ pk: z.string(), accountId: z.string().default('') }); // the first ones did not say whose they are

export function readErasure(item: unknown): { accountId: string; hostId: string } {
  const { pk, accountId } = erasureItem.parse(item);
  return { accountId, hostId: idIn(pk) };
}

/** What an item says against mail to its address; with what only stands against mails that strangers may cause, where that counts. */
export function readMailbox(item: unknown, unaskedCounts: boolean): MailStop[] {
  const { unasked, ...stops } = mailbox.parse(item);
  const told = unaskedCounts && unasked !== undefined ? { ...stops, complained: unasked } : stops;
  return MAIL_STOPS.filter((why) => told[why] !== undefined);
}

const mailbox = z.object({
  bounced: time.optional(),
  complained: time.optional(),
  unsubscribed: time.optional(),
  unasked: time.optional(),
});

const changeItem = z.object({ change });

export function readChange(item: unknown): Change {
  return changeItem.parse(item).change;
}

const apiKey = z.object({
  pk: z.string(),
  mac: z.string(),
  accountId: z.string(),
  createdAt: time,
  scope: z.enum(KEY_SCOPES).default('write'), // the first keys had no scope, and could do everything
  label: z.string().optional(),
  lastUsedAt: time.optional(),
} satisfies Shape<Pick<Key, 'pk'> & Omit<StoredKey, 'prefix'>>);

export function readKey(item: unknown): StoredKey {
  const { pk, ...rest } = apiKey.parse(item);
  return { prefix: idIn(pk), ...rest };
}

const accountItem = z.object({
  pk: z.string(),
  email: z.string(),
  createdAt: time,
  hosts: z.number().int().optional(),
  hostsVersion: z.number().int().optional(),
  hostQuota: z.number().int().optional(),
} satisfies Shape<Pick<Key, 'pk'> & Omit<Account, 'id'>>);

export function readAccount(item: unknown): Account {
  const { pk, ...rest } = accountItem.parse(item);
  return { id: idIn(pk), ...rest };
}

/** A session of the pages. */
export function readSession(item: unknown): Session {
  const { pk, sk, ...rest } = sessionItem.parse(item);
  return { accountId: idIn(pk), id: idIn(sk), ...rest };
}

const endedItem = z.object({ endedAt: time });

/** When links to a mailbox were ended. */
export function readEnded(item: unknown): number {
  return endedItem.parse(item).endedAt;
}

const liveKeysItem = z.object({ liveKeys: z.set(z.string()).optional() });

/** The prefixes of an account's live keys. DynamoDB has no empty set: without keys the attribute is absent. */
export function readLiveKeys(item: unknown): string[] {
  const { liveKeys } = liveKeysItem.parse(item);
  return [...(liveKeys ?? [])];
}

const ownerItem = z.object({ accountId: z.string() });

/** Whose account a mail address is. */
export function readOwner(item: unknown): string {
  return ownerItem.parse(item).accountId;
}

const usedItem = z.object({ used: z.number().int() });

/** How much of a budget has been taken in its window. */
export function readUsed(item: unknown): number {
  return usedItem.parse(item).used;
}

/**
 * Who has an address until when, since when the last fresh scan of it is, who waits for the next, and which hosts were written down as its
 * scanners since `listedAt`.
 */
export type StoredTurn = z.infer<typeof turnItem>;

/** The line at an address as one text, which costs less than a list, and is compared as one. */
export function packLine(line: Line): string {
  return line.map(({ account, served, issued }) => `${account} ${served} ${issued}`).join('\n');
}

const packedLine = z.string().transform(
  (packed): Line =>
    packed.split('\n').map((each) => {
      const [account = '', served, issued] = each.split(' ');
      return { account, served: Number(served), issued: Number(issued) };
    }),
);

const turnItem = z.object({
  leaseUntil: time,
  holder: z.string(),
  heldUntil: time.optional(),
  freshAt: time.optional(),
  freshScan: z.string().optional(),
  nextFree: time.optional(),
  waiting: packedLine.default([]),
  scanners: z.set(z.string()).default(new Set()),
  listedAt: time.optional(),
  expiresAt: time,
});

const scannersItem = z.object({ scanners: z.set(z.string()).default(new Set()) });

/** The hosts that a turn found written down already. */
export function readScanners(item: unknown): Set<string> {
  return scannersItem.parse(item ?? {}).scanners;
}

const scannerItem = z.object({ sk: z.string(), expiresAt: time });

/** A host that has had a turn at an address, unless that is too long ago. */
export function readScanner(item: unknown): { accountId: string; hostId: string; expiresAt: number } {
  const { sk, expiresAt } = scannerItem.parse(item);
  const [accountId = '', hostId = ''] = idIn(sk).split('/');
  return { accountId, hostId, expiresAt };
}

export function readTurn(item: unknown): StoredTurn {
  return turnItem.parse(item);
}

const neverItem = z.object({ sk: z.string(), since: time, why: z.string() });

export function readNever(item: unknown): NeverEntry {
  const { sk, ...rest } = neverItem.parse(item);
  return { target: sk, ...rest };
}

const pauseItem = z.object({ pk: z.string(), since: time, until: time, heedAgainAt: time.optional() });

export function readPause(item: unknown): Pause {
  const { pk, ...rest } = pauseItem.parse(item);
  return { address: idIn(pk), ...rest };
}

const requestItem = z.object({ fingerprint: z.string(), answer: z.string().optional() });

export function readRequest(item: unknown): { fingerprint: string; answer?: string | undefined } {
  return requestItem.parse(item);
}

// The SDK leaves an item that comes with an error as it was on the wire.
const wireValue = z.union([
  z.object({ S: z.string() }).transform(({ S }) => S),
  z.object({ N: z.string() }).transform(({ N }) => Number(N)),
  z.object({ SS: z.array(z.string()) }).transform(({ SS }) => new Set(SS)),
]);

const refusedWrite = z.object({ Item: z.record(z.string(), wireValue) });

/** The item that made a condition fail, for a write that asked for it. It has strings, numbers and sets of strings only. */
export function readRefused(error: unknown): Record<string, string | number | Set<string>> {
  return refusedWrite.parse(error).Item;
}

const wheelEntryItem = z.object({ sk: z.string(), accountId: z.string() });

export function readWheelEntry(item: unknown): { accountId: string; hostId: string } {
  const entry = wheelEntryItem.parse(item);
  return { accountId: entry.accountId, hostId: idIn(entry.sk) };
}

const waitingItem = z.object({ waiting: z.number().int(), at: time });

/** How many scans of an account waited, and when that was. */
export function readWaiting(item: unknown): { waiting: number; at: number } {
  return waitingItem.parse(item);
}

const tickItem = z.object({ tick: z.number().int() });

export function readTick(item: unknown): number {
  return tickItem.parse(item).tick;
}

const keyPartsItem = z.object({ pk: z.string(), sk: z.string() });

export function readKeyParts(item: unknown): { pk: string; sk: string } {
  return keyPartsItem.parse(item);
}
