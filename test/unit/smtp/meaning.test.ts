import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../../shared/domain/scan.ts';
import { isLimit, isSenderUnknown, isTemporary, meaningOf, saysOf } from '../../../shared/smtp/meaning.ts';

/** A reply as it would have been read. Lines are parted by `\n`. */
function meaning(text: string): Outcome {
  const raw = text.split('\n');
  return meaningOf({ code: Number(text.slice(0, 3)), raw });
}

type Table = Partial<Record<Outcome, readonly (readonly [server: string, reply: string])[]>>;

const REPLIES: Table = {
  accepted: [
    ['Postfix', '250 2.1.5 Ok'],
    ['RFC 5321', '251 User not local; will forward to <u@canary.example>'],
    ['RFC 5321', '252 Cannot VRFY user, but will accept message'],
    ['talkative', '250 Relaying denied? Not here: greylisting, authentication required, spamhaus are only words'],
  ],
  refused: [
    ['Postfix', '454 4.7.1 <u@canary.example>: Relay access denied'],
    ['Postfix', '554 5.7.1 <u@canary.example>: Relay access denied'],
    ['Postfix, client named', '554 5.7.1 <unknown[192.0.2.9]>: Client host rejected: Relay access denied'],
    ['Exim', '550 relay not permitted'],
    ['Debian’s Exim', '550 relay not permitted\n550 your host 192.0.2.9 is not known here'],
    [
      'Exim',
      '550-Please turn on SMTP Authentication in your mail client.\n550 192.0.2.9 is not permitted to relay through this server without authentication.',
    ],
    ['Exim', '501 <@mx.example:u@canary.example>: malformed address'],
    ['Exim', '550 Administrative prohibition'],
    ['Sendmail', '550 5.7.1 <u@canary.example>... Relaying denied'],
    ['Sendmail', '550 5.7.1 <u@canary.example>... Relaying denied. IP name lookup failed [192.0.2.9]'],
    ['Sendmail', '550 5.7.1 <u@canary.example>... Relaying denied. Proper authentication required.'],
    ['Sendmail', '553 5.1.8 <relay-audit@localhost>... Domain of sender address does not exist'],
    ['Exchange', '550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain'],
    ['Exchange', '550 5.7.1 Unable to relay'],
    ['Exchange Online', '550 5.7.64 TenantAttribution; Relay Access Denied SMTP'],
    ['IIS', '550 5.7.1 Unable to relay for u@canary.example'],
    ['qmail', '553 sorry, that domain isn’t in my list of allowed rcpthosts (#5.7.1)'],
    ['OpenSMTPD', '550 Invalid recipient: <u@canary.example>'],
    ['OpenSMTPD', '550 5.7.1 Relaying not allowed'],
    ['hMailServer', '550 Delivery is not allowed to this address.'],
    ['Courier', '513 Relaying denied.'],
    ['Zimbra', '554 5.7.1 <u@canary.example>: Recipient address rejected: Access denied'],
    ['Haraka', '550 I cannot deliver mail for <u@canary.example>'],
    [
      'Gmail',
      '550-5.1.1 The email account that you tried to reach does not exist.\n550 5.1.1 https://support.google.com/mail/?p=NoSuchUser',
    ],
    ['Yandex', '554 5.7.1 Relaying is denied'],
    ['old', '550 relaying to <u@canary.example> prohibited by administrator'],
    ['old', '571 We do not relay'],
    ['old', '550 not local host canary.example, not a gateway'],
    ['old', '451 4.7.1 We cannot relay mail for you'],
    ['Postfix', '504 5.5.2 <relay-audit>: Sender address rejected: need fully-qualified address'],
  ],
  greylisted: [
    [
      'postgrey',
      '450 4.2.0 <u@mx.example>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/mx.example.html',
    ],
    ['milter-greylist', '451 4.7.1 Greylisting in action, please come back in 00:05:00'],
    ['milter-greylist', '451 4.7.1 Greylisting in action, please try again later'],
    [
      'Exim',
      '451-192.0.2.9 is not yet authorized to deliver mail from\n451 <relay-audit@probe.example> to <postmaster@mx.example>. Greylisting: please try later.',
    ],
    ['spamd', '451 4.7.1 Graylisted, try again in 25 minutes'],
    ['rspamd', '451 4.7.1 Try again later'],
    ['a relay denial’s words borrowed', '450 4.7.1 Greylisted: relay access denied for now'],
    ['our address named', '451 4.7.1 Your host is greylisted'],
  ],
  deferred: [
    ['postscreen', '450 4.3.2 Service currently unavailable'],
    ['Postfix', '452 4.5.3 Error: too many recipients'],
    ['Postfix', '450 4.7.1 Client host rejected: cannot find your hostname, [192.0.2.9]'],
    ['Postfix', '450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.9]'],
    ['Postfix', '451 4.3.0 <u@canary.example>: Temporary lookup failure'],
    ['Postfix', '450 4.7.1 Error: too much mail from 192.0.2.9'],
    ['Exim', '451 too many recipients, try again later'],
    ['Exchange', '450 4.7.1 Message submission rate for this client has exceeded the configured limit'],
    ['Sendmail', '452 4.4.5 Insufficient disk space'],
    ['Sendmail', '450 4.7.1 <u@canary.example>... Relaying temporarily denied. Cannot resolve PTR record for 192.0.2.9'],
    ['Sendmail', '451 4.1.8 Domain of sender address relay-audit@probe.example does not resolve'],
    ['Exim', '451 Temporary local problem'],
    ['Exchange', '452 4.3.1 Insufficient system resources'],
    ['class alone', '450 4.7.1 Not now'],
    ['a limit, whatever its code', '550 5.7.0 Too many errors'],
  ],
  'authentication-required': [
    ['Exchange', '530 5.7.57 Client not authenticated to send mail'],
    ['Exchange', '530 5.7.1 Client was not authenticated'],
    ['Postfix', '530 5.7.0 Authentication required'],
    ['Postfix', '530 5.7.1 Authentication required'],
    ['Gmail', '530-5.7.0 Authentication Required. For more information, go to\n530 5.7.0 https://support.google.com/accounts'],
    ['hMailServer', '530 SMTP authentication is required.'],
    ['IONOS', '535 Authentication required'],
    ['code alone', '535 5.7.8 no'],
    ['code alone', '530 5.7.0 no'],
    ['MailEnable', '503 This mail server requires authentication when attempting to send to a non-local e-mail address.'],
    ['Yahoo', '550 5.7.1 Authentication required'],
    ['old', '550 You must be authenticated to send'],
    ['old', '550 Please log in first'],
  ],
  'starttls-first': [
    ['Postfix', '530 5.7.0 Must issue a STARTTLS command first'],
    ['Exchange', '530 5.7.0 Must issue STARTTLS first'],
    ['other', '530 5.7.1 Encryption required'],
  ],
  'about-us': [
    [
      'Postfix with DNSBL',
      '554 5.7.1 Service unavailable; Client host [192.0.2.9] blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/192.0.2.9',
    ],
    ['Postfix with DNSBL', '554 5.7.1 Service unavailable; Client host [192.0.2.9] blocked using bl.spamcop.net'],
    ['Postfix', '554 5.7.1 <unknown[192.0.2.9]>: Client host rejected: Access denied'],
    ['Postfix', '550 5.7.25 Client host rejected: cannot find your reverse hostname, [192.0.2.9]'],
    ['Postfix', '550 5.7.1 <probe.example>: Helo command rejected: Host not found'],
    ['ISP', '550 5.7.1 Mail from 192.0.2.9 refused: listed in the PBL'],
    ['Outlook', '550 5.7.606 Access denied, banned sending IP [192.0.2.9]'],
    ['Outlook', '550 5.7.1 Unfortunately, messages from [192.0.2.9] weren’t sent. Part of their network is on our block list (S3140).'],
    ['Exim', '550 JunkMail rejected - [192.0.2.9] is in an RBL'],
    ['Exim', '550 Your IP was found in our blacklist'],
    ['Comcast', '554 Comcast requires that all mail servers must have a PTR record'],
    ['a list of open relays', '554 5.7.1 Your IP was found to be an open relay'],
  ],
};

