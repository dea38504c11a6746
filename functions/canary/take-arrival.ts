import type { SESEvent, SESMail, SESMessage } from 'aws-lambda';
import type { Canary } from '../../shared/domain/canary.ts';
import type { Clock } from '../../shared/runtime/clock.ts';
import { TOKEN_HEADER } from '../../shared/smtp/canary-message.ts';
import type { AuditStore } from '../../shared/store/audit-store.ts';
import { type Services as Raising, raiseScan } from '../../shared/store/raise-scan.ts';
import { receivedPath } from './received-path.ts';

export type Services = Raising & {
  readonly store: Pick<AuditStore, 'findCanary' | 'markCanary'>;
  /** The id in a token, without a read; undefined when this deployment did not make it. */
  readonly readToken: (text: string) => string | undefined;
  readonly clock: Clock;
};

/** What became of a mail. `waiting`: its scan is not stored yet; whoever stores it finds the arrival. */
export type Outcome = { readonly kind: 'raised' } | { readonly kind: 'waiting' } | { readonly kind: 'ignored'; readonly why: Ignored };

/** Why a mail proves nothing. */
export type Ignored = 'a bounce' | 'no token' | 'a forged token' | 'an unknown canary' | 'another recipient';

/**
 * Takes every mail of an event. Throws when one could not be taken, after all have had their turn: AWS then calls again,
 * and what was taken changes nothing more.
 */
export async function takeArrivals({ Records }: SESEvent, services: Services): Promise<Outcome[]> {
  const taken = await Promise.allSettled(Records.map(({ ses }) => takeArrival(ses, services)));
  return taken.map((each) => {
    if (each.status === 'rejected') throw each.reason;
    return each.value;
  });
}

/**
 * Takes one mail that came to the canary mailbox: marks the canary that it is, then raises the scan that sent it, if that
 * is stored. The token counts only in our own header of the mail itself: a bounce that quotes our message has it in its body.
 */
export async function takeArrival({ mail, receipt }: SESMessage, services: Services): Promise<Outcome> {
  const { store, log, clock } = services;
  const ignored = (why: Ignored): Outcome => {
    log.info('a mail to the canary mailbox proves nothing', { mail: mail.messageId, why });
    return { kind: 'ignored', why };
  };
  if (isBounce(mail)) return ignored('a bounce');
  const [token, ...more] = headersOf(mail, TOKEN_HEADER);
  if (token === undefined || more.length > 0) return ignored('no token');
  const canaryId = services.readToken(token.trim());
  if (canaryId === undefined) return ignored('a forged token');
  const canary = await store.findCanary(canaryId);
  if (canary === undefined) return ignored('an unknown canary');
  if (!isFor(canary, receipt.recipients)) return ignored('another recipient');
  // A bounce of a canary that was sent from its own recipient comes back to it, and may quote our headers as its own.
  if (mail.source === '' && !sentFromNobody(canary)) return ignored('a bounce');
  const arrival = await store.markCanary(canaryId, { at: clock(), path: receivedPath(headersOf(mail, 'Received')) });
  if (arrival === undefined) return ignored('an unknown canary');
  const { accountId, hostId, scanId } = canary;
  log.info('a canary came back', { hostId, scanId, canaryId, leg: arrival.leg, test: arrival.test });
  const scan = await raiseScan(services, { accountId, hostId, scanId }, [arrival]);
  return { kind: scan === undefined ? 'waiting' : 'raised' };
}

// A report (RFC 3464) or an automatic answer (RFC 3834) says that a server took our message, not that it passed it on.
function isBounce(mail: SESMail): boolean {
  return (
    headersOf(mail, 'Content-Type').some((value) => /^\s*multipart\/report\b/i.test(value)) ||
    headersOf(mail, 'Auto-Submitted').some((value) => /^\s*auto-replied\b/i.test(value))
  );
}

function headersOf({ headers }: SESMail, wanted: string): string[] {
  return headers.filter(({ name }) => name.toLowerCase() === wanted.toLowerCase()).map(({ value }) => value);
}

function sentFromNobody({ test }: Canary): boolean {
  return /\bnull\b/.test(test);
}

// Ours are in lower case throughout; a server on the way may have written the domain in capitals.
function isFor({ recipient }: Canary, recipients: readonly string[]): boolean {
  return recipients.some((each) => each.toLowerCase() === recipient.toLowerCase());
}
