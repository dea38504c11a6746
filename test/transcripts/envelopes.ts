import type { Session } from './transcript.ts';

/** What answers to MAIL, RCPT and RSET mean, and what is said next. */
export const ENVELOPES: readonly Session[] = [
  {
    rule: 'a refused sender needs no RSET',
    server: `
      220 mx.example ESMTP
      250 mx.example
      553 5.1.8 Sender address rejected
      250 Ok
      554 5.7.1 Relay access denied
      221 bye`,
    client: `
      EHLO probe.example
      MAIL FROM:<a@probe.example>
      MAIL FROM:<>
      RCPT TO:<y@canary.example>
      QUIT`,
    shows: ['first: refused at mail', 'second: refused at rcpt'],
  },
  {
    rule: 'without a canary an accepted recipient is left at that: RSET or QUIT follows, never DATA',
    server: `
      220 mx.example ESMTP
      250 mx.example
      250 Ok
      250 Ok
      250 Ok
      250 Ok
      250 Ok
      221 bye`,
    client: `
      EHLO probe.example
      MAIL FROM:<a@probe.example>
      RCPT TO:<x@canary.example>
      RSET
      MAIL FROM:<>
      RCPT TO:<y@canary.example>
      QUIT`,
    shows: ['first: accepted at rcpt', 'second: accepted at rcpt'],
  },
  {
    rule: 'a forwarding 251 is an acceptance too',
    server: `
      220 mx.example ESMTP
      250 mx.example
      250 Ok
      251 User not local; will forward
      250 Ok
      250 Ok
      550-5.7.1 Relaying
      550 5.7.1 denied
      221 bye`,
    client: `
      EHLO probe.example
      MAIL FROM:<a@probe.example>
      RCPT TO:<x@canary.example>
      RSET
      MAIL FROM:<>
      RCPT TO:<y@canary.example>
      QUIT`,
    shows: ['first: accepted at rcpt', 'second: refused at rcpt'],
  },
  {
    rule: 'greylisting and deferring are told apart, and neither is a refusal',
    server: `
      220 mx.example ESMTP
      250 mx.example
      250 Ok
      451 4.7.1 Greylisting in action, please come back later
      250 Ok
      250 Ok
      452 4.3.1 Insufficient system storage
      221 bye`,
    client: `
      EHLO probe.example
      MAIL FROM:<a@probe.example>
      RCPT TO:<x@canary.example>
      RSET
      MAIL FROM:<>
      RCPT TO:<y@canary.example>
      QUIT`,
    shows: ['first: greylisted at rcpt', 'second: deferred at rcpt'],
  },
  {
    rule: 'Postfix’s 454 for relaying is a refusal',
    server: `
      220 mx.example ESMTP Postfix
      250 mx.example
      250 2.1.0 Ok
      454 4.7.1 <x@canary.example>: Relay access denied
      250 2.0.0 Ok
      250 2.1.0 Ok
      454 4.7.1 <y@canary.example>: Relay access denied
      221 2.0.0 Bye`,
    client: `
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
    rule: 'authentication asked of one sender does not keep us from asking with another',
    server: `
      220 mx.example ESMTP
      250 mx.example
      530 5.7.1 Authentication required
      250 Ok
      550 relay not permitted
      221 bye`,
    client: `
      EHLO probe.example
      MAIL FROM:<a@probe.example>
      MAIL FROM:<>
      RCPT TO:<y@canary.example>
      QUIT`,
    shows: ['first: authentication-required at mail', 'second: refused at rcpt'],
  },
  {
    rule: 'STARTTLS asked for is noted as such',
    server: `
      220 mx.example ESMTP
      250 mx.example
      530 5.7.0 Must issue a STARTTLS command first
      530 5.7.0 Must issue a STARTTLS command first
      221 bye`,
    client: `
      EHLO probe.example
      MAIL FROM:<a@probe.example>
      MAIL FROM:<>
      QUIT`,
    shows: ['first: starttls-first at mail', 'second: starttls-first at mail'],
  },
];
