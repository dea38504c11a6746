import { SESClient, SESServiceException, SendRawEmailCommand } from '@aws-sdk/client-ses';
import MailComposer from 'nodemailer/lib/mail-composer/index.js';
import type { Mail } from './letter.ts';

/** How handing over a mail went. `refused`: SES said no, it certainly did not leave. Throws when that cannot be told. */
export type Handover = { readonly kind: 'accepted'; readonly messageId: string } | { readonly kind: 'refused'; readonly why: string };

/** What SES's events about a mail say with it: the id of its notice, the account that it is about, who caused it. */
export type MailTags = { readonly notice?: string | undefined; readonly account?: string | undefined; readonly cause?: string | undefined };

/** Hands one mail for one recipient to SES, once. */
export type Send = (mail: Mail, recipient: string, tags?: MailTags) => Promise<Handover>;

// Its types do not know of `newline`.
type Options = ConstructorParameters<typeof MailComposer>[0] & { readonly newline: 'windows' };

const CONNECT_MS = 3_000;
const REQUEST_MS = 10_000;

/**
 * The only door to SES. Retries are off: a retry after an answer that was lost would send the mail twice. `configurationSet`
 * names the one that publishes SES's events; without one there are none.
 */
export function sesMailer(from: string, configurationSet?: string, client: SESClient = newClient()): Send {
  return async (mail, recipient, tags = {}) => {
    const named = tagsOf(tags);
    const command = new SendRawEmailCommand({
      Source: from,
      Destinations: [recipient],
      RawMessage: { Data: await messageOf(mail, from, recipient, named) },
      ...(configurationSet ? { ConfigurationSetName: configurationSet } : {}),
      ...(named.length === 0 ? {} : { Tags: named.map(([Name, Value]) => ({ Name, Value })) }),
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

type Tag = readonly [name: string, value: string];

function tagsOf({ notice, account, cause }: MailTags): Tag[] {
  const all = { notice, account, cause };
  return Object.entries(all).flatMap(([name, value]): Tag[] => (value === undefined || value === '' ? [] : [[name, value]]));
}

// The message as it goes out (RFC 5322): one recipient, nobody to answer to, and the way to end such mails.
function messageOf({ subject, text, html, unsubscribeUrl }: Mail, from: string, to: string, tags: readonly Tag[]): Promise<Buffer> {
  const unsubscribe = { 'List-Unsubscribe': `<${unsubscribeUrl}>`, 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' }; // RFC 8058
  const options: Options = {
    from: { name: 'Relay Audit', address: from },
    to: { name: '', address: to },
    subject,
    text,
    html,
    headers: {
      'Auto-Submitted': 'auto-generated', // RFC 3834: answered by no autoresponder
      ...(unsubscribeUrl === undefined ? {} : unsubscribe),
      // For engines that read the message itself. SES uses the tags of the request and removes this header.
      ...(tags.length === 0 ? {} : { 'X-SES-MESSAGE-TAGS': tags.map(([name, value]) => `${name}=${value}`).join(', ') }),
    },
    newline: 'windows', // or the lines of the bodies would end without a CR, which servers may refuse (RFC 5321 §2.3.8)
    disableFileAccess: true,
    disableUrlAccess: true,
  };
  return new MailComposer(options).compile().build();
}

function newClient(): SESClient {
  return new SESClient({ maxAttempts: 1, requestHandler: { connectionTimeout: CONNECT_MS, requestTimeout: REQUEST_MS } });
}
