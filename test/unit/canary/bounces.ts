import { writeCanary } from '../../../shared/smtp/canary-message.ts';

const SENDER = 'relay-audit@bounces.canary.example';

/** What a server quotes: the message as it got it, with a hop of its own in front. */
function quoted(token: string): string {
  const letter = {
    token,
    sentAt: Date.UTC(2026, 5, 1),
    ourDomain: 'bounces.canary.example',
    canaryDomain: 'canary.example',
    leg: '192.0.2.1:25',
    optOutAddress: 'o@probe.example',
  };
  const hop =
    'Received: from probe.example (probe.example [198.51.100.1])\r\n\tby mail.example.org with ESMTP id 4X1; Mon, 1 Jun 2026 00:00:00 +0000\r\n';
  return `${hop}${writeCanary(letter).replace(/\r\n\.\r\n$/, '\r\n')}`;
}

/** The headers of the same. */
const quotedHeaders = (token: string) => quoted(token).split('\r\n\r\n')[0] ?? '';

function mail(headers: readonly string[], body: string): string {
  const received =
    'Received: from mail.example.org (mail.example.org [192.0.2.9])\r\n by inbound-smtp.eu-central-1.amazonaws.com with SMTP id x';
  const all = ['Return-Path: <>', received, `To: ${SENDER}`, ...headers];
  return `${all.join('\r\n')}\r\n\r\n${body.replace(/\r?\n/g, '\r\n')}`;
}

type Entity = readonly [headers: string, body: string];

function multipart(headers: readonly string[], type: string, parts: readonly Entity[]): string {
  const boundary = '4X1.1780272000/mail.example.org';
  const sections = parts.map(([head, body]) => `--${boundary}\n${head}\n\n${body}`);
  return mail(
    ['MIME-Version: 1.0', `Content-Type: ${type};\r\n\tboundary="${boundary}"`, ...headers],
    `This is a MIME-encapsulated message.\n\n${sections.join('\n\n')}\n\n--${boundary}--\n`,
  );
}

const REPORT = 'multipart/report; report-type=delivery-status';
const status = (action: string, code: string) =>
  `Reporting-MTA: dns; mail.example.org\nX-Queue-ID: 4X1\nArrival-Date: Mon, 1 Jun 2026 00:00:00 +0000\n\nFinal-Recipient: rfc822; u%canary.example@example.org\nAction: ${action}\nStatus: ${code}\nDiagnostic-Code: X-unix; no such user here\n`;
const base64 = (text: string) =>
  (
    Buffer.from(text)
      .toString('base64')
      .match(/.{1,76}/g) ?? []
  ).join('\n');

