import { parseAddress } from '../domain/address.ts';
import type { Budget, Taken } from '../store/audit-store.ts';
import type { Operations } from './acting.ts';
import { Problem } from './problem.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * How much of what is granted, to each who asks. A budget is one conditional update, and its window begins at a multiple of its
 * length. The names are those of the RateLimit fields.
 */
export const BUDGETS = {
  /** Requests with one API key: ten a second, more than a script needs that reads every history once an hour. */
  key: { limit: 600, windowMs: MINUTE },
  /** Requests without a good key from one address: two a second, so that trying keys or tokens is no way in. */
  source: { limit: 120, windowMs: MINUTE },
  /** Accounts asked for from one address: an office may share one. */
  accounts: { limit: 10, windowMs: HOUR },
  /** Views and forms of the pages, of one account: four a second, more than somebody who watches a scan in several windows. */
  pages: { limit: 240, windowMs: MINUTE },
  /** Links to sign in by that are asked for from one address of the network. */
  'sign-ins': { limit: 30, windowMs: HOUR },
  /** Links mailed to who has shown that they read the mailbox: mails that they want, a few at a time. */
  'own-mails-hour': { limit: 5, windowMs: HOUR },
  'own-mails-day': { limit: 15, windowMs: DAY },
  /** Scans on demand of one host: what its administrator needs who tries one remedy after the other. */
  'host-scans': { limit: 6, windowMs: HOUR },
  /** Hosts that one account registers, and scans that it asks for, in a day; how many goes by its quota of hosts. */
  registrations: { limit: 200, windowMs: DAY },
  'account-scans': { limit: 200, windowMs: DAY },
  /**
   * Registrations that one account tries, and further ports that it gives its hosts: each asks DNS some twenty questions before it can be
   * refused. As many as it may register in a day, if that is more.
   */
  'registration-tries': { limit: 200, windowMs: HOUR },
  /**
   * Scans that an address asks for itself, of one address and for one account: enough to see that a remedy works, and little to those who
   * share it.
   */
  here: { limit: 3, windowMs: DAY },
  'here-account': { limit: 10, windowMs: DAY },
  /** Calls of one host's webhook that are asked for again: its receiver may be anybody's server. */
  'webhook-repeats': { limit: 10, windowMs: HOUR },
  /** Looks at the consent of one host: each asks DNS at most 200 questions. One a minute is what a person needs who waits for a record. */
  'host-consent': { limit: 60, windowMs: HOUR },
  /** Looks at what there is to register, of one account: each asks DNS up to a hundred questions. Twice as many as it may have hosts. */
  proposals: { limit: 200, windowMs: HOUR },
} as const;

export type BudgetName = keyof typeof BUDGETS;

type Budgeting = Pick<Operations, 'store' | 'clock'>;

/** Takes one from a budget, and tells what came of it. */
export function take({ store, clock }: Budgeting, what: BudgetName, who: string, limit?: number): Promise<Taken> {
  return store.takeFromBudget(budgetOf(what, who, limit), clock());
}

/** Gives one back that was taken at `takenAt` and not used. */
export function giveBack({ store }: Budgeting, what: BudgetName, who: string, takenAt: number): Promise<void> {
  return store.giveBack(budgetOf(what, who), takenAt);
}

/** Takes one from a budget, and gives the fields that tell how much of it is left; a spent one is a problem with the time to come again. */
export async function spend(
  services: Budgeting,
  what: BudgetName,
  who: string,
  detail: string,
  limit?: number,
): Promise<Record<string, string>> {
  return fieldsOrProblem(services, what, await take(services, what, who, limit), detail, limit);
}

/** The problem of a budget that is spent, by its name. */
export function spent(what: BudgetName, detail: string, seconds: number, limit?: number): Problem {
  return tooOften(detail, seconds, rateLimitFields(what, 0, seconds, limit));
}

/** How many seconds of the window of a budget are left. */
export function secondsLeft(what: BudgetName, now: number): number {
  const { windowMs } = BUDGETS[what];
  return secondsUntil(now - (now % windowMs) + windowMs, now);
}

