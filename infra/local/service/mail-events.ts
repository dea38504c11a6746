import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { CREDENTIALS, REGION } from '../engines/engine.ts';
import { mailsAfter, type Ses, type StoredMail } from '../engines/ses.ts';

/** How often an event comes and how late; tests lose, double and delay events with it. */
export type EventPolicy = (event: MailEvent) => { readonly copies: number; readonly delaySeconds: number };

/** An event of SES about a mail, as it publishes them. */
export type MailEvent = {
  readonly eventType: 'Send' | 'Delivery' | 'Bounce' | 'Complaint';
  readonly mail: object;
  readonly [more: string]: unknown;
};

const ONCE: EventPolicy = () => ({ copies: 1, delaySeconds: 0 });
const AGAIN_MS = 1_000; // after the queue did not take an event

/**
 * Publishes what SES would of the mails that the endpoint took: that each was sent, and delivered, or what AWS's mailbox
 * simulator does with its addresses. The endpoint itself publishes nothing. The last mail that is done is kept in `folder`, so
 * that no mail's events are lost when the machine stops; those of one mail may come twice.
 */
export function startMailEvents(folder: string, ses: Ses, queueUrl: string, onError: (error: unknown) => void, policy: EventPolicy = ONCE) {
  const progress = progressIn(folder);
  const client = new SQSClient({ region: REGION, credentials: CREDENTIALS, endpoint: new URL(queueUrl).origin });
  let done = ses.mails().length - mailsAfter(ses.mails(), progress.last()).length;
  let stopping = false;
  let wake = () => {};
  ses.onMail(() => wake());
  const publish = async (event: MailEvent) => {
    const { copies, delaySeconds } = policy(event);
    const message = { QueueUrl: queueUrl, MessageBody: JSON.stringify(event), DelaySeconds: delaySeconds };
    for (let copy = 0; copy < copies; copy++) await client.send(new SendMessageCommand(message));
  };
  const loop = async () => {
    while (!stopping) {
      const mail = ses.mails()[done];
      try {
        if (mail === undefined) {
          await new Promise<void>((woken) => {
            wake = woken;
          });
          continue;
        }
        for (const event of eventsOf(mail)) await publish(event);
        progress.note(mail);
        done++;
      } catch (error) {
        if (stopping) return;
        onError(error);
        await new Promise((later) => setTimeout(later, AGAIN_MS));
      }
    }
  };
  const running = loop();
  return {
    async stop() {
      stopping = true;
      wake();
      await running;
      client.destroy();
    },
  };
}

// The last mail whose events are in the queue: a message id, written whole or not at all.
function progressIn(folder: string) {
  const file = join(folder, 'mail-events.last');
  return {
    last: () => (existsSync(file) ? { messageId: readFileSync(file, 'utf8') } : undefined),
    note({ messageId }: StoredMail) {
      writeFileSync(`${file}.new`, messageId);
      renameSync(`${file}.new`, file);
    },
  };
}

// AWS's mailbox simulator, with or without a label.
const SIMULATED = /^(bounce|complaint|suppressionlist)(?:\+[^@]*)?@simulator\.amazonses\.com$/i;

// The events of a mail, in the order in which they come.
function eventsOf({ messageId, noticeId, tags, recipient, destination }: StoredMail): MailEvent[] {
  const to = recipient ?? destination.to[0] ?? '';
  const recipients = [{ emailAddress: to }];
  const told = { ...tags, ...(noticeId === undefined ? {} : { notice: noticeId }) };
  const mail = { messageId, destination: [to], tags: Object.fromEntries(Object.entries(told).map(([name, value]) => [name, [value]])) };
  const send = { eventType: 'Send', mail, send: {} } as const;
  const delivery = { eventType: 'Delivery', mail, delivery: { recipients: [to] } } as const;
  const bounce = (bounceSubType: string) =>
    ({ eventType: 'Bounce', mail, bounce: { bounceType: 'Permanent', bounceSubType, bouncedRecipients: recipients } }) as const;
  switch (SIMULATED.exec(to)?.[1]?.toLowerCase()) {
    case 'bounce':
      return [send, bounce('General')];
    case 'suppressionlist':
      return [send, bounce('Suppressed')];
    case 'complaint':
      return [send, delivery, { eventType: 'Complaint', mail, complaint: { complainedRecipients: recipients } }];
    default:
      return [send, delivery];
  }
}
