import { type Session, transaction } from './transcript.ts';

const SEVERAL = transaction('first', '<x@canary.example>', {
  recipients: [
    { id: 'first', to: '<x@canary.example>' },
    { id: 'second', to: '<"y@canary.example">' },
    { id: 'third', to: '<z%canary.example@mx.example>' },
  ],
});

/** Commands that go out together, recipients that share a transaction, and names that EHLO claims. */
export const GROUPS: readonly Session[] = [
  {
    rule: 'recipients of one sender share its transaction, each with an answer of its own',
    server: `
      220 mx.example ESMTP
      250 mx.example
      250 Ok
      554 5.7.1 Relay access denied
      250 Ok
      501 5.1.3 Bad recipient address syntax
      221 bye`,
    client: `
      EHLO probe.example
      MAIL FROM:<a@probe.example>
      RCPT TO:<x@canary.example>
      RCPT TO:<"y@canary.example">
      RCPT TO:<z%canary.example@mx.example>
      QUIT`,
    transactions: [SEVERAL],
    shows: ['first: refused at rcpt', 'second: accepted at rcpt', 'third: refused at rcpt'],
  },
  {
    rule: 'a limit on recipients is no answer about the recipient that met it',
    server: `
      220 mx.example ESMTP
      250 mx.example
      250 Ok
      554 5.7.1 Relay access denied
      452 4.5.3 Too many recipients
      452 4.5.3 Too many recipients
      221 bye`,
    client: `
      EHLO probe.example
      MAIL FROM:<a@probe.example>
      RCPT TO:<x@canary.example>
      RCPT TO:<"y@canary.example">
      RCPT TO:<z%canary.example@mx.example>
      QUIT`,
    transactions: [SEVERAL],
    shows: ['first: refused at rcpt', 'second: not-run at greeting', 'third: not-run at greeting'],
  },
  {
    rule: 'where PIPELINING is offered, what a refused sender makes of its recipients is no answer about them',
    server: `
      220 mx.example ESMTP
      250-mx.example
      250 PIPELINING
      550 5.1.8 Sender refused
      503 5.5.1 Need MAIL first
      503 5.5.1 Need MAIL first
      503 5.5.1 Need MAIL first
      250 reset
      250 Ok
      554 5.7.1 Relay access denied
      221 bye`,
    client: `
      EHLO probe.example
      MAIL FROM:<a@probe.example>
      RCPT TO:<x@canary.example>
      RCPT TO:<"y@canary.example">
      RCPT TO:<z%canary.example@mx.example>
      RSET
      MAIL FROM:<>
      RCPT TO:<v@canary.example>
      QUIT`,
    transactions: [SEVERAL, transaction('fourth', '<v@canary.example>', { from: '<>' })],
    shows: ['first: refused at mail', 'second: refused at mail', 'third: refused at mail', 'fourth: refused at rcpt'],
  },
  {
    rule: 'where no sender was accepted yet, nothing follows one before it is answered',
    server: `
      220 mx.example ESMTP
      250-mx.example
      250 PIPELINING
      530 5.7.0 Must issue a STARTTLS command first
      530 5.7.0 Must issue a STARTTLS command first
      221 bye`,
    client: `
      EHLO probe.example
      MAIL FROM:<a@probe.example>
      MAIL FROM:<>
      QUIT`,
    cautious: true,
    shows: ['first: starttls-first at mail', 'second: starttls-first at mail'],
  },
  {
    rule: 'once a sender was accepted, the rest goes out together',
    server: `
      220 mx.example ESMTP
      250-mx.example
      250 PIPELINING
      250 Ok
      554 5.7.1 Relay access denied
      250 reset
      250 Ok
      554 5.7.1 Relay access denied
      221 bye`,
    client: `
      EHLO probe.example
      MAIL FROM:<a@probe.example>
      RCPT TO:<x@canary.example>
      RSET
      MAIL FROM:<>
      RCPT TO:<y@canary.example>
      QUIT`,
    cautious: true,
    shows: ['first: refused at rcpt', 'second: refused at rcpt'],
  },
  {
    rule: 'a group that is cut short keeps what was answered of it',
    server: `
      220 mx.example ESMTP
      250-mx.example
      250 PIPELINING
      250 Ok
      554 5.7.1 Relay access denied
      421 4.7.0 Too many errors`,
    client: `
      EHLO probe.example
      MAIL FROM:<a@probe.example>
      RCPT TO:<x@canary.example>
      RCPT TO:<"y@canary.example">
      RCPT TO:<z%canary.example@mx.example>
      QUIT`,
    transactions: [SEVERAL],
    shows: ['first: refused at rcpt', 'second: not-run at rcpt', 'third: not-run at rcpt'],
    cutShort: '421',
  },
  {
    rule: 'a name that is only claimed is said in an EHLO of its own, which resets as RSET does',
    server: `
      220 mx.example ESMTP
      250 mx.example
      250 Ok
      554 5.7.1 Relay access denied
      250 mx.example
      250 Ok
      250 Ok
      221 bye`,
    client: `
      EHLO probe.example
      MAIL FROM:<a@probe.example>
      RCPT TO:<x@canary.example>
      EHLO localhost
      MAIL FROM:<a@probe.example>
      RCPT TO:<y@canary.example>
      QUIT`,
    transactions: [transaction('first', '<x@canary.example>'), transaction('second', '<y@canary.example>', { ehlo: 'localhost' })],
    shows: ['first: refused at rcpt', 'second: accepted at rcpt'],
  },
  {
    rule: 'a session about one name says it first, and a server that takes one EHLO is not misread',
    server: `
      220 mx.example ESMTP
      250 mx.example
      250 Ok
      550 Invalid recipient
      221 bye`,
    client: `
      EHLO localhost
      MAIL FROM:<a@probe.example>
      RCPT TO:<x@canary.example>
      QUIT`,
    transactions: [transaction('first', '<x@canary.example>', { ehlo: 'localhost' })],
    shows: ['first: refused at rcpt'],
  },
  {
    rule: 'a second EHLO that is refused as such says nothing of its name',
    server: `
      220 mx.example ESMTP
      250 mx.example
      250 Ok
      550 Invalid recipient
      503 5.5.1 Invalid command: Already identified
      503 5.5.1 Invalid command: Already identified
      221 bye`,
    client: `
      EHLO probe.example
      MAIL FROM:<a@probe.example>
      RCPT TO:<x@canary.example>
      EHLO localhost
      HELO localhost
      QUIT`,
    transactions: [transaction('first', '<x@canary.example>'), transaction('second', '<y@canary.example>', { ehlo: 'localhost' })],
    shows: ['first: refused at rcpt', 'second: not-run at greeting'],
  },
  {
    rule: 'what a server has against a claimed name is a refusal of the claim, not of us',
    server: `
      220 mx.example ESMTP
      550 5.7.1 Helo command rejected: You are not me
      250 mx.example
      250 Ok
      504 5.5.2 <localhost>: Helo command rejected: need fully-qualified hostname
      221 bye`,
    client: `
      EHLO mx.example
      EHLO localhost
      MAIL FROM:<a@probe.example>
      RCPT TO:<y@canary.example>
      QUIT`,
    transactions: [
      transaction('first', '<x@canary.example>', { ehlo: 'mx.example' }),
      transaction('second', '<y@canary.example>', { ehlo: 'localhost' }),
    ],
    shows: ['first: refused at ehlo', 'second: refused at rcpt'],
  },
  {
    rule: 'a claimed sender whose domain cannot be found is refused, and our own is put off',
    server: `
      220 mx.example ESMTP
      250 mx.example
      450 4.1.8 <a@nowhere.example>: Sender address rejected: Domain not found
      450 4.1.8 <a@probe.example>: Sender address rejected: Domain not found
      221 bye`,
    client: `
      EHLO probe.example
      MAIL FROM:<a@nowhere.example>
      MAIL FROM:<a@probe.example>
      QUIT`,
    transactions: [
      transaction('first', '<x@canary.example>', { from: '<a@nowhere.example>' }),
      transaction('second', '<y@canary.example>'),
    ],
    shows: ['first: refused at mail', 'second: deferred at mail'],
  },
];