/** Bounces of a message of ours, written after what the servers write; each gets the token that it quotes. */
export const BOUNCES: Readonly<Record<string, (token: string) => string>> = {
  'Postfix: a report with the whole message': (token) =>
    multipart(
      [
        'From: MAILER-DAEMON@mail.example.org (Mail Delivery System)',
        'Subject: Undelivered Mail Returned to Sender',
        'Auto-Submitted: auto-replied',
      ],
      REPORT,
      [
        [
          'Content-Description: Notification\nContent-Type: text/plain; charset=us-ascii',
          "I'm sorry to have to inform you that your message could not\nbe delivered to one or more recipients. It's attached below.\n",
        ],
        ['Content-Description: Delivery report\nContent-Type: message/delivery-status', status('failed', '5.1.1')],
        ['Content-Description: Undelivered Message\nContent-Type: message/rfc822', quoted(token)],
      ],
    ),
  'Postfix: a report with the headers only': (token) =>
    multipart(['From: MAILER-DAEMON@mail.example.org', 'Subject: Undelivered Mail Returned to Sender'], REPORT, [
      ['Content-Type: text/plain; charset=us-ascii', 'This is the mail system at host mail.example.org.\n'],
      ['Content-Type: message/delivery-status', status('failed', '5.1.1')],
      ['Content-Type: text/rfc822-headers', quotedHeaders(token)],
    ]),
  'Sendmail: a report': (token) =>
    multipart(
      [
        'From: Mail Delivery Subsystem <MAILER-DAEMON@mail.example.org>',
        'Subject: Returned mail: see transcript for details',
        'Auto-Submitted: auto-generated (failure)',
      ],
      REPORT,
      [
        [
          '',
          `The original message was received at Mon, 1 Jun 2026 00:00:00 GMT\nfrom probe.example [198.51.100.1]\n\n   ----- The following addresses had permanent fatal errors -----\n<u%canary.example@example.org>\n    (reason: 550 5.1.1 User unknown)\n`,
        ],
        ['Content-Type: message/delivery-status', status('failed', '5.1.1')],
        ['Content-Type: message/rfc822', quoted(token)],
      ],
    ),
  'Exim: a text with a copy of the message': (token) =>
    mail(
      [
        'X-Failed-Recipients: u%canary.example@example.org',
        'Auto-Submitted: auto-replied',
        'From: Mail Delivery System <Mailer-Daemon@mail.example.org>',
        'Subject: Mail delivery failed: returning message to sender',
      ],
      `This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n  u%canary.example@example.org\n    Unrouteable address\n\n------ This is a copy of the message, including all the headers. ------\n\nReturn-path: <${SENDER}>\n${quoted(token)}`,
    ),
  'qmail: a text with the message below a line': (token) =>
    mail(
      ['From: MAILER-DAEMON@mail.example.org', 'Subject: failure notice'],
      `Hi. This is the qmail-send program at mail.example.org.\nI'm afraid I wasn't able to deliver your message to the following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n<u%canary.example@example.org>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n--- Below this line is a copy of the message.\n\nReturn-Path: <${SENDER}>\n${quoted(token)}`,
    ),
  'qmail in another language': (token) =>
    mail(
      ['From: MAILER-DAEMON@mail.example.org', 'Subject: Fehlermeldung'],
      `Hi. This is the qmail-send program at mail.example.org.\nLeider war die Zustellung Ihrer Nachricht erfolglos.\n\n<u@example.org>:\nUnbekannt.\n\n--- Below this line is a copy of the message.\n\n${quoted(token)}`,
    ),
  'Microsoft Exchange: a report with a text in HTML, and the headers as a message': (token) =>
    multipart(
      ['From: <postmaster@example.org>', 'Subject: Undeliverable: Relay test: this message should not have been let through'],
      REPORT,
      [
        [
          'Content-Type: multipart/alternative; boundary="inner"',
          `--inner\nContent-Type: text/plain; charset="utf-8"\nContent-Transfer-Encoding: base64\n\n${base64('Delivery has failed to these recipients or groups:\r\n\r\nu%canary.example@example.org\r\nThe e-mail address you entered couldn’t be found.\r\n')}\n--inner\nContent-Type: text/html\n\n<html><b>Delivery has failed</b></html>\n--inner--`,
        ],
        ['Content-Type: message/delivery-status', status('failed', '5.1.1').replace('mail.example.org', 'EX01.example.org')],
        ['Content-Type: message/rfc822', `${quotedHeaders(token)}\n\n`],
      ],
    ),
  'OpenSMTPD: parts that are not called a report': (token) =>
    multipart(['From: Mailer Daemon <MAILER-DAEMON@mail.example.org>', 'Subject: Delivery status notification: error'], 'multipart/mixed', [
      [
        'Content-Description: Notification\nContent-Type: text/plain; charset=us-ascii',
        '    Hi!\n\n    This is the MAILER-DAEMON, please DO NOT REPLY to this email.\n\n    An error has occurred while attempting to deliver a message for\n    the following list of recipients:\n\n550 Invalid recipient',
      ],
      ['Content-Description: Delivery Report\nContent-Type: message/delivery-status', status('failed', '5.0.0')],
      ['Content-Description: Message headers\nContent-Type: text/rfc822-headers', quotedHeaders(token)],
    ]),
  'a text as RFC 5321 §6.1 asks for, with the message marked line by line': (token) =>
    mail(
      ['From: postmaster@example.org', 'Subject: Mail System Error - Returned Mail'],
      `Your message did not reach some of its recipients: User unknown\n\n${quoted(token).replace(/^/gm, '> ')}`,
    ),
  'a text in base64': (token) =>
    mail(
      [
        'From: postmaster@example.org',
        'Subject: Delivery failure',
        'Content-Type: text/plain; charset=utf-8',
        'Content-Transfer-Encoding: base64',
      ],
      base64(`This mail could not be delivered.\r\n\r\n${quoted(token)}`),
    ),
  'a text in quoted-printable, its lines broken anywhere': (token) =>
    mail(
      [
        'From: postmaster@example.org',
        'Subject: Undelivered',
        'Content-Type: text/plain; charset=utf-8',
        'Content-Transfer-Encoding: quoted-printable',
      ],
      `Die Nachricht wurde nicht zugestellt: unzustellbar, =C3=A4h.\n\n${quoted(token).replaceAll(token, `${token.slice(0, 20)}=\n${token.slice(20)}`)}`,
    ),
  'a message that is known by its Message-ID alone, folded': (token) =>
    mail(
      ['From: postmaster@example.org', 'Subject: Undeliverable mail'],
      `User unknown.\n\nSubject: Relay test\nMessage-ID:\n <${token}@bounces.canary.example>\n`,
    ),
};

