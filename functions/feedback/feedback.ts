import * as z from 'zod';
import { countBounce } from '../../shared/accounts/stranger-mail.ts';
import type { Clock } from '../../shared/runtime/clock.ts';
import type { EventLog } from '../../shared/runtime/logging.ts';
import type { AuditStore } from '../../shared/store/audit-store.ts';

export type Services = {
  readonly store: Pick<AuditStore, 'settleNotice' | 'noteDelivery' | 'stopMail' | 'useOnce' | 'takeFromBudget' | 'giveBack'>;
  readonly clock: Clock;
  readonly log: EventLog;
};

const address = z.object({ emailAddress: z.string() });

const mail = z.object({ messageId: z.string(), tags: z.record(z.string(), z.array(z.string())).default({}) });

const TOLD_AGAIN_MS = 15 * 24 * 60 * 60_000; // longer than a queue of dead letters keeps an event

const ACCOUNT_ID = /^[0-9a-z-]{1,40}$/i;

const NOTICE_ID = /^[0-9a-z]+(-[0-9a-z]+)+$/;

// What SES publishes of a mail (SES developer guide, "Contents of event data that Amazon SES publishes to Amazon SNS").
const sesEvent = z.discriminatedUnion('eventType', [
  z.object({ eventType: z.literal('Send'), mail }),
  z.object({ eventType: z.literal('Delivery'), mail }),
  z.object({ eventType: z.literal('Reject'), mail, reject: z.object({ reason: z.string() }).optional() }),
  z.object({
    eventType: z.literal('Bounce'),
    mail,
    bounce: z.object({ bounceType: z.string(), bounceSubType: z.string().default(''), bouncedRecipients: z.array(address) }),
  }),
  z.object({
    eventType: z.literal('Complaint'),
    mail,
    complaint: z.object({ complaintSubType: z.string().nullish(), complainedRecipients: z.array(address) }),
  }),
]);

const anyEvent = z.object({ eventType: z.string() });

type SesEvent = z.output<typeof sesEvent>;

/**
 * Takes one event of SES about a mail of ours. It settles the notice of a sender who died between SES's acceptance and our
 * note, stops mail to addresses that bounce for good or call it spam, and counts a bounce against who caused the mail. In any order,
 * any number of times, it comes out the same. Throws on what is no event of SES; no error holds a part of the event, which names readers.
 */
export async function takeEvent(body: string, services: Services): Promise<void> {
  const read = parseJson(body);
  const { eventType } = anyEvent.parse(read);
  const known = sesEvent.options.some(({ shape }) => shape.eventType.value === eventType);
  if (!known) return services.log.info('an event of SES that is of no use here', { eventType });
  const event = sesEvent.parse(read);
  const [noticeId] = event.mail.tags.notice ?? [];
  if (noticeId !== undefined && NOTICE_ID.test(noticeId)) await noteNotice(noticeId, event, services);
  await stopMail(event, services);
  await countAgainstCause(event, services);
}

async function noteNotice(noticeId: string, event: SesEvent, { store, clock, log }: Services): Promise<void> {
  const { messageId } = event.mail;
  const outcome = { Send: 'sent', Delivery: 'delivered', Reject: 'rejected', Bounce: 'bounced', Complaint: 'complained' } as const;
  // SES has taken it, whatever became of it then: it is not sent again.
  const wasOwed = await store.settleNotice(noticeId, { outcome: 'sent', messageId }, clock());
  if (wasOwed) log.info('settled by an event of SES', { noticeId, eventType: event.eventType });
  if (event.eventType !== 'Send') await store.noteDelivery(noticeId, outcome[event.eventType]);
  if (event.eventType === 'Reject') log.error('SES took a mail and did not send it', { noticeId, why: event.reject?.reason });
}

// A bounce that may be of the moment, as of a full mailbox, stops nothing. What SES's own suppression list holds back it reports
// as a bounce or a complaint, too: SES will not deliver to that address, so it is stopped here as well, and its account can see it.
// Other complaints are about what one account had mailed, and end that; or about mails that a stranger may have asked for.
async function stopMail(event: SesEvent, { store, clock, log }: Services): Promise<void> {
  const stop = stopOf(event);
  if (stop === undefined) return;
  const { why, subType, recipients, of } = stop;
  await Promise.all(recipients.map(({ emailAddress }) => store.stopMail(plain(emailAddress), why, clock(), of)));
  log.info('no more mail to an address', { why, subType, messageId: event.mail.messageId });
}

function stopOf(event: SesEvent) {
  if (event.eventType === 'Bounce' && event.bounce.bounceType === 'Permanent')
    return { why: 'bounced', subType: event.bounce.bounceSubType, recipients: event.bounce.bouncedRecipients, of: undefined } as const;
  if (event.eventType !== 'Complaint') return undefined;
  const { complaintSubType: subType, complainedRecipients: recipients } = event.complaint;
  return { why: 'complained', subType, recipients, of: subType === SUPPRESSED ? undefined : aboutOf(event) } as const;
}

const SUPPRESSED = 'OnAccountSuppressionList';

// Mails from before they carried tags say neither: then nothing goes to the address any more.
function aboutOf({ mail: { tags } }: SesEvent): 'unasked' | { accountId: string } | undefined {
  const [accountId] = tags.account ?? [];
  if (accountId !== undefined && ACCOUNT_ID.test(accountId)) return { accountId };
  return tags.cause === undefined ? undefined : 'unasked';
}

// SES may tell twice; the budget is charged once.
async function countAgainstCause(event: SesEvent, { store, clock }: Services): Promise<void> {
  const [cause] = event.mail.tags.cause ?? [];
  const bouncedForGood = event.eventType === 'Bounce' && event.bounce.bounceType === 'Permanent';
  if (!bouncedForGood || cause === undefined) return;
  const now = clock();
  if (await store.useOnce(`bounce-${event.mail.messageId}`, now + TOLD_AGAIN_MS)) await countBounce(store, cause, now);
}

// SES may give an address as it stood in the header, `Name <address>`.
function plain(text: string): string {
  return (/<([^<>]+)>\s*$/.exec(text)?.[1] ?? text).trim();
}

// The words of JavaScript's own error quote what they could not read.
function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new Error('a message of the feedback queue is not JSON');
  }
}