for (const [outcome, replies] of Object.entries(REPLIES))
  describe(`${outcome} is what it means`, () => {
    test.each(replies)('%s: %s', (_, reply) => {
      expect(meaning(reply)).toBe(outcome);
    });
  });

test('a limit is one though it says “try again later”, and greylisting is none though it counts', () => {
  const isLimited = (text: string) => isLimit({ code: Number(text.slice(0, 3)), raw: [text] });
  expect(isLimited('451 too many recipients, try again later')).toBe(true);
  expect(isLimited('450 4.7.1 Error: too much mail from 192.0.2.9')).toBe(true);
  expect(isLimited('451 too many connections from unknown hosts: greylisted')).toBe(false);
  expect(isLimited('451 4.7.1 try again later')).toBe(false);
});

test('no refusal, whatever its words, is read as an acceptance', () => {
  const words = Object.values(REPLIES).flatMap((replies) => replies.map(([, reply]) => reply.slice(4)));
  for (const text of words) for (const code of [450, 454, 530, 550, 554]) expect(meaning(`${code} ${text}`)).not.toBe('accepted');
});

test('no temporary answer without a relay denial’s words is a refusal', () => {
  const words = ['deferred', 'about-us', 'greylisted', 'starttls-first'] as const;
  for (const outcome of words)
    for (const [, reply] of REPLIES[outcome] ?? []) expect(['greylisted', 'deferred']).toContain(meaning(`450 ${reply.slice(4)}`));
});

