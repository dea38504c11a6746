import type { Session } from './transcript.ts';

const NOTHING_RUN = ['first: not-run at greeting', 'second: not-run at greeting'];

/** How sessions begin: greetings, EHLO and HELO. */
export const BEGINNINGS: readonly Session[] = [
  {
    rule: 'the client waits for the greeting, says EHLO, tries each envelope with RSET in between, and quits',
    server: `
      220 mx.example ESMTP
      250-mx.example
      250-PIPELINING
      250 8BITMIME
      250 2.1.0 Ok
      554 5.7.1 <x@canary.example>: Relay access denied
      250 2.0.0 Ok
      250 2.1.0 Ok
      250 2.1.5 Ok
      221 2.0.0 Bye`,
    client: `
      EHLO probe.example
      MAIL FROM:<a@probe.example>
      RCPT TO:<x@canary.example>
      RSET
      MAIL FROM:<>
      RCPT TO:<y@canary.example>
      QUIT`,
    shows: ['first: refused at rcpt', 'second: accepted at rcpt'],
  },
  {
    rule: 'a server that has not said what it is is asked for HELP before we go, whatever it offers',
    server: `
      220 mx.example ESMTP
      250-mx.example
      250 PIPELINING
      550 no
      503 no
      250 reset
      550 no
      503 no
      214 netqmail home page: http://qmail.org/netqmail
      221 bye`,
    client: `
      EHLO probe.example
      MAIL FROM:<a@probe.example>
      RCPT TO:<x@canary.example>
      RSET
      MAIL FROM:<>
      RCPT TO:<y@canary.example>
      HELP
      QUIT`,
    help: true,
    shows: ['first: refused at mail', 'second: refused at mail'],
  },
  {
    rule: 'a greeting of several lines is one greeting',
    server: `
      220-mx.example ESMTP
      220-We do not authorize the use of this system to transport unsolicited mail.
      220 Have a nice day
      250 mx.example
      550 no
      550 no
      221 bye`,
    client: `
      EHLO probe.example
      MAIL FROM:<a@probe.example>
      MAIL FROM:<>
      QUIT`,
    shows: ['first: refused at mail', 'second: refused at mail'],
  },
  ...[500, 502, 503, 504].map(
    (code): Session => ({
      rule: `a server that answers EHLO with ${code} is asked with HELO`,
      server: `
        220 mx.example
        ${code} what?
        250 mx.example
        250 Ok
        550 relay not permitted
        250 Ok
        250 Ok
        550 relay not permitted
        221 bye`,
      client: `
        EHLO probe.example
        HELO probe.example
        MAIL FROM:<a@probe.example>
        RCPT TO:<x@canary.example>
        RSET
        MAIL FROM:<>
        RCPT TO:<y@canary.example>
        QUIT`,
      shows: ['first: refused at rcpt', 'second: refused at rcpt'],
    }),
  ),
  {
    rule: 'a server that knows neither EHLO nor HELO completes no test as a recipient refused',
    server: `
      220 mx.example
      502 no
      502 no
      221 bye`,
    client: `
      EHLO probe.example
      HELO probe.example
      QUIT`,
    shows: ['first: refused at ehlo', 'second: refused at ehlo'],
  },
  {
    rule: 'EHLO refused because of our address is no answer about relaying',
    server: `
      220 mx.example
      550 5.7.1 Client host [192.0.2.9] blocked using zen.spamhaus.org
      221 bye`,
    client: `
      EHLO probe.example
      QUIT`,
    shows: ['first: about-us at ehlo', 'second: about-us at ehlo'],
  },
  {
    rule: 'a greeting of 554 is a refusal of us, not of relaying, and we say no more than QUIT',
    server: `
      554 mx.example ESMTP not accepting messages
      221 bye`,
    client: 'QUIT',
    shows: ['first: about-us at greeting', 'second: about-us at greeting'],
  },
  {
    rule: 'a greeting of 421 puts everything off, and is not answered',
    server: '421 4.3.2 Too many connections',
    client: '',
    shows: NOTHING_RUN,
    cutShort: '421',
  },
  {
    rule: 'a server that closes before it greets is unreachable',
    server: '',
    client: '',
    contact: 'closed-early',
    shows: [],
    cutShort: 'closed',
  },
  {
    rule: 'a server that never greets is unreachable, and we do not speak first',
    server: '',
    end: 'silent',
    client: '',
    contact: 'no-greeting',
    shows: [],
    cutShort: 'silent',
  },
  {
    rule: 'a web server is not SMTP',
    server: 'HTTP/1.1 400 Bad Request',
    client: '',
    contact: 'not-smtp',
    shows: [],
    cutShort: 'not-smtp',
  },
  {
    rule: 'a greeting without end is not SMTP',
    server: '220-and so on\n'.repeat(2_000),
    client: '',
    contact: 'not-smtp',
    shows: [],
    cutShort: 'too-much',
  },
];
