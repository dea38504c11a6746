import { createHash } from 'node:crypto';
import { type GroupNotice, type MailNotice, type Notice, ofHosts, type WebhookNotice } from '../../shared/domain/notice.ts';
import type { Send } from '../../shared/mail/mailer.ts';
import { renderNotice } from '../../shared/mail/templates.ts';
import type { Clock } from '../../shared/runtime/clock.ts';
import type { EventLog } from '../../shared/runtime/logging.ts';
import type { AuditStore } from '../../shared/store/audit-store.ts';

export type Services = {
  readonly store: Pick<
    AuditStore,
    | 'claimNotice'
    | 'settleNotice'
    | 'releaseNotice'
    | 'findAccount'
    | 'findHost'
    | 'mailStops'
    | 'openAlertWindow'
    | 'joinGroup'
    | 'takeFromBudget'
    | 'giveBack'
  >;
  readonly send: Send;
  /** Calls the webhook of a notice. */
  readonly call: (notice: WebhookNotice) => Promise<Called>;
  readonly clock: Clock;
  readonly wait: (ms: number) => Promise<unknown>;
  readonly log: EventLog;
  /** Where the API and the pages answer, without a slash at the end. */
  readonly siteUrl: string;
  readonly egressAddresses: readonly string[];
  /** The link by which a reader ends this account's mail to them. */
  readonly unsubscribeUrl: (accountId: string, recipient: string) => string;
  readonly claimLeaseMs: number;
  /** How long alerts of further hosts of an account are gathered after one was mailed. */
  readonly gatherMs: number;
};

/** What came of a call to a webhook. */
export type Called = { readonly kind: 'taken' } | { readonly kind: 'refused'; readonly why: string };

const WAIT_MS = 60_000; // after a refusal; doubles with each, up to an hour
const WAIT_LIMIT_MS = 3_600_000;
// About eighteen hours of calls, or longer where too many of the account's calls fail. After that the owner can have it repeated.
const WEBHOOK_TRIES = 24;
// Ends a notice that had few of its calls, or none, because too many of the account's calls fail.
const WEBHOOK_AGE_MS = 48 * 3_600_000;
const TOLD_AFTER_MS = 11_000; // since it began, of a call that was not taken: none takes longer than ten seconds
const GONE = 'its host was removed';
const TOO_MANY = 'too many calls of the webhooks of this account failed in this hour';
// Of one account, calls that were not taken: its webhooks may be anybody's servers, and each of these keeps one of ten senders for eleven seconds.
const CALLS = { what: 'webhook-calls', limit: 60, windowMs: 3_600_000 };

/**
 * Sends one notice: claim, hand over once, settle. Whoever does not get the claim does nothing, since the notice is settled
 * or somebody else's. When we cannot tell whether SES took a mail, the claim is left to run out: until then SES's events may
 * settle it, and only without one is it sent again, the one case in which a recipient may get a mail twice. Of hosts that are
 * gone nothing is told, by what the table says right before the handover.
 */
export async function notify(noticeId: string, services: Services): Promise<void> {
  const { store, clock } = services;
  const now = clock();
  const claim = await store.claimNotice(noticeId, now, now + services.claimLeaseMs);
  if (claim === undefined) return;
  const { notice, tries, repeatedAt = notice.owedAt } = claim;
  // Here too, so that it neither opens a window nor joins a group.
  if ((await whatRemains(notice, store)) === undefined) return withhold(notice, GONE, now, services);
  if (notice.channel === 'webhook') return callWebhook(notice, { tries, isOld: now - repeatedAt >= WEBHOOK_AGE_MS }, now, services);
  const [stop] = await store.mailStops(notice.accountId, [notice.recipient]);
  if (stop !== undefined) return withhold(notice, stop.why, now, services);
  if (notice.about === 'host' && (await isGathered(notice, now, services))) return;
  await mail(notice, tries, now, services);
}

// What a notice tells of hosts that are still there; undefined when that is nothing. Hosts go before their account does, and may be left
// behind by a removal that broke off.
async function whatRemains<N extends Notice>(notice: N, store: Services['store']): Promise<N | undefined> {
  const { accountId } = notice;
  if ((await store.findAccount(accountId)) === undefined) return undefined;
  const ids = new Set(notice.about === 'host' ? [notice.hostId] : notice.hosts.map(({ hostId }) => hostId));
  const hosts = await Promise.all([...ids].map((id) => store.findHost(accountId, id)));
  return ofHosts(notice, new Set(hosts.flatMap((host) => host?.id ?? [])));
}

