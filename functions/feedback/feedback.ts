import * as z from 'zod';
import type { Clock } from '../../shared/runtime/clock.ts';
import type { AuditStore } from '../../shared/store/audit-store.ts';

export type Services = {
  readonly store: Pick<AuditStore, 'settleNotice' | 'noteDelivery' | 'stopMail'>;
  readonly clock: Clock;
  readonly log: { info: (message: string, fields: object) => void; error: (message: string, fields: object) => void };
};

const address = z.object({ emailAddress: z.string() });

const mail = z.object({ messageId: z.string(), tags: z.record(z.string(), z.array(z.string())).default({}) });

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
    complaint: z.object({ complainedRecipients: z.array(address) }),
  }),
]);

const anyEvent = z.object({ eventType: z.string() });

type SesEvent = z.output<typeof sesEvent>;

/**
 * Takes one event of SES about a mail of ours. It settles the notice of a sender who died between SES's acceptance and our
 * note, and stops mail to addresses that bounce for good or call it spam. In any order, any number of times, it comes out the
 * same. Throws on what is no event of SES.
 */
export async function takeEvent(body: string, services: Services): Promise<void> {
  const read: unknown = JSON.parse(body);
  const { eventType } = anyEvent.parse(read);
  const known = sesEvent.options.some(({ shape }) => shape.eventType.value === eventType);
  if (!known) return services.log.info('an event of SES that is of no use here', { eventType });
  const event = sesEvent.parse(read);
  const [noticeId] = event.mail.tags.notice ?? [];
  if (noticeId !== undefined) await noteNotice(noticeId, event, services);
  await stopMail(event, services);
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

// A bounce that may be of the moment, as of a full mailbox, stops nothing. One by SES's own suppression list is for good, too.
async function stopMail(event: SesEvent, { store, clock, log }: Services): Promise<void> {
  const why = event.eventType === 'Bounce' ? 'bounced' : 'complained';
  const recipients =
    event.eventType === 'Bounce' && event.bounce.bounceType === 'Permanent'
      ? event.bounce.bouncedRecipients
      : event.eventType === 'Complaint'
        ? event.complaint.complainedRecipients
        : [];
  await Promise.all(recipients.map(({ emailAddress }) => store.stopMail(plain(emailAddress), why, clock())));
  if (recipients.length > 0) log.info('no more mail to an address', { why, messageId: event.mail.messageId });
}

// SES may give an address as it stood in the header, `Name <address>`.
function plain(text: string): string {
  return (/<([^<>]+)>\s*$/.exec(text)?.[1] ?? text).trim();
}
