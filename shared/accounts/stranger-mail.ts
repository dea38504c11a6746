import { createHash } from 'node:crypto';
import { getDomain } from 'tldts';
import { mailboxOf } from '../domain/mailbox.ts';
import { domainOfMailbox } from '../domain/proposal.ts';
import { type Confirmation, issuedAt, type SealedConfirmation } from '../runtime/confirmation-token.ts';
import type { Secrets } from '../runtime/secrets.ts';
import type { AuditStore, Budget } from '../store/audit-store.ts';
import type { Operations } from './acting.ts';
import { networksOf } from './budgets.ts';

const HOUR = 60 * 60_000;
const DAY = 24 * HOUR;

/** What kind of mail somebody asks for in the name of a mailbox. Each has budgets of its own. */
export type AskedMail = Confirmation['kind'];

/**
 * Mails that one mailbox gets in a day because of who has not shown that they read it: one of each kind, so three in all. A mail whose
 * link is used was wanted, and counts no more.
 */
const MAILBOX_DAY = 1;

/** The same in 30 days, by who is not known here and for a mailbox that is not: enough for who begins, and too few for who wants to be a nuisance. */
const MAILBOX_MONTH: Readonly<Record<AskedMail, number>> = { account: 3, recipient: 3, 'sign-in': 6 };

/**
 * Mails of one kind to mailboxes of one domain in a day, and to all in an hour. `rest` is for those who ask for few: whoever floods us
 * never reaches it. All that SES may see bounce by a flood is some hundreds a day, of a sender that mails thousands.
 */
const DOMAIN_DAY = { open: 30, rest: 10 };
const ALL_HOUR = { open: 60, rest: 20 };

/** Mails that one source may cause in a day, and how many are few. What bounces for good counts as several. */
const CAUSED_DAY = 20;
const FEW = 3;
const BOUNCE_COUNTS = 5;

const CAUSE_BYTES = 12;
const CAUSE_LENGTH = 16; // characters of so many bytes as base64url

/** Who causes mails: an account, or the networks that a request comes from, the narrowest first. The ids do not show which. */
export type Cause = readonly { readonly id: string; readonly times: number }[];

/** The cause of a mail that a request from this address asks for. */
export function causeFrom(secrets: Secrets, sourceIp: string): Cause {
  return networksOf(sourceIp).map(({ who, times }) => ({ id: secrets.mac('cause', who, CAUSE_BYTES), times }));
}

/** The cause of a mail that an account asks for. */
export function causeOfAccount(secrets: Secrets, accountId: string): Cause {
  return [{ id: secrets.mac('cause', `account ${accountId}`, CAUSE_BYTES), times: 1 }];
}

/** A cause as one text, for a message tag of SES or a token. */
export function packCause(cause: Cause): string {
  return cause.map(({ id }) => id).join('');
}

/** A mail that somebody asks for. */
export type MailWish = {
  readonly kind: AskedMail;
  readonly email: string;
  readonly cause: Cause;
  /** What the crowd asks for does not stop it: the mailbox, or who asks, is known here. It counts all the same. */
  readonly pastCrowd: boolean;
};

/** Whether a mail may leave, and what the asker may be told, which is the same for every mailbox. */
export type MailLeave = {
  readonly granted: boolean;
  /** The mailbox has had its mails. Only a signed-in account is told. */
  readonly mailboxFull: boolean;
  readonly told: 'nothing' | 'crowded' | { readonly kind: 'too-many'; readonly resetAt: number };
  /** Gives everything back, when no mail was sent after all. */
  readonly giveBack: () => Promise<void>;
};

type Store = Pick<AuditStore, 'takeFromBudget' | 'giveBack'>;

/** Takes a mail from every budget that it must fit into. */
export async function takeMail(
  { store, clock }: Pick<Operations, 'clock'> & { readonly store: Store },
  wish: MailWish,
): Promise<MailLeave> {
  const now = clock();
  const caused = await takeCaused(store, wish.cause, now);
  if (caused.resetAt !== undefined)
    return { granted: false, mailboxFull: false, told: { kind: 'too-many', resetAt: caused.resetAt }, giveBack: async () => {} };
  const [domain, all, mailbox] = await Promise.all([
    takePart(store, domainBudget(wish), DOMAIN_DAY, caused.few, now),
    takePart(store, allBudget(wish.kind), ALL_HOUR, caused.few, now),
    takeAll(store, mailboxBudgets(wish), now),
  ]);
  const crowd = [domain, all].flatMap((taken) => taken ?? []);
  const crowded = crowd.length < 2;
  const granted = mailbox.granted && (wish.pastCrowd || !crowded);
  // A refused request mails nobody, so it uses up nothing of the mailbox's day.
  const unused = [...(granted && !crowded ? [] : crowd), ...(granted ? [] : mailbox.taken)];
  await giveAllBack(store, unused, now);
  const rest = [...caused.taken, ...mailbox.taken, ...crowd].filter((each) => !unused.includes(each));
  return { granted, mailboxFull: !mailbox.granted, told: crowded ? 'crowded' : 'nothing', giveBack: () => giveAllBack(store, rest, now) };
}

