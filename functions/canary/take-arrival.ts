import type { Canary, Returns } from '../../shared/domain/canary.ts';
import type { ScanRef } from '../../shared/domain/scan.ts';
import { type Raising, raiseScan } from '../../shared/outcomes/raise-scan.ts';
import type { Clock } from '../../shared/runtime/clock.ts';
import { TOKEN_HEADER } from '../../shared/smtp/canary-message.ts';
import type { AuditStore } from '../../shared/store/audit-store.ts';
import { readBounce } from './read-bounce.ts';
import type { ReceivedMail } from './received-mail.ts';
import { receivedPath } from './received-path.ts';

export type Services = Raising & {
  readonly store: Pick<AuditStore, 'findCanary' | 'markCanary' | 'markBounced' | 'findOwed' | 'leaseScan'>;
  /** The id in a token, without a read; undefined when this deployment did not make it. */
  readonly readToken: (text: string) => string | undefined;
  /** The beginning of a mail as it came, one character a byte; undefined when it is not kept any more. Only asked for what may be a bounce. */
  readonly readMail: (messageId: string) => Promise<string | undefined>;
  readonly clock: Clock;
};

/**
 * What became of a mail. `raised`: it is an arrival, which its scan now has; `bounced`: a bounce, likewise. `waiting`: its scan is not
 * stored yet; whoever stores it finds the mark.
 */
export type Outcome = { readonly kind: 'raised' | 'bounced' | 'waiting' } | { readonly kind: 'ignored'; readonly why: Ignored };

/** Why a mail proves nothing. */
export type Ignored = 'a bounce' | 'no token' | 'a forged token' | 'an unknown canary' | 'another recipient';

type Mail = ReceivedMail['mail'];

// An arrival, or why a mail is none.
type Read = { readonly canary: Canary } | { readonly why: Ignored };

/**
 * Takes one mail that came to us: marks the canary that it is, or that it is a bounce of, then tells the scan that sent it, if that is
 * stored. As an arrival the token counts only in our own header of the mail itself: a bounce that quotes our message has it in its body.
 */
export async function takeArrival({ mail, receipt }: ReceivedMail, services: Services): Promise<Outcome> {
  const read = await readArrival(mail, receipt.recipients, services);
  if ('canary' in read) return arrived(read.canary, mail, services);
  const bounced = isFromNobody(mail) ? await takeBounce(mail, receipt.recipients, services) : undefined;
  if (bounced !== undefined) return bounced;
  services.log.info('a mail to the canary mailbox proves nothing', { mail: mail.messageId, why: read.why });
  return { kind: 'ignored', why: read.why };
}

async function readArrival(mail: Mail, recipients: readonly string[], { store, readToken }: Services): Promise<Read> {
  if (isReport(mail)) return { why: 'a bounce' };
  const [token, ...more] = headersOf(mail, TOKEN_HEADER);
  if (token === undefined || more.length > 0) return { why: 'no token' };
  const canaryId = readToken(token.trim());
  if (canaryId === undefined) return { why: 'a forged token' };
  const canary = await store.findCanary(canaryId);
  if (canary === undefined) return { why: 'an unknown canary' };
  if (!isFor(canary, recipients)) return { why: 'another recipient' };
  // A bounce of a canary that was sent from its own recipient comes back to it, and may quote our headers as its own.
  return isFromNobody(mail) && canary.from !== '' ? { why: 'a bounce' } : { canary };
}

async function arrived(canary: Canary, mail: Mail, services: Services): Promise<Outcome> {
  const arrival = await services.store.markCanary(canary.id, { at: services.clock(), path: receivedPath(headersOf(mail, 'Received')) });
  if (arrival === undefined) return { kind: 'ignored', why: 'an unknown canary' };
  const { id, accountId, hostId, scanId, leg, test } = canary;
  services.log.info('a canary came back', { hostId, scanId, canaryId: id, leg, test });
  return (await told(services, { accountId, hostId, scanId }, { arrivals: [arrival], bounces: [] }))
    ? { kind: 'raised' }
    : { kind: 'waiting' };
}

// Undefined: it is no bounce of a canary.
async function takeBounce(mail: Mail, recipients: readonly string[], services: Services): Promise<Outcome | undefined> {
  const raw = await services.readMail(mail.messageId);
  const read = raw === undefined ? undefined : readBounce(raw);
  for (const token of read?.tokens ?? []) {
    const canaryId = services.readToken(token);
    const canary = canaryId === undefined ? undefined : await services.store.findCanary(canaryId);
    if (canary === undefined || !isFromOneOf(canary, recipients)) continue;
    const bounce = await services.store.markBounced(canary.id, { at: services.clock(), by: read?.by });
    if (bounce === undefined) return undefined;
    const { id, accountId, hostId, scanId, leg, test } = canary;
    services.log.info('a canary was bounced', { hostId, scanId, canaryId: id, leg, test, by: bounce.by });
    const kind = (await told(services, { accountId, hostId, scanId }, { arrivals: [], bounces: [bounce] })) ? 'bounced' : 'waiting';
    return { kind };
  }
  return undefined;
}

// Tells the scan, if it is stored. One that waits for its messages looks at once, and not only when its time is over.
async function told(services: Services, ref: ScanRef, returns: Returns): Promise<boolean> {
  if ((await raiseScan(services, ref, returns)) !== undefined) return true;
  const owed = await services.store.findOwed(ref.hostId, ref.scanId);
  if (owed?.begun?.awaits !== undefined) await services.store.leaseScan(ref, services.clock());
  return false;
}

// A report (RFC 3464) or an automatic answer (RFC 3834) says that a server took our message, not that it passed it on.
function isReport(mail: Mail): boolean {
  return (
    headersOf(mail, 'Content-Type').some((value) => /^\s*multipart\/report\b/i.test(value)) ||
    headersOf(mail, 'Auto-Submitted').some((value) => /^\s*auto-replied\b/i.test(value))
  );
}

function headersOf({ headers }: Mail, wanted: string): string[] {
  return headers.filter(({ name }) => name.toLowerCase() === wanted.toLowerCase()).map(({ value }) => value);
}

function isFromNobody({ source }: Mail): boolean {
  return source === '' || source === '<>';
}

/**
 * Whether a mail came to a mailbox that only messages of ours through this host go to: the recipient that the canary was sent with, or
 * that of another one. Whoever answers a canary writes to other mailboxes. Ours are in lower case throughout; a server on the way
 * may have written the domain in capitals.
 */
function isFor({ recipient, mailboxes }: Canary, recipients: readonly string[]): boolean {
  return recipients.some((each) => {
    const address = each.toLowerCase();
    if (address === recipient.toLowerCase()) return true;
    const at = address.lastIndexOf('@');
    if (mailboxes === undefined || at < 0 || !address.slice(0, at).startsWith(mailboxes.prefix)) return false;
    return address.slice(at + 1) === mailboxes.domain || address.endsWith(`.${mailboxes.domain}`);
  });
}

// A bounce goes to the sender that the envelope named, and to nobody else.
function isFromOneOf({ from }: Canary, recipients: readonly string[]): boolean {
  return from !== undefined && from !== '' && recipients.some((each) => each.toLowerCase() === from.toLowerCase());
}
