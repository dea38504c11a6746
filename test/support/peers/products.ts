// Servers as they are installed, or as their vendors advise, in the words that they send; put together from published transcripts, manuals
// and bounces. All take mail for served.example, and call themselves mail.served.example.
import type { Answer, Product } from './product.ts';

const ANY = /^/;
const OWN = /@served\.example>?$/i; // the last @ counts
const OWN_USER = /^<?(?:postmaster|owner)@served\.example>?$/i;
const NO_DOMAIN = /^<?[^@]*>?$/;
const QUOTED_WHOLE = /^<"[^"]*">$/;
const ROUTE = /^<@[^:]*:/;
const SEVERAL_AT = /^<[^"@]*@[^"@]*@/;
const LITERAL = /@\[[^\]]*\]>?$/;
const ODD = /^<?(?:"[^"]*"|[^@"]*|[^"@]*@[^"@]*@[^@]*)>?$/; // no domain, or two of them

const EXCHANGE_WORDS = {
  greeting: '220 mail.served.example Microsoft ESMTP MAIL Service ready at Tue, 24 Nov 2026 10:31:00 +0000',
  ehlo: [
    '250-mail.served.example Hello [127.0.0.1]',
    '250-SIZE 37748736',
    '250-PIPELINING',
    '250-DSN',
    '250-ENHANCEDSTATUSCODES',
    '250-STARTTLS',
    '250-X-ANONYMOUSTLS',
    '250-AUTH NTLM',
    '250-X-EXPS GSSAPI NTLM',
    '250-8BITMIME',
    '250-BINARYMIME',
    '250-CHUNKING',
    '250-SMTPUTF8',
    '250 XRDST',
  ].join('\n'),
  helo: '250 mail.served.example Hello [127.0.0.1]',
  data: '354 Start mail input; end with <CRLF>.<CRLF>',
  noRecipient: '503 5.5.2 Need rcpt command',
  message: '250 2.6.0 <1c2d3e4f@mail.served.example> [InternalId=1234567890, Hostname=mail.served.example] Queued mail for delivery',
  reset: '250 2.0.0 Resetting',
  bye: '221 2.0.0 Service closing transmission channel',
  help: '214-This server supports the following commands:\n214 HELO EHLO STARTTLS RCPT DATA RSET MAIL QUIT HELP AUTH BDAT',
  unknown: '500 5.3.3 Unrecognized command',
  starttls: '220 2.0.0 SMTP server ready',
  refusalMs: 5_000, // TarpitInterval
  errors: { limit: 5, reply: '421 4.7.0 Too many errors on this connection, closing transmission channel' }, // MaxProtocolErrors
  connections: { limit: 20, reply: '421 4.3.2 Service not available' }, // MaxInboundConnectionPerSource
} as const;

const EXCHANGE_SENDERS: readonly Answer[] = [
  [/^<>$/, '250 2.1.0 Sender OK'],
  [/^<[^@]*>$/, '501 5.1.7 Invalid address'],
  [ANY, '250 2.1.0 Sender OK'],
];
const NOT_ACCEPTED = '550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain';

/** Exchange 2019 as installed: it looks no recipient up at RCPT, and takes every local part of its accepted domains. */
export const EXCHANGE: Product = {
  ...EXCHANGE_WORDS,
  senders: EXCHANGE_SENDERS,
  recipients: [
    [ROUTE, '501 5.1.3 Invalid address'],
    [ODD, '501 5.1.3 Invalid address'],
    [OWN, '250 2.1.5 Recipient OK'],
    [ANY, NOT_ACCEPTED],
  ],
};

/** The same with its recipient filter: who is not in the directory is refused at RCPT. */
export const EXCHANGE_FILTERED: Product = {
  ...EXCHANGE,
  recipients: [
    [ROUTE, '501 5.1.3 Invalid address'],
    [ODD, '501 5.1.3 Invalid address'],
    [OWN_USER, '250 2.1.5 Recipient OK'],
    [OWN, '550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup'],
    [ANY, NOT_ACCEPTED],
  ],
};

