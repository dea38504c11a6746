import * as z from 'zod';

const text = z.string();

// What SES publishes of a mail that it kept (SES developer guide, "Contents of notifications for Amazon SES email receiving").
const received = z.object({
  notificationType: z.literal('Received'),
  mail: z.object({
    messageId: text,
    /** The sender in the envelope; empty for a bounce. */
    source: text.default(''),
    headers: z.array(z.object({ name: text, value: text })),
  }),
  receipt: z.object({ recipients: z.array(text) }),
});

const anyNotification = z.object({ notificationType: text.optional() });

/** A mail to the canary domain: its envelope, and the headers of it that SES hands over (10 KiB). */
export type ReceivedMail = Pick<z.output<typeof received>, 'mail' | 'receipt'>;

/**
 * Reads what SES published of a mail. Undefined where it is about no mail: SES says in plain text that it may publish, when the topic is
 * set up. Throws on a mail that it cannot read; no error holds a part of it.
 */
export function readReceived(body: string): ReceivedMail | undefined {
  const read = parseJson(body);
  if (anyNotification.safeParse(read).data?.notificationType !== 'Received') return undefined;
  const { data } = received.safeParse(read);
  if (data === undefined) throw new Error('a mail in another form than SES documents');
  return data;
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