function secondsUntil(resetAt: number, now: number): number {
  return Math.max(1, Math.ceil((resetAt - now) / 1000));
}

/** The same for a budget of those who ask from one place of the network, and from each network around it. */
export async function spendFrom(services: Budgeting, what: BudgetName, sourceIp: string, detail: string): Promise<Record<string, string>> {
  const { store, clock } = services;
  const now = clock();
  const budgets = budgetsFrom(sourceIp, { what, ...BUDGETS[what] });
  const [own, ...around] = await Promise.all(budgets.map((budget) => store.takeFromBudget(budget, now)));
  const told = around.find(({ granted }) => !granted) ?? own;
  if (told === undefined) throw new Error('a request comes from somewhere');
  return fieldsOrProblem(services, what, told, detail);
}

/** The budgets that are charged to who asks from one place of the network: that of the place, and those of the networks around it. */
export function budgetsFrom(sourceIp: string, { what, limit, windowMs }: Omit<Budget, 'who'>): Budget[] {
  return networksOf(sourceIp).map(({ who, times }) => ({ what, who, limit: limit * times, windowMs }));
}

/** A network that a request comes from, and how many times as much as one source it may have. */
export type SourceNetwork = { readonly who: string; readonly times: number };

// Of IPv6 one customer has a /64 at least, often a /56, and a company or a tunnel a /48 (RFC 6177): what they may have together
// grows far slower than the number of networks in it.
const IPV6_NETWORKS = [
  { bits: 64, times: 1 },
  { bits: 56, times: 2 },
  { bits: 48, times: 4 },
] as const;

const IPV4_MAPPED = 0xffffn; // ::ffff:0:0/96, in which a socket of both families shows IPv4: one /64, and not one customer

const dotted = (value: bigint) => [24n, 16n, 8n, 0n].map((bits) => (value >> bits) & 0xffn).join('.');

/** Who is asking, as far as the network shows: an IPv4 address; or of an IPv6 address the networks around it, the narrowest first. */
export function networksOf(sourceIp: string): readonly SourceNetwork[] {
  const address = parseAddress(sourceIp);
  if (address?.family !== 6) return [{ who: sourceIp, times: 1 }];
  if (address.value >> 32n === IPV4_MAPPED) return [{ who: dotted(address.value & 0xffff_ffffn), times: 1 }];
  return IPV6_NETWORKS.map(({ bits, times }) => ({ who: `${(address.value >> BigInt(128 - bits)).toString(16)}::/${bits}`, times }));
}

function fieldsOrProblem({ clock }: Budgeting, what: BudgetName, taken: Taken, detail: string, limit?: number): Record<string, string> {
  const seconds = secondsUntil(taken.resetAt, clock());
  const fields = rateLimitFields(what, taken.remaining, seconds, limit);
  if (taken.granted) return fields;
  throw tooOften(detail, seconds, fields);
}

/** The problem of a budget that is spent, with the time to come again. */
export function tooOften(detail: string, seconds: number, fields: Record<string, string> = {}): Problem {
  return new Problem(429, `${detail} Come again in ${waitWords(seconds)}.`, undefined, { 'retry-after': String(seconds), ...fields });
}

function waitWords(seconds: number): string {
  if (seconds < 120) return `${seconds} seconds`;
  return seconds < 2 * 60 * 60 ? `${Math.ceil(seconds / 60)} minutes` : `${Math.ceil(seconds / 3600)} hours`;
}

/** A budget of somebody, with a limit of their own where they have one. */
export function budgetOf(what: BudgetName, who: string, limit: number = BUDGETS[what].limit): Budget {
  return { what, who, ...BUDGETS[what], limit };
}

// draft-ietf-httpapi-ratelimit-headers-10: q and w are quota and window in seconds, r and t what is left and for how long.
function rateLimitFields(
  what: BudgetName,
  remaining: number,
  seconds: number,
  limit: number = BUDGETS[what].limit,
): Record<string, string> {
  const { windowMs } = BUDGETS[what];
  return { 'ratelimit-policy': `"${what}";q=${limit};w=${windowMs / 1000}`, ratelimit: `"${what}";r=${remaining};t=${seconds}` };
}
