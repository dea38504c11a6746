import { type Session, transaction } from './transcript.ts';

const LOCAL = '<postmaster@served.example>';
const CANARY = { id: 'canary1', message: 'Subject: test\r\n\r\nhello\r\n.\r\n' };
const OPENED = `
  220 mx.example ESMTP
  250 mx.example`;
const TO_THE_DOT = `
  DATA
  Subject: test
  ~
  hello
  .`;

const beside = (first: boolean, canary?: typeof CANARY) => [
  transaction('first', '<x@canary.example>', { beside: { to: LOCAL, first }, ...(canary === undefined ? {} : { canary }) }),
];

/** Sessions in which a recipient of the server's own shares the transaction. Its answer is nobody's. */
export const BESIDE: readonly Session[] = [
  {
    rule: 'a foreign recipient behind a local one has an answer of its own',
    server: `${OPENED}
      250 Ok
      250 Ok
      550 relay not permitted
      221 bye`,
    client: `
      EHLO probe.example
      MAIL FROM:<a@probe.example>
      RCPT TO:${LOCAL}
      RCPT TO:<x@canary.example>
      QUIT`,
    transactions: beside(true),
    shows: ['first: refused at rcpt'],
  },
  {
    rule: 'a foreign recipient before a local one is not judged by the answer to that one',
    server: `${OPENED}
      250 Ok
      550 relay not permitted
      250 Ok
      221 bye`,
    client: `
      EHLO probe.example
      MAIL FROM:<a@probe.example>
      RCPT TO:<x@canary.example>
      RCPT TO:${LOCAL}
      QUIT`,
    transactions: beside(false),
    shows: ['first: refused at rcpt'],
  },
  {
    rule: 'a message goes to both, the local one first',
    server: `${OPENED}
      250 Ok
      250 Ok
      250 Ok
      354 go on
      250 queued
      221 bye`,
    client: `
      EHLO probe.example
      MAIL FROM:<a@probe.example>
      RCPT TO:${LOCAL}
      RCPT TO:<x@canary.example>
      ${TO_THE_DOT}
      QUIT`,
    transactions: beside(true, CANARY),
    shows: ['first: accepted at message'],
  },
  {
    rule: 'a message goes out though the local one behind ours was refused, or met a limit',
    server: `${OPENED}
      250 Ok
      250 Ok
      452 4.5.3 Too many recipients
      354 go on
      250 queued
      221 bye`,
    client: `
      EHLO probe.example
      MAIL FROM:<a@probe.example>
      RCPT TO:<x@canary.example>
      RCPT TO:${LOCAL}
      ${TO_THE_DOT}
      QUIT`,
    transactions: beside(false, CANARY),
    shows: ['first: accepted at message'],
  },
  {
    rule: 'a limit puts off a recipient that has to come behind another, and so is no answer to be waited for in this sitting',
    server: `${OPENED}
      250 Ok
      250 Ok
      452 4.5.3 Too many recipients
      221 bye`,
    client: `
      EHLO probe.example
      MAIL FROM:<a@probe.example>
      RCPT TO:${LOCAL}
      RCPT TO:<x@canary.example>
      QUIT`,
    transactions: beside(true),
    shows: ['first: deferred at rcpt'],
  },
];

/** Sessions that a limit of the server's ends, or that it takes nothing more in. What was not answered is `not-run`. */
export const LIMITS: readonly Session[] = [
  {
    rule: 'a limit on senders is no answer about the one that it hit, and we take our leave',
    server: `${OPENED}
      250 Ok
      550 relay not permitted
      250 Ok
      450 4.7.1 Error: too many mails from 192.0.2.9
      221 bye`,
    client: `
      EHLO probe.example
      MAIL FROM:<a@probe.example>
      RCPT TO:<x@canary.example>
      RSET
      MAIL FROM:<>
      QUIT`,
    shows: ['first: refused at rcpt', 'second: not-run at mail'],
    cutShort: 'limit',
  },
  {
    rule: 'a limit at the first recipient of a transaction ends the session',
    server: `${OPENED}
      250 Ok
      452 4.5.3 Too many recipients this hour
      221 bye`,
    client: `
      EHLO probe.example
      MAIL FROM:<a@probe.example>
      RCPT TO:<x@canary.example>
      QUIT`,
    shows: ['first: not-run at rcpt', 'second: not-run at rcpt'],
    cutShort: 'limit',
  },
  {
    rule: 'a limit at DATA leaves the message to be sent',
    server: `${OPENED}
      250 Ok
      250 Ok
      451 4.7.0 Too many messages, slow down
      221 bye`,
    client: `
      EHLO probe.example
      MAIL FROM:<a@probe.example>
      RCPT TO:<x@canary.example>
      DATA
      QUIT`,
    transactions: [transaction('first', '<x@canary.example>', { canary: CANARY })],
    shows: ['first: not-run at data'],
    cutShort: 'limit',
  },
  {
    rule: 'a server that takes no sender after a null one has refused none',
    server: `${OPENED}
      250 Ok
      550 relay not permitted
      250 Ok
      503 5.5.1 Sender already given
      221 bye`,
    client: `
      EHLO probe.example
      MAIL FROM:<>
      RCPT TO:<y@canary.example>
      RSET
      MAIL FROM:<a@probe.example>
      QUIT`,
    transactions: [transaction('null', '<y@canary.example>', { from: '<>' }), transaction('next', '<x@canary.example>')],
    shows: ['null: refused at rcpt', 'next: not-run at mail'],
    cutShort: 'spent',
  },
  {
    rule: 'a server that does not know RSET has refused nothing by that',
    server: `${OPENED}
      250 Ok
      550 relay not permitted
      500 5.5.1 Command unrecognized
      221 bye`,
    client: `
      EHLO probe.example
      MAIL FROM:<a@probe.example>
      RCPT TO:<x@canary.example>
      RSET
      QUIT`,
    shows: ['first: refused at rcpt', 'second: not-run at mail'],
    cutShort: 'spent',
  },
];