/** Mails from the null sender that quote a message of ours and do not give it up. */
export const OTHERS: Readonly<Record<string, (token: string) => string>> = {
  'a report of a delay': (token) =>
    multipart(['From: MAILER-DAEMON@mail.example.org', 'Subject: Delayed Mail (still being retried)'], REPORT, [
      [
        'Content-Type: text/plain',
        'Your message could not be delivered for more than 4 hour(s).\nIt will be retried until it is 5 day(s) old.\n',
      ],
      ['Content-Type: message/delivery-status', status('delayed', '4.4.1')],
      ['Content-Type: text/rfc822-headers', quotedHeaders(token)],
    ]),
  'a report that it was handed on': (token) =>
    multipart(['From: MAILER-DAEMON@mail.example.org', 'Subject: Returned mail? No: delivered'], REPORT, [
      ['Content-Type: message/delivery-status', status('relayed', '2.0.0')],
      ['Content-Type: message/rfc822', quoted(token)],
    ]),
  'Sendmail’s warning without a report': (token) =>
    mail(
      ['From: MAILER-DAEMON@mail.example.org', 'Subject: Warning: could not send message for past 4 hours'],
      `    **********************************************\n    **      THIS IS A WARNING MESSAGE ONLY      **\n    **  YOU DO NOT NEED TO RESEND YOUR MESSAGE  **\n    **********************************************\n\nWarning: message still undelivered after 4 hours\nWill keep trying until message is 5 days old\n\n${quoted(token)}`,
    ),
  'Exim’s warning': (token) =>
    mail(
      [
        'From: Mail Delivery System <Mailer-Daemon@mail.example.org>',
        'Auto-Submitted: auto-replied',
        'Subject: Warning: message 1abc delayed 24 hours',
      ],
      `A message that you sent has not yet been delivered to one or more of its\nrecipients after more than 24 hours on the queue.\nNo action is required on your part. Delivery attempts will continue for\nsome time.\n\n${quoted(token)}`,
    ),
  'the answer of somebody who is away, with our message below': (token) =>
    mail(
      ['From: u@example.org', 'Subject: Out of office: Relay test', 'Auto-Submitted: auto-replied (vacation)'],
      `I am out of office until Monday. Undelivered parcels go to the reception.\n\n${quoted(token)}`,
    ),
  'an automatic answer that says nothing of delivery': (token) =>
    mail(
      ['From: support@example.org', 'Subject: [Ticket 4711] we have your message'],
      `Thank you. We shall answer soon.\n\n${quoted(token)}`,
    ),
  'a wish to be confirmed': (token) =>
    mail(
      ['From: u@example.org', 'Subject: Please confirm your message'],
      `Your message was not delivered and is being held. To release it, answer this mail.\n\n${quoted(token)}`,
    ),
  'a receipt that the message was read': (token) =>
    multipart(['From: u@example.org', 'Subject: Not read'], 'multipart/report; report-type=disposition-notification', [
      ['Content-Type: text/plain', 'The message was deleted unread. Undelivered feelings.'],
      ['Content-Type: message/disposition-notification', 'Disposition: automatic-action/MDN-sent-automatically; deleted\n'],
      ['Content-Type: message/rfc822', quoted(token)],
    ]),
  'a complaint about it': (token) =>
    multipart(
      ['From: abuse@example.org', 'Subject: Mail delivery failed, and this is spam'],
      'multipart/report; report-type="feedback-report"',
      [
        ['Content-Type: text/plain', 'This is a complaint. The delivery failed us all.'],
        ['Content-Type: message/feedback-report', 'Feedback-Type: abuse\n'],
        ['Content-Type: message/rfc822', quoted(token)],
      ],
    ),
  'a failure that names the message in its own headers only': (token) =>
    mail(
      [`In-Reply-To: <${token}@bounces.canary.example>`, `Message-ID: <${token}@bounces.canary.example>`, 'Subject: Undelivered'],
      'It could not be delivered.\n',
    ),
  'a failure that speaks of the token in passing': (token) =>
    mail(['Subject: Undelivered'], `It could not be delivered: ${token}, see Message-ID <${token}@x>.\n`),
};
