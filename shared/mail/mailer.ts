import { SESClient, SESServiceException, SendEmailCommand } from '@aws-sdk/client-ses';
import type { Mail } from './letter.ts';

/** How handing over a mail went. `refused`: SES said no, it certainly did not leave. Throws when that cannot be told. */
export type Handover = { readonly kind: 'accepted'; readonly messageId: string } | { readonly kind: 'refused'; readonly why: string };

/** Hands one mail for one recipient to SES, once; the id of its notice, if it has one, goes along as a message tag, by which SES's events name it. */
export type Send = (mail: Mail, recipient: string, noticeId?: string) => Promise<Handover>;

const CONNECT_MS = 3_000;
const REQUEST_MS = 10_000;

/** The only door to SES. Retries are off: a retry after an answer that was lost would send the mail twice. */
export function sesMailer(from: string, client: SESClient = newClient()): Send {
  return async (mail, recipient, noticeId) => {
    const command = new SendEmailCommand({
      Source: from,
      Destination: { ToAddresses: [recipient] },
      Message: {
        Subject: { Data: mail.subject, Charset: 'UTF-8' },
        Body: { Text: { Data: mail.text, Charset: 'UTF-8' }, Html: { Data: mail.html, Charset: 'UTF-8' } },
      },
      ...(noticeId === undefined ? {} : { Tags: [{ Name: 'notice', Value: noticeId }] }),
    });
    try {
      const { MessageId } = await client.send(command);
      return { kind: 'accepted', messageId: MessageId ?? 'unnamed' };
    } catch (error) {
      if (error instanceof SESServiceException && error.$fault === 'client')
        return { kind: 'refused', why: `${error.name}: ${error.message}` };
      throw error;
    }
  };
}

function newClient(): SESClient {
  return new SESClient({ maxAttempts: 1, requestHandler: { connectionTimeout: CONNECT_MS, requestTimeout: REQUEST_MS } });
}