/** Takes a mail that tells an owner of a pause, which a stranger causes: one a day, which no other kind of mail can use up. */
export async function takePauseMail(
  { store, clock }: Pick<Operations, 'clock'> & { readonly store: Store },
  email: string,
): Promise<boolean> {
  return (await store.takeFromBudget(dayBudget('pause', email), clock())).granted;
}

/**
 * Of a mail whose link was used: it was wanted, so it counts neither against its mailbox nor against who asked for it. One that its
 * reader asked for names no cause, since it never counted.
 */
export async function mailWasWanted({ store }: { readonly store: Store }, wanted: SealedConfirmation): Promise<void> {
  const causes = causesIn(wanted.cause ?? '');
  if (causes.length === 0) return;
  const budgets = [...mailboxBudgets({ kind: wanted.kind, email: wanted.email, pastCrowd: false }), ...causes.map(causeBudget)];
  await giveAllBack(store, budgets, issuedAt(wanted));
}

/** A mail came back because its mailbox does not exist: its causer may cause fewer others today. */
export async function countBounce(store: Store, packed: string, now: number): Promise<void> {
  const budgets = causesIn(packed).map(causeBudget);
  for (let count = 0; count < BOUNCE_COUNTS; count++) await Promise.all(budgets.map((budget) => store.takeFromBudget(budget, now)));
}

// A source that has asked for few today is `few` in each of its networks: a flood from one /48 is none, wherever in it it comes from.
async function takeCaused(store: Store, cause: Cause, now: number) {
  const taken = await Promise.all(
    cause.map(async (each) => {
      const budget = causeBudget(each);
      return { budget, times: each.times, ...(await store.takeFromBudget(budget, now)) };
    }),
  );
  const refused = taken.find(({ granted }) => !granted);
  return {
    taken: taken.map(({ budget }) => budget),
    few: taken.every(({ budget, remaining, times }) => budget.limit - remaining <= FEW * times),
    resetAt: refused?.resetAt,
  };
}

// The budget that one was taken from: the open part, or for those who ask for few the rest.
async function takePart(store: Store, part: Omit<Budget, 'limit'>, limits: { open: number; rest: number }, few: boolean, now: number) {
  const open = { ...part, limit: limits.open };
  if ((await store.takeFromBudget(open, now)).granted) return open;
  const rest = { ...part, what: `${part.what}-rest`, limit: limits.rest };
  return few && (await store.takeFromBudget(rest, now)).granted ? rest : undefined;
}

async function takeAll(store: Store, budgets: readonly Budget[], now: number): Promise<{ granted: boolean; taken: Budget[] }> {
  const taken: Budget[] = [];
  for (const budget of budgets) {
    if (!(await store.takeFromBudget(budget, now)).granted) return { granted: false, taken };
    taken.push(budget);
  }
  return { granted: true, taken };
}

async function giveAllBack(store: Store, budgets: readonly Budget[], takenAt: number): Promise<void> {
  await Promise.all(budgets.map((budget) => store.giveBack(budget, takenAt)));
}

function causeBudget({ id, times }: Cause[number]): Budget {
  return { what: 'mail-cause', who: id, limit: CAUSED_DAY * times, windowMs: DAY };
}

function causesIn(packed: string): Cause {
  const ids = packed.match(new RegExp(`.{${CAUSE_LENGTH}}`, 'g')) ?? [];
  return ids.slice(0, 3).map((id, index) => ({ id, times: 2 ** index }));
}

function mailboxBudgets({ kind, email, pastCrowd }: Omit<MailWish, 'cause'>): Budget[] {
  const day = dayBudget(kind, email);
  const month = { ...day, limit: MAILBOX_MONTH[kind], windowMs: 30 * DAY };
  return pastCrowd ? [day] : [day, month];
}

function dayBudget(kind: AskedMail | 'pause', email: string): Budget {
  return { what: `mail-${kind}`, who: mailboxHash(email), limit: MAILBOX_DAY, windowMs: DAY };
}

/** The mailbox of an address, for the name of a budget. */
export function mailboxHash(email: string): string {
  return createHash('sha256').update(mailboxOf(email)).digest('base64url');
}

function domainBudget({ kind, email }: Pick<MailWish, 'kind' | 'email'>) {
  const domain = domainOfMailbox(email);
  return { what: `mail-${kind}-domain`, who: getDomain(domain) ?? domain, windowMs: DAY };
}

function allBudget(kind: AskedMail) {
  return { what: `mail-${kind}-all`, who: 'all', windowMs: HOUR };
}