/** The same with ms-Exch-SMTP-Accept-Any-Recipient granted to ANONYMOUS LOGON. */
export const EXCHANGE_OPEN: Product = {
  ...EXCHANGE,
  recipients: [
    [ROUTE, '501 5.1.3 Invalid address'],
    [ODD, '501 5.1.3 Invalid address'],
    [ANY, '250 2.1.5 Recipient OK'],
  ],
  relays: [/@(?!served\.example>)[^@[]*>$/],
};

const QMAIL_ALL: Omit<Product, 'recipients'> = {
  greeting: '220 mail.served.example ESMTP',
  ehlo: '250-mail.served.example\n250-PIPELINING\n250 8BITMIME',
  helo: '250 mail.served.example',
  senders: [[ANY, '250 ok']],
  data: '354 go ahead',
  noRecipient: '503 RCPT first (#5.5.1)',
  message: '250 ok 1795516260 qp 12345',
  reset: '250 flushed',
  bye: '221 mail.served.example',
  help: '214 netqmail home page: http://qmail.org/netqmail',
  unknown: '502 unimplemented (#5.5.1)',
};
const NOT_IN_RCPTHOSTS = "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)";
// It takes source routes off, unquotes, looks behind the last @, and takes what has none.
const QMAIL_RECIPIENTS: readonly Answer[] = [
  [/^<[^>]*$/, '555 syntax error (#5.5.4)'],
  [ROUTE, NOT_IN_RCPTHOSTS],
  [/^<"[^"@]*@[^"@]*">$/, NOT_IN_RCPTHOSTS],
  [NO_DOMAIN, '250 ok'],
  [OWN, '250 ok'],
  [/@(?:mail\.served\.example|\[127\.0\.0\.1\])>?$/i, '250 ok'],
  [ANY, NOT_IN_RCPTHOSTS],
];

/** netqmail with control/rcpthosts: any local part at its domains, and who is unknown is bounced later. */
export const QMAIL: Product = { ...QMAIL_ALL, recipients: QMAIL_RECIPIENTS };

/** The same with control/percenthack. */
export const QMAIL_PERCENTHACK: Product = { ...QMAIL, relays: [/^<[^@"]*%canary\.example@served\.example>$/] };

/** qmail without control/rcpthosts. */
export const QMAIL_OPEN: Product = { ...QMAIL_ALL, recipients: [[ANY, '250 ok']], relays: [/@(?!served\.example>)[^@[]*>$/] };

const NOT_LOCAL =
  '503 This mail server requires authentication when attempting to send to a non-local e-mail address. Please check your mail client settings or contact your administrator to verify that the domain or address is defined for this server.';

/** MailEnable: its refusals are bad sequences of commands. */
export const MAILENABLE: Product = {
  greeting: '220 served.example ESMTP MailEnable Service, Version: 10.49-- ready at 11/24/26 10:31:00',
  ehlo: '250-served.example [127.0.0.1], this server offers 4 extensions\n250-AUTH LOGIN\n250-SIZE 40960000\n250-HELP\n250 AUTH=LOGIN',
  helo: '250 Requested mail action okay, completed',
  senders: [[ANY, '250 Requested mail action okay, completed']],
  recipients: [
    [QUOTED_WHOLE, '501 Syntax error in parameters or arguments'],
    [SEVERAL_AT, '501 Syntax error in parameters or arguments'],
    [OWN_USER, '250 Requested mail action okay, completed'],
    [OWN, '550 Requested action not taken: mailbox unavailable or not local'],
    [ANY, NOT_LOCAL],
  ],
  data: '354 Start mail input; end with <CRLF>.<CRLF>',
  noRecipient: '503 Bad sequence of commands',
  message: '250 Requested mail action okay, completed',
  reset: '250 Requested mail action okay, completed',
  bye: '221 Service closing transmission channel',
  help: '211 System status, or system help reply',
  unknown: '503 Bad sequence of commands',
};

/** MailEnable with "Allow relay for local sender addresses". */
export const MAILENABLE_LOCAL_SENDERS: Product = {
  ...MAILENABLE,
  recipients: MAILENABLE.recipients.map(
    ([path, reply]): Answer => [path, reply === NOT_LOCAL ? '250 Requested mail action okay, completed' : reply],
  ),
  relays: [/@canary\.example>$/],
};

/** Lotus Domino that verifies recipients in its directory. */
export const DOMINO: Product = {
  greeting: '220 mail.served.example ESMTP Service (Lotus Domino Release 8.5.3FP6) ready at Tue, 24 Nov 2026 10:31:00 +0100',
  ehlo: '250-mail.served.example Hello {client} ([127.0.0.1]), pleased to meet you\n250-HELP\n250-SIZE 52428800\n250 PIPELINING',
  helo: '250 mail.served.example Hello {client} ([127.0.0.1]), pleased to meet you',
  senders: [[ANY, '250 {mailbox}... Sender OK']],
  recipients: [
    [SEVERAL_AT, '501 Syntax error, parameters in command "RCPT TO:{path}" unrecognized or missing'],
    [OWN_USER, '250 {mailbox}... Recipient OK'],
    [OWN, '550 {mailbox}... User unknown'],
    [ANY, '554 Relay rejected for policy reasons.'],
  ],
  data: '354 Enter message, end with "." on a line by itself',
  noRecipient: '503 Issue RCPT TO: command before DATA command',
  message: '250 Message accepted for delivery',
  reset: '250 Reset state',
  bye: '221 mail.served.example SMTP Service closing transmission channel',
  help: '214 Enter one of the following commands: HELO EHLO MAIL RCPT DATA RSET NOOP QUIT',
  unknown: '500 Syntax error, command unrecognized',
};

/** An old Domino that takes the quoted local part for the address. */
export const DOMINO_QUOTED: Product = {
  ...DOMINO,
  recipients: [[/^<"[^"]*@[^"]*"@served\.example>$/, '250 {mailbox}... Recipient OK'], ...DOMINO.recipients],
  relays: [/^<"[^",]*@canary\.example"@served\.example>$/],
};

/** A Domino without anybody at postmaster. */
export const DOMINO_WITHOUT_POSTMASTER: Product = {
  ...DOMINO,
  recipients: DOMINO.recipients.map(([path, reply]): Answer => [path === OWN_USER ? /^<owner@served\.example>$/ : path, reply]),
};

/** A gateway like Barracuda's: it takes any local part, asks the server behind it, and refuses the message after its dot. */
export const BARRACUDA: Product = {
  greeting: '220 mail.served.example ESMTP (2a4f6c8e0b1d3f5a7c9e1b3d5f7a9c0e)',
  ehlo: '250-mail.served.example Hello {client} [127.0.0.1], pleased to meet you\n250-SIZE 100000000\n250-PIPELINING\n250-8BITMIME\n250 HELP',
  helo: '250 mail.served.example Hello {client} [127.0.0.1], pleased to meet you',
  senders: [[ANY, '250 Sender {path} OK']],
  recipients: [
    [ODD, '501 5.1.3 Bad recipient address syntax'],
    [OWN, '250 Recipient {path} OK'],
    [ANY, '550 No such domain at this location'],
  ],
  data: '354 Start mail input; end with <CRLF>.<CRLF>',
  noRecipient: '503 Polite people say RCPT first',
  message: '550 permanent failure for one or more recipients (audit@served.example:550 5.1.1 User unknown)',
  reset: '250 Reset OK',
  bye: '221 mail.served.example Goodbye {client}, closing connection',
  help: '214 HELO EHLO MAIL RCPT DATA RSET NOOP QUIT HELP',
  unknown: '500 Command unrecognized',
};

/** A gateway like IronPort's. */
export const IRONPORT: Product = {
  greeting: '220 mail.served.example ESMTP',
  ehlo: '250-mail.served.example\n250-8BITMIME\n250 SIZE 33554432',
  helo: '250 mail.served.example',
  senders: [
    [/^<>$/, '250 sender <> ok'],
    [/^<[^@]*>$/, '501 #5.1.7 Bad sender address syntax'],
    [ANY, '250 sender {path} ok'],
  ],
  recipients: [
    [ODD, '501 #5.1.3 Bad recipient address syntax'],
    [OWN, '250 recipient {path} ok'],
    [ANY, '550 #5.1.0 Address rejected.'],
  ],
  data: '354 go ahead',
  noRecipient: '503 #5.5.1 RCPT first',
  message: '250 ok:  Message 12345678 accepted',
  reset: '250 reset',
  bye: '221 mail.served.example',
  help: '214-The following commands are recognized\n214-    auth    data    ehlo    helo\n214 help mail noop quit rcpt rset vrfy',
  unknown: '500 #5.5.1 command not recognized',
  errors: { limit: 5, reply: '421 Exceeded bad SMTP command limit, disconnecting.' },
};

/** The same, to a sender of poor reputation: refused instead of a greeting. */
export const IRONPORT_BLOCKING: Product = {
  ...IRONPORT,
  greeting:
    "554-mail.served.example\n554 Your access to this mail system has been rejected due to the sending MTA's poor reputation. If you believe that this failure is in error, please contact the intended recipient via alternate means.",
};

/** The same with the refusal delayed until a recipient is named. */
export const IRONPORT_BLOCKING_LATE: Product = {
  ...IRONPORT,
  recipients: [[ANY, '550 #5.7.1 Your access to submit messages to this e-mail system has been rejected.']],
};

/** Sendmail behind Cisco's inspection of SMTP: stars for a greeting, and no command that RFC 821 does not have. */
export const CISCO_INSPECTED: Product = {
  greeting: '220 ****************************************************',
  ehlo: '500 5.5.1 Command unrecognized: "XXXX {client}"',
  helo: '250 mail.served.example Hello [127.0.0.1], pleased to meet you',
  senders: [[ANY, '250 2.1.0 {path}... Sender ok']],
  recipients: [
    [OWN_USER, '250 2.1.5 {path}... Recipient ok'],
    [OWN, '550 5.1.1 {path}... User unknown'],
    [NO_DOMAIN, '550 5.1.1 {path}... User unknown'],
    [ANY, '550 5.7.1 {path}... Relaying denied'],
  ],
  data: '354 Enter mail, end with "." on a line by itself',
  noRecipient: '503 5.0.0 Need RCPT (recipient)',
  message: '250 2.0.0 0AO9V0aa012345 Message accepted for delivery',
  reset: '250 2.0.0 Reset state',
  bye: '221 2.0.0 mail.served.example closing connection',
  help: '500 5.5.1 Command unrecognized: "XXXX"',
  unknown: '500 5.5.1 Command unrecognized: "XXXX"',
};

/** OS/400: HELO only. */
export const OS400: Product = {
  greeting: '220 mail.served.example running IBM AS/400 SMTP V4R5M0 on 24 Nov 2026 10:31:00',
  ehlo: '500 Command unrecognized',
  helo: '250 mail.served.example',
  senders: [[ANY, '250 OK']],
  recipients: [
    [ODD, '501 Syntax error in parameters or arguments'],
    [OWN_USER, '250 OK'],
    [OWN, '550 Mailbox not found'],
    [ANY, '553 Relaying blocked at this site'],
  ],
  data: '354 Enter mail body. End by new line with just a .',
  noRecipient: '503 Need RCPT command',
  message: '250 OK',
  reset: '250 OK',
  bye: '221 mail.served.example running IBM AS/400 SMTP V4R5M0 on 24 Nov 2026 10:31:00. Connection closing',
  help: '214 HELO MAIL RCPT DATA RSET NOOP QUIT VRFY',
  unknown: '500 Command unrecognized',
};

/** The same with CHGSMTPA ALWRLY(*ALL). */
export const OS400_OPEN: Product = {
  ...OS400,
  recipients: OS400.recipients.map(([path, reply]): Answer => [path, reply.startsWith('553') ? '250 OK' : reply]),
  relays: [/@canary\.example>$/],
};

/** rblsmtpd for an address that is listed: it takes everything up to RCPT, and has the list's words for the rest. */
export const RBLSMTPD: Product = {
  greeting: '220 rblsmtpd.local',
  ehlo: '250 rblsmtpd.local',
  helo: '250 rblsmtpd.local',
  senders: [[ANY, '250 rblsmtpd.local']],
  recipients: [[ANY, '553 https://www.spamhaus.org/query/ip/127.0.0.1']],
  data: '553 https://www.spamhaus.org/query/ip/127.0.0.1',
  noRecipient: '553 https://www.spamhaus.org/query/ip/127.0.0.1',
  message: '553 https://www.spamhaus.org/query/ip/127.0.0.1',
  reset: '250 rblsmtpd.local',
  bye: '221 rblsmtpd.local',
  help: '553 https://www.spamhaus.org/query/ip/127.0.0.1',
  unknown: '553 https://www.spamhaus.org/query/ip/127.0.0.1',
};

/** The same by another list, in the words of its TXT record. */
export const RBLSMTPD_SPAMCOP: Product = {
  ...RBLSMTPD,
  recipients: [[ANY, '553 Blocked - see https://www.spamcop.net/bl.shtml?127.0.0.1']],
};

/** Courier: a second and more for each refusal of a session. */
export const COURIER: Product = {
  greeting: '220 mail.served.example ESMTP',
  ehlo: '250-mail.served.example Ok.\n250-XVERP=Courier\n250-XEXDATA\n250-PIPELINING\n250-8BITMIME\n250-SIZE\n250 DSN',
  helo: '250 Ok.',
  senders: [[ANY, '250 Ok.']],
  recipients: [
    [QUOTED_WHOLE, '513 Syntax error.'],
    [OWN_USER, '250 Ok.'],
    [OWN, '550 User unknown.'],
    [LITERAL, '550 User unknown.'],
    [NO_DOMAIN, '550 User unknown.'],
    [ANY, '513 Relaying denied.'],
  ],
  data: '354 Ok.',
  noRecipient: '503 Bad sequence of commands.',
  message: '250 Ok. 00000000000A0B1C.0000000065623AB4.00001234',
  reset: '250 Ok.',
  bye: '221 Bye.',
  help: '502 ESMTP command error',
  unknown: '502 ESMTP command error',
  refusalMs: 27_000,
};

/** A server of no known make that has everybody wait for its greeting, and refuses at once. */
export const SLOW_GREETER: Product = {
  ...CISCO_INSPECTED,
  greeting: '220 mail.served.example ESMTP',
  greetMs: 35_000,
  ehlo: '250-mail.served.example Hello {client}\n250-PIPELINING\n250 8BITMIME',
  recipients: [
    [OWN_USER, '250 2.1.5 Ok'],
    [OWN, '550 5.1.1 No such user here'],
    [ANY, '550 5.7.1 We do not relay'],
  ],
  help: '214 2.0.0 No help here',
  unknown: '500 5.5.1 Unknown command',
};