test('a reply of 16 KiB is understood in a moment', () => {
  for (const text of ['not '.repeat(4_000), 'relay '.repeat(2_700), 'client host '.repeat(1_300), 'try again '.repeat(1_600)])
    expect(meaning(`450 ${text}`)).toBe('deferred');
});

test('the class of a code says whether a reply accepts, and whether a refusal is for now', () => {
  expect([200, 299, 300, 354].map((code) => meaning(`${code} x`))).toEqual(['accepted', 'accepted', 'refused', 'refused']);
  expect([399, 400, 499, 500].map((code) => isTemporary({ code, raw: [] }))).toEqual([false, true, true, false]);
  expect([399, 400].map((code) => isLimit({ code, raw: [`${code} too many recipients`] }))).toEqual([false, true]);
});

test('what a parser does not understand is no user that it does not know, and no acceptance says anything', () => {
  const says = (code: number, text: string) => saysOf({ code, raw: [`${code} ${text}`] });
  for (const code of [500, 501, 502, 503, 504, 555]) expect(says(code, '5.1.1 User unknown')).toBeUndefined();
  for (const code of [400, 450, 550, 551, 553, 554]) expect(says(code, '5.1.1 User unknown')).toBe('unknown-user');
  for (const text of ['5.1.1 User unknown', 'Relaying denied']) expect(says(399, text)).toBeUndefined();
  expect(says(501, 'Relaying denied')).toBe('no-relaying');
  expect(says(550, 'No')).toBeUndefined();
});

test.each([
  ['by its code', '451 4.1.8 no', true],
  ['in the words of Postfix', '450 <x@y>: Sender address rejected: Domain not found', true],
  ['in the words of Sendmail', '451 Domain of sender address <x@y> does not resolve', true],
  ['as nothing of the kind', '451 4.1.80 try again', false],
])('a sender whose domain cannot be found is told %s', (_, text, unknown) => expect(isSenderUnknown(text)).toBe(unknown));
