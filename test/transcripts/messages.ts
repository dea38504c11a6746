import { type Session, transaction } from './transcript.ts';

const CANARY = { id: 'canary1', message: 'Subject: test\r\n\r\nhello\r\n.\r\n' };
const MESSAGE = [transaction('first', '<x@canary.example>', { canary: CANARY })];

const TO_DATA = `
  EHLO probe.example
  MAIL FROM:<a@probe.example>
  RCPT TO:<x@canary.example>
  DATA`;

const TO_THE_DOT = `
  ${TO_DATA}
  Subject: test
  ~
  hello
  .`;

/** Messages carried through to the final dot. In a literal, `~` is an empty line. */
export const MESSAGES: readonly Session[] = [
  {
    rule: 'a canary goes out after 354, and is accepted by the answer after the dot alone',
    server: `
      220 mx.example ESMTP
      250-mx.example
      250 PIPELINING
      250 Ok
      250 Ok
      354 go on
      250 queued
      221 bye`,
    client: `${TO_THE_DOT}
      QUIT`,
    transactions: MESSAGE,
    shows: ['first: accepted at message'],
  },
  {
    rule: 'once enough messages were taken, the others stay unsent',
    server: `
      220 mx.example ESMTP
      250 mx.example
      250 Ok
      250 Ok
      354 go on
      250 queued
      221 bye`,
    client: `${TO_THE_DOT}
      QUIT`,
    transactions: [...MESSAGE, transaction('second', '<y@canary.example>', { canary: CANARY })],
    enough: 1,
    shows: ['first: accepted at message', 'second: not-run at greeting'],
  },
  {
    rule: 'a message refused after the dot is a refusal',
    server: `
      220 mx.example ESMTP
      250 mx.example
      250 Ok
      250 Ok
      354 go on
      550 5.7.1 No thanks
      221 bye`,
    client: `${TO_THE_DOT}
      QUIT`,
    transactions: MESSAGE,
    shows: ['first: refused at message'],
  },
  {
    rule: 'DATA refused is a refusal, and no message follows',
    server: `
      220 mx.example ESMTP
      250 mx.example
      250 Ok
      250 Ok
      554 5.5.1 No valid recipients
      221 bye`,
    client: `${TO_DATA}
      QUIT`,
    transactions: MESSAGE,
    shows: ['first: refused at data'],
  },
  {
    rule: 'no answer but 354 lets a message out',
    server: `
      220 mx.example ESMTP
      250 mx.example
      250 Ok
      250 Ok
      250 Ok
      221 bye`,
    client: `${TO_DATA}
      QUIT`,
    transactions: MESSAGE,
    shows: ['first: accepted at data'],
  },
  {
    rule: 'a recipient that is refused the second time gets no DATA',
    server: `
      220 mx.example ESMTP
      250 mx.example
      250 Ok
      550 relay not permitted
      221 bye`,
    client: `
      EHLO probe.example
      MAIL FROM:<a@probe.example>
      RCPT TO:<x@canary.example>
      QUIT`,
    transactions: MESSAGE,
    shows: ['first: refused at rcpt'],
  },
  {
    rule: 'greylisting after the dot is told from a refusal',
    server: `
      220 mx.example ESMTP
      250 mx.example
      250 Ok
      250 Ok
      354 go on
      451 4.7.1 Greylisted, please come back later
      221 bye`,
    client: `${TO_THE_DOT}
      QUIT`,
    transactions: MESSAGE,
    shows: ['first: greylisted at message'],
  },
  {
    rule: 'a server that hangs up with the message in hand may still deliver it',
    server: `
      220 mx.example ESMTP
      250 mx.example
      250 Ok
      250 Ok
      354 go on`,
    client: TO_THE_DOT,
    transactions: MESSAGE,
    shows: ['first: accepted at data'],
    cutShort: 'closed',
  },
  {
    rule: 'XCLIENT is claimed once, before anything else, and what follows is an answer to the claim',
    server: `
      220 mx.example ESMTP
      250-mx.example
      250 XCLIENT NAME ADDR
      220 mx.example ESMTP
      250 mx.example
      250 Ok
      250 Ok
      221 bye`,
    client: `
      EHLO probe.example
      XCLIENT ADDR=127.0.0.1 NAME=localhost
      EHLO probe.example
      MAIL FROM:<a@probe.example>
      RCPT TO:<x@canary.example>
      QUIT`,
    xclient: true,
    transactions: [transaction('xclient', '<x@canary.example>')],
    shows: ['xclient: accepted at rcpt'],
  },
  {
    rule: 'where one claimed client is not trusted, the next is claimed, behind a reset',
    server: `
      220 mx.example ESMTP
      250-mx.example
      250 XCLIENT NAME ADDR
      220 mx.example ESMTP
      250 mx.example
      250 Ok
      554 5.7.1 Relay access denied
      250 Ok
      220 mx.example ESMTP
      250 mx.example
      250 Ok
      250 Ok
      221 bye`,
    client: `
      EHLO probe.example
      XCLIENT ADDR=127.0.0.1 NAME=localhost
      EHLO probe.example
      MAIL FROM:<a@probe.example>
      RCPT TO:<x@canary.example>
      RSET
      XCLIENT ADDR=10.0.0.1 NAME=localhost
      EHLO probe.example
      MAIL FROM:<a@probe.example>
      RCPT TO:<x@canary.example>
      QUIT`,
    xclient: true,
    transactions: [transaction('xclient', '<x@canary.example>')],
    shows: ['xclient: accepted at rcpt'],
  },
  {
    rule: 'XCLIENT refused completes its test',
    server: `
      220 mx.example ESMTP
      250-mx.example
      250 XCLIENT NAME ADDR
      550 5.7.0 Error: insufficient authorization
      221 bye`,
    client: `
      EHLO probe.example
      XCLIENT ADDR=127.0.0.1 NAME=localhost
      QUIT`,
    xclient: true,
    transactions: [transaction('xclient', '<x@canary.example>')],
    shows: ['xclient: refused at ehlo'],
  },
];