async function withhold({ id }: Notice, why: string, now: number, { store, log }: Services): Promise<void> {
  await store.settleNotice(id, { outcome: 'withheld', why }, now);
  log.info('withheld', { noticeId: id, why });
}

async function mail(claimed: MailNotice | GroupNotice, tries: number, began: number, services: Services): Promise<void> {
  const { store, clock, siteUrl, egressAddresses } = services;
  const notice = await whatRemains(claimed, store);
  if (notice === undefined) return withhold(claimed, GONE, began, services);
  const unsubscribeUrl = services.unsubscribeUrl(notice.accountId, notice.recipient);
  const letter = renderNotice(notice, { siteUrl, egressAddresses, unsubscribeUrl });
  const handover = await services.send(letter, notice.recipient, { notice: notice.id, account: notice.accountId });
  if (handover.kind === 'refused') return release(notice, began + waitAfter(tries), handover.why, services);
  await store.settleNotice(notice.id, { outcome: 'sent', messageId: handover.messageId }, clock());
  services.log.info('mailed', { noticeId: notice.id, ...named(notice) });
}

// `tries` are the calls with the coming one; what `isOld` has none after it.
type Standing = { readonly tries: number; readonly isOld: boolean };

// Its owner must not see how long a call took that was not taken: a closed port refuses at once, a silent one does not. So that is
// written down a fixed time after the call began, and the times that are written follow from when it began.
async function callWebhook(notice: WebhookNotice, { tries, isOld }: Standing, began: number, services: Services): Promise<void> {
  const { store, clock } = services;
  const budget = { ...CALLS, who: notice.accountId };
  const { granted, resetAt } = await store.takeFromBudget(budget, began);
  if (!granted && isOld) return settleCall(notice, { outcome: 'given-up', why: TOO_MANY }, began, services);
  if (!granted) return release(notice, resetAt, TOO_MANY, services, false);
  if ((await whatRemains(notice, store)) === undefined) {
    await store.giveBack(budget, began);
    return withhold(notice, GONE, began, services);
  }
  const called = await services.call(notice);
  if (called.kind === 'taken') await store.giveBack(budget, began);
  if (called.kind === 'refused') await services.wait(Math.max(0, began + TOLD_AFTER_MS - clock()));
  if (called.kind === 'taken') return settleCall(notice, { outcome: 'sent' }, began, services);
  if (isOld || tries >= WEBHOOK_TRIES) return settleCall(notice, { outcome: 'given-up', why: called.why }, began, services);
  await release(notice, began + waitAfter(tries), called.why, services);
}

type SettledCall = { readonly outcome: 'sent' } | { readonly outcome: 'given-up'; readonly why: string };

async function settleCall(notice: WebhookNotice, settled: SettledCall, began: number, { store, log }: Services): Promise<void> {
  await store.settleNotice(notice.id, settled, began);
  log.info('webhook', { noticeId: notice.id, ...named(notice), ...settled });
}

// The first alert goes at once. Those of other hosts that the same reader is owed within minutes become one mail.
async function isGathered(notice: MailNotice, now: number, services: Services): Promise<boolean> {
  const { accountId, recipient, hostId } = notice;
  const { store, log } = services;
  const window = await store.openAlertWindow({ accountId, recipient, hostId, now, until: now + services.gatherMs });
  if (window.hostId === hostId) return false;
  const groupId = groupIdOf(accountId, window.until, recipient);
  const joined = await store.joinGroup(notice, groupId, window.until, now);
  if (joined) log.info('gathered', { noticeId: notice.id, groupId });
  return joined;
}

// One for each window and reader.
function groupIdOf(accountId: string, until: number, recipient: string): string {
  const reader = createHash('sha256').update(recipient.toLowerCase()).digest('hex').slice(0, 20);
  return `${accountId}-group-${until}-${reader}`;
}

function waitAfter(tries: number): number {
  return Math.min(WAIT_MS * 2 ** Math.min(tries - 1, 10), WAIT_LIMIT_MS);
}

async function release(notice: Notice, dueAt: number, why: string, services: Services, tried = true): Promise<void> {
  await services.store.releaseNotice(notice.id, dueAt, why, tried);
  const fields = { noticeId: notice.id, why };
  // A webhook that refuses is its owner's to mend; a mail that SES refuses is ours.
  if (notice.channel === 'webhook') services.log.info('a webhook refused a notice; it will be tried again', fields);
  else services.log.error('SES refused a mail; it will be tried again', fields);
}

function named(notice: Notice): object {
  if (notice.about === 'hosts') return { hosts: notice.hosts.length };
  const { hostId, hostName, occasion, relay } = notice;
  return { hostId, host: hostName, occasion: occasion.kind, to: relay };
}
