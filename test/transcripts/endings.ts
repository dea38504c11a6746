import type { Session } from './transcript.ts';

const UP_TO_SECOND = `
  EHLO probe.example
  MAIL FROM:<a@probe.example>
  RCPT TO:<x@canary.example>
  RSET
  MAIL FROM:<>`;

/** Sessions that end before we quit. What was not asked, or not answered, is `not-run`. */
export const ENDINGS: readonly Session[] = [
  {
    rule: 'a 421 in the middle ends the session, keeps what was answered and is no answer itself',
    server: `
      220 mx.example ESMTP
      250 mx.example
      250 Ok
      550 relay not permitted
      250 Ok
      421 4.7.0 Too many errors`,
    client: UP_TO_SECOND,
    shows: ['first: refused at rcpt', 'second: not-run at mail'],
    cutShort: '421',
  },
  {
    rule: 'a 421 to a recipient is no refusal of it',
    server: `
      220 mx.example ESMTP
      250 mx.example
      250 Ok
      421 4.7.1 Relaying denied, closing`,
    client: `
      EHLO probe.example
      MAIL FROM:<a@probe.example>
      RCPT TO:<x@canary.example>`,
    shows: ['first: not-run at rcpt', 'second: not-run at rcpt'],
    cutShort: '421',
  },
  {
    rule: 'a 421 to EHLO is no refusal of anything',
    server: `
      220 mx.example ESMTP
      421 4.3.2 shutting down`,
    client: 'EHLO probe.example',
    shows: ['first: not-run at ehlo', 'second: not-run at ehlo'],
    cutShort: '421',
  },
  {
    rule: 'a server that hangs up in the middle leaves the rest not run',
    server: `
      220 mx.example ESMTP
      250 mx.example
      250 Ok
      550 relay not permitted
      250 Ok`,
    client: UP_TO_SECOND,
    shows: ['first: refused at rcpt', 'second: not-run at mail'],
    cutShort: 'closed',
  },
  {
    rule: 'a server that falls silent in the middle leaves the rest not run',
    server: `
      220 mx.example ESMTP
      250 mx.example
      250 Ok`,
    end: 'silent',
    client: `
      EHLO probe.example
      MAIL FROM:<a@probe.example>
      RCPT TO:<x@canary.example>`,
    shows: ['first: not-run at rcpt', 'second: not-run at rcpt'],
    cutShort: 'silent',
  },
  {
    rule: 'garbage in the middle leaves the rest not run',
    server: `
      220 mx.example ESMTP
      250 mx.example
      250 Ok
      550 relay not permitted
      250 Ok
      segmentation fault`,
    client: UP_TO_SECOND,
    shows: ['first: refused at rcpt', 'second: not-run at mail'],
    cutShort: 'not-smtp',
  },
  {
    rule: 'a reply whose code changes on the way is no acceptance',
    server: `
      220 mx.example ESMTP
      250 mx.example
      250 Ok
      250-2.1.5 Ok
      550 5.7.1 but no`,
    client: `
      EHLO probe.example
      MAIL FROM:<a@probe.example>
      RCPT TO:<x@canary.example>`,
    shows: ['first: not-run at rcpt', 'second: not-run at rcpt'],
    cutShort: 'not-smtp',
  },
  {
    rule: 'a server that hangs up at RSET keeps the answer before it',
    server: `
      220 mx.example ESMTP
      250 mx.example
      250 Ok
      550 relay not permitted`,
    client: `
      EHLO probe.example
      MAIL FROM:<a@probe.example>
      RCPT TO:<x@canary.example>
      RSET`,
    shows: ['first: refused at rcpt', 'second: not-run at mail'],
    cutShort: 'closed',
  },
  {
    rule: 'a server that hangs up at QUIT has answered everything',
    server: `
      220 mx.example ESMTP
      250 mx.example
      550 no
      550 no`,
    client: `
      EHLO probe.example
      MAIL FROM:<a@probe.example>
      MAIL FROM:<>
      QUIT`,
    shows: ['first: refused at mail', 'second: refused at mail'],
  },
];
