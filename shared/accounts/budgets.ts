import { parseAddress } from '../domain/address.ts';
import type { Budget, Taken } from '../store/audit-store.ts';
import type { Services } from './acting.ts';
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
  /** Confirmation mails to one mail address in a day: whoever asks in somebody else's name must not become a nuisance to them. */
  'confirm-day': { limit: 1, windowMs: DAY },
  'confirm-month': { limit: 3, windowMs: 30 * DAY },
  /** Views and forms of the pages, of one account: four a second, more than somebody who watches a scan in several windows. */
  pages: { limit: 240, windowMs: MINUTE },
  /** Links to sign in by that are asked for from one address of the network. */
  'sign-ins': { limit: 30, windowMs: HOUR },
  /** Links mailed to one mail address that has an account. */
  'sign-in-hour': { limit: 5, windowMs: HOUR },
  'sign-in-day': { limit: 15, windowMs: DAY },
  /** Links mailed to one that has none: enough for who begins, and too few for who wants to be a nuisance to somebody. */
  'sign-in-new-day': { limit: 3, windowMs: DAY },
  'sign-in-new-month': { limit: 6, windowMs: 30 * DAY },
  /** Confirmation mails to alert recipients that one account causes: its recipients may be anybody's addresses. */
  'recipient-mails': { limit: 20, windowMs: DAY },
  /** Scans on demand of one host: what its administrator needs who tries one remedy after the other. */
  'host-scans': { limit: 6, windowMs: HOUR },
  /** Hosts that one account registers, and scans that it asks for, in a day; how many goes by its quota of hosts. */
  registrations: { limit: 200, windowMs: DAY },
  'account-scans': { limit: 200, windowMs: DAY },
  /** Calls of one host's webhook that are asked for again: its receiver may be anybody's server. */
  'webhook-repeats': { limit: 10, windowMs: HOUR },
  /** Looks at the consent of one host: each asks DNS some twenty questions. One a minute is what a person needs who waits for a record. */
  'host-consent': { limit: 60, windowMs: HOUR },
} as const;

export type BudgetName = keyof typeof BUDGETS;

type Budgeting = Pick<Services, 'store' | 'clock'>;

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
  const taken = await take(services, what, who, limit);
  const seconds = secondsUntil(taken.resetAt, services.clock());
  if (!taken.granted) throw spent(what, detail, seconds, limit);
  return rateLimitFields(what, taken.remaining, seconds, limit);
}

/** The problem of a budget that is spent, with the time to come again. */
export function spent(what: BudgetName, detail: string, seconds: number, limit?: number): Problem {
  const again =
    seconds < 120 ? `${seconds} seconds` : seconds < 7200 ? `${Math.ceil(seconds / 60)} minutes` : `${Math.ceil(seconds / 3600)} hours`;
  return new Problem(429, `${detail} Come again in ${again}.`, undefined, {
    'retry-after': String(seconds),
    ...rateLimitFields(what, 0, seconds, limit),
  });
}

/** How many seconds of the window of a budget are left. */
export function secondsLeft(what: BudgetName, now: number): number {
  const { windowMs } = BUDGETS[what];
  return secondsUntil(now - (now % windowMs) + windowMs, now);
}

function secondsUntil(resetAt: number, now: number): number {
  return Math.max(1, Math.ceil((resetAt - now) / 1000));
}

/** Who is asking, as far as the network shows: an IPv4 address, or the /64 of an IPv6 address, which is one customer's to hand out. */
export function sourceOf(sourceIp: string): string {
  const address = parseAddress(sourceIp);
  return address?.family === 6 ? `${(address.value >> 64n).toString(16)}::/64` : sourceIp;
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
