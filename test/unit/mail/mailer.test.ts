import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SESClient } from '@aws-sdk/client-ses';
import PostalMime, { type Email } from 'postal-mime';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CREDENTIALS, REGION } from '../../../infra/local/engines/engine.ts';
import { type Ses, startSes } from '../../../infra/local/engines/ses.ts';
import type { Mail } from '../../../shared/mail/letter.ts';
import { type Send, sesMailer } from '../../../shared/mail/mailer.ts';
import { temporaryFolder } from '../../support/local-service.ts';
import { MAILS } from './mails.ts';

const FROM = 'alerts@relay-audit.example';
const READER = 'owner@example.org';
const NOTICE = '0123456789abcdef0123-0000000002-0';
const UNSUBSCRIBE = `https://audit.example/unsubscribe?token=ru1.${'a'.repeat(300)}.b`;
const MAIL: Mail = { subject: 'a subject', text: 'the text\n', html: '<p>the html</p>\n', unsubscribeUrl: UNSUBSCRIBE };

// As SES words it.
const errorOf = (type: string, code: string, message: string) =>
  `<ErrorResponse xmlns="http://ses.amazonaws.com/doc/2010-12-01/"><Error><Type>${type}</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>1</RequestId></ErrorResponse>`;

let ses: Ses;
let client: SESClient;
let requests: URLSearchParams[] = [];

beforeAll(async () => {
  ses = await startSes(temporaryFolder(), 0);
  client = new SESClient({ endpoint: ses.endpoint, region: REGION, credentials: CREDENTIALS, maxAttempts: 1 });
  client.middlewareStack.add(
    (next) => async (args) => {
      requests.push(new URLSearchParams(String((args.request as { body?: unknown }).body)));
      return next(args);
    },
    { step: 'finalizeRequest' },
  );
});
afterAll(async () => {
  client.destroy();
  await ses.stop();
});

/** What went over the wire for one mail: the request, the message in it, and how the endpoint read its envelope. */
async function sent(mail: Mail, recipient = READER, noticeId?: string, send: Send = sesMailer(FROM, 'relay-audit', client)) {
  requests = [];
  const handover = await send(mail, recipient, { notice: noticeId });
  const [request, ...more] = requests;
  if (request === undefined || more.length > 0) return expect.fail('not one request');
  const raw = Buffer.from(request.get('RawMessage.Data') ?? '', 'base64').toString('latin1');
  return { handover, request, raw, message: await PostalMime.parse(raw), stored: ses.mails().at(-1) };
}

const valuesOf = ({ headers }: Email, name: string) => headers.filter(({ key }) => key === name).map(({ value }) => value);

/** The names of the headers, as they stand in the message. */
const namesOf = (raw: string) =>
  (raw.split('\r\n\r\n')[0] ?? '').split('\r\n').flatMap((line) => (/^\s/.test(line) ? [] : [(line.split(':')[0] ?? '').toLowerCase()]));

const NAMES = [
  ...['from', 'to', 'subject', 'message-id', 'date', 'mime-version', 'content-type', 'auto-submitted'],
  ...['list-unsubscribe', 'list-unsubscribe-post', 'x-ses-message-tags'],
].toSorted();

describe('a mail that is handed to SES', () => {
  test('goes to one recipient, in the envelope as in the message', async () => {
    const { request, message, stored, handover } = await sent(MAIL);
    expect([...request.keys()].filter((key) => key.startsWith('Destinations'))).toEqual(['Destinations.member.1']);
    expect([request.get('Destinations.member.1'), request.get('Source')]).toEqual([READER, FROM]);
    expect(message.to?.map(({ address }) => address)).toEqual([READER]);
    expect([message.cc, message.bcc]).toEqual([undefined, undefined]);
    expect(message.from).toEqual({ name: 'Relay Audit', address: FROM });
    expect(stored).toMatchObject({ recipient: READER, destination: { to: [READER], cc: [], bcc: [] } });
    expect(handover).toEqual({ kind: 'accepted', messageId: stored?.messageId });
  });

  test('says that a machine wrote it (RFC 3834)', async () => {
    expect(valuesOf((await sent(MAIL)).message, 'auto-submitted')).toEqual(['auto-generated']);
  });

  test('can be unsubscribed from by one click (RFC 8058), by a link of any length', async () => {
    const { message } = await sent(MAIL);
    expect(valuesOf(message, 'list-unsubscribe').map((value) => value.replaceAll(/\s/g, ''))).toEqual([`<${UNSUBSCRIBE}>`]);
    expect(valuesOf(message, 'list-unsubscribe-post')).toEqual(['List-Unsubscribe=One-Click']);
  });

  test('has neither header when there is nothing to unsubscribe from', async () => {
    const { message } = await sent({ ...MAIL, unsubscribeUrl: undefined });
    expect(message.headers.filter(({ key }) => key.startsWith('list-'))).toEqual([]);
  });

  test('carries its notice as a tag, in the request and in the message, and the configuration set', async () => {
    const { request, message } = await sent(MAIL, READER, NOTICE);
    expect([request.get('Tags.member.1.Name'), request.get('Tags.member.1.Value')]).toEqual(['notice', NOTICE]);
    expect(valuesOf(message, 'x-ses-message-tags')).toEqual([`notice=${NOTICE}`]);
    expect(request.get('ConfigurationSetName')).toBe('relay-audit');
  });

  test('carries the account that it is about and who caused it as tags too', async () => {
    const send: Send = (mail, recipient) => sesMailer(FROM, undefined, client)(mail, recipient, { account: 'account1', cause: 'a_b-c' });
    const { request, message } = await sent(MAIL, READER, undefined, send);
    expect([1, 2].map((index) => [request.get(`Tags.member.${index}.Name`), request.get(`Tags.member.${index}.Value`)])).toEqual([
      ['account', 'account1'],
      ['cause', 'a_b-c'],
    ]);
    expect(valuesOf(message, 'x-ses-message-tags')).toEqual(['account=account1, cause=a_b-c']);
  });

  test('has neither tag nor configuration set when none is given', async () => {
    const { request, message } = await sent(MAIL, READER, undefined, sesMailer(FROM, undefined, client));
    expect([...request.keys()].filter((key) => /^Tags|^Configuration/.test(key))).toEqual([]);
    expect(valuesOf(message, 'x-ses-message-tags')).toEqual([]);
  });

  test.each(Object.entries(MAILS))('arrives as it was written: %s', async (_, mail) => {
    const { message, raw } = await sent(mail);
    expect(message.subject).toBe(mail.subject);
    expect(message.text?.replaceAll('\r\n', '\n').trimEnd()).toBe(mail.text.trimEnd());
    expect(message.html?.replaceAll('\r\n', '\n').trimEnd()).toBe(mail.html.trimEnd());
    expect(message.attachments).toEqual([]);
    expect(raw).toMatch(/^(?:[\x20-\x7e\t]{0,998}\r\n)*[\x20-\x7e\t]{0,998}$/); // RFC 5322 §2.1.1
  });
});

