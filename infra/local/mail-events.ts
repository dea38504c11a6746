import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { CREDENTIALS, REGION } from './engines/engine.ts';
import type { Ses, StoredMail } from './engines/ses.ts';

/** How often an event comes and how late; tests lose, double and delay events with it. */
export type EventPolicy = (event: MailEvent) => { readonly copies: number; readonly delaySeconds: number };

/** An event of SES about a mail, as it publishes them. */
export type MailEvent = {
  readonly eventType: 'Send' | 'Delivery' | 'Bounce' | 'Complaint';
  readonly mail: object;
  readonly [more: string]: unknown;
};

const ONCE: EventPolicy = () => ({ copies: 1, delaySeconds: 0 });

/**
 * Publishes what SES would of the mails that the endpoint took: that each was sent, and delivered, or what AWS's mailbox
 * simulator does with its addresses. The endpoint itself publishes nothing. How far it has got is kept in `folder`, so that
 * no mail's events are lost when the machine stops; those of the last may come twice.
 */
export function startMailEvents(folder: string, ses: Ses, queueUrl: string, policy: EventPolicy = ONCE) {
  const progress = join(folder, 'mail-events.json');
  const client = new SQSClient({ region: REGION, credentials: CREDENTIALS, endpoint: new URL(queueUrl).origin });
  let done = existsSync(progress) ? Number(readFileSync(progress, 'utf8')) : ses.mails().length;
  let running: Promise<void> = Promise.resolve();
  const publish = async () => {
    for (let mail = ses.mails()[done]; mail !== undefined; mail = ses.mails()[done]) {
      for (const event of eventsOf(mail)) {
        const { copies, delaySeconds } = policy(event);
        const MessageBody = JSON.stringify(event);
        for (let copy = 0; copy < copies; copy++)
          await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody, DelaySeconds: delaySeconds }));
      }
      done++;
      writeFileSync(progress, String(done));
    }
  };
  const more = () => {
    running = running.then(publish, publish);
    running.catch(() => {}); // the queue is gone, as at the end; the next start goes on
  };
  ses.onMail(more);
  more();
  return {
    async stop() {
      await running.catch(() => {});
      client.destroy();
    },
  };
}

const SIMULATOR = 'simulator.amazonses.com'; // AWS's mailbox simulator

/** The events of a mail, in the order in which they come. */
export function eventsOf({ messageId, noticeId, destination }: StoredMail): MailEvent[] {
  const [to = ''] = destination.to;
  const recipients = [{ emailAddress: to }];
  const mail = { messageId, destination: destination.to, tags: noticeId === undefined ? {} : { notice: [noticeId] } };
  const send = { eventType: 'Send', mail, send: {} } as const;
  const bounce = (bounceSubType: string) =>
    ({ eventType: 'Bounce', mail, bounce: { bounceType: 'Permanent', bounceSubType, bouncedRecipients: recipients } }) as const;
  const delivery = { eventType: 'Delivery', mail, delivery: { recipients: destination.to } } as const;
  if (to === `bounce@${SIMULATOR}`) return [send, bounce('General')];
  if (to === `suppressionlist@${SIMULATOR}`) return [send, bounce('OnAccountSuppressionList')];
  if (to === `complaint@${SIMULATOR}`)
    return [send, delivery, { eventType: 'Complaint', mail, complaint: { complainedRecipients: recipients } }];
  return [send, delivery];
}