/** STARTTLS: what is said before and after, and what counts of it. */
export const STARTTLS: readonly Session[] = [
  {
    rule: 'after STARTTLS the client forgets what EHLO said and says it again',
    transport: 'starttls',
    server: `
      220 mx.example ESMTP
      250-mx.example
      250-PIPELINING
      250 STARTTLS
      220 go
      -- TLS
      250 mx.example
      250 Ok
      554 5.7.1 Relay access denied
      250 Ok
      250 Ok
      554 5.7.1 Relay access denied
      221 bye`,
    client: `
      EHLO probe.example
      STARTTLS
      -- TLS
      EHLO probe.example
      MAIL FROM:<a@probe.example>
      RCPT TO:<x@canary.example>
      RSET
      MAIL FROM:<>
      RCPT TO:<y@canary.example>
      QUIT`,
    shows: ['first: refused at rcpt', 'second: refused at rcpt'],
  },
  {
    rule: 'a server that refuses STARTTLS has answered no test',
    transport: 'starttls',
    server: `
      220 mx.example ESMTP
      250-mx.example
      250 STARTTLS
      454 4.7.0 TLS not available`,
    client: `
      EHLO probe.example
      STARTTLS`,
    contact: 'tls-failed',
    shows: [],
    cutShort: 'tls-failed',
  },
  {
    rule: 'a handshake that fails is no refusal of anything',
    transport: 'starttls',
    server: `
      220 mx.example ESMTP
      250-mx.example
      250 STARTTLS
      220 go`,
    client: `
      EHLO probe.example
      STARTTLS
      -- TLS`,
    contact: 'tls-failed',
    shows: [],
    cutShort: 'tls-failed',
  },
];