describe('no header can be slipped in', () => {
  const INJECTIONS = [
    '\r\nBcc: victim@example.net',
    '\nBcc: victim@example.net',
    '\rBcc: victim@example.net',
    '\r\n\r\n<h1>Buy!</h1>',
    '\0',
  ];

  test.each(INJECTIONS)('by a subject with %j', async (injection) => {
    const { raw, message } = await sent({ ...MAIL, subject: `a subject${injection}` }, READER, NOTICE);
    expect(namesOf(raw).toSorted()).toEqual(NAMES);
    expect([message.to?.map(({ address }) => address), message.bcc]).toEqual([[READER], undefined]);
    expect(message.html?.trim()).toBe(MAIL.html.trim());
  });

  test.each(INJECTIONS)('by a link with %j', async (injection) => {
    const { raw } = await sent({ ...MAIL, unsubscribeUrl: `${UNSUBSCRIBE}${injection}` }, READER, NOTICE);
    expect(namesOf(raw).toSorted()).toEqual(NAMES);
  });

  test.each([...INJECTIONS, ', victim@example.net', '; victim@example.net', '>, <victim@example.net'])(
    'nor a second recipient, by an address with %j',
    async (injection) => {
      const { raw, request, message } = await sent(MAIL, `owner@example.org${injection}`, NOTICE);
      expect(namesOf(raw).toSorted()).toEqual(NAMES);
      expect([...request.keys()].filter((key) => key.startsWith('Destinations'))).toEqual(['Destinations.member.1']);
      expect(message.to).toHaveLength(1);
      expect(message.to?.map(({ address }) => address)).not.toContain('victim@example.net');
    },
  );
});

const NOT_VERIFIED = 'Email address is not verified.';

test.each([
  [
    'of a mail is told with its reason',
    400,
    errorOf('Sender', 'MessageRejected', NOT_VERIFIED),
    { kind: 'refused', why: `MessageRejected: ${NOT_VERIFIED}` },
  ],
  ['for going too fast is one', 400, errorOf('Sender', 'Throttling', 'Slow down.'), { kind: 'refused', why: 'Throttling: Slow down.' }],
  [
    'by a fault of its own leaves open whether the mail left: it throws',
    500,
    errorOf('Receiver', 'InternalFailure', 'Oh.'),
    expect.any(Error),
  ],
])('SES’s refusal %s, and nothing is tried twice', async (_, status, answer, outcome) => {
  let asked = 0;
  const server = createServer((request, response) => {
    asked++;
    request.resume().on('end', () => response.writeHead(status, { 'content-type': 'text/xml' }).end(answer));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const refusing = new SESClient({ endpoint, region: REGION, credentials: CREDENTIALS, maxAttempts: 1 });
  expect(await sesMailer(FROM, undefined, refusing)(MAIL, READER).catch((error: unknown) => error)).toEqual(outcome);
  expect(asked).toBe(1);
  refusing.destroy();
  server.close();
});

test('an endpoint that does not answer leaves open whether the mail left: it throws', async () => {
  const nowhere = new SESClient({ endpoint: 'http://127.0.0.1:9', region: REGION, credentials: CREDENTIALS, maxAttempts: 1 });
  await expect(sesMailer(FROM, undefined, nowhere)(MAIL, READER)).rejects.toThrow();
  nowhere.destroy();
});
