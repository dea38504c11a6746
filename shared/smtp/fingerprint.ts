import type { Mta, Software } from '../domain/remedies.ts';

// What a server says of itself in its greeting, with the version that stands behind it. The more telling pattern first:
// what is built on another server often keeps that one's words.
const GREETINGS: readonly (readonly [Mta, RegExp])[] = [
  ['zimbra', /\bzimbra\b/i],
  ['postfix', /\bESMTP Postfix\b(?: \(([\d.]{1,20})\))?/],
  ['exim', /\bESMTP Exim ([\d.]{1,20})/],
  ['sendmail', /\bESMTP Sendmail ([\w.]{1,20})/],
  ['opensmtpd', /\bESMTP OpenSMTPD\b/],
  ['iis', /\bMicrosoft ESMTP MAIL Service, Version: ([\d.]{1,20})/],
  ['exchange', /\bMicrosoft ESMTP MAIL Service ready at\b/],
  ['hmailserver', /\bhMailServer\b/],
  ['mailenable', /\bESMTP MailEnable Service(?:, Version: ([\d.]{1,20}))?/],
  ['haraka', /\bESMTP Haraka(?:\/([\d.]{1,20}))?/],
  ['domino', /\bESMTP Service \((?:IBM|HCL|Lotus) Domino Release ([\w.]{1,20})/],
  ['os400', /\brunning IBM (?:AS\/400|iSeries|i5\/OS|IBM i) SMTP (?:V(\w{1,20}))?/],
  ['postcast', /\bPostCast SMTP server\b/i],
];

// Wordings that only one server has by default, for greetings that were changed to say nothing.
const ANSWERS: readonly (readonly [Mta, RegExp])[] = [
  [
    'postfix',
    /<[^<>]*>: (?:Relay access denied|Sender address rejected|Recipient address rejected)|Client host rejected: cannot find your/,
  ],
  ['qmail', /isn'?t in my list of allowed rcpthosts|qmail home page/i],
  ['courier', /^513 Relaying denied|^535 Authentication required\.$/],
  ['exchange', /Unable to relay recipient in non-accepted domain|^250-X-(?:ANONYMOUSTLS|EXPS)\b/i],
  ['iis', /5\.7\.1 Unable to relay for /i],
  ['sendmail', /\.\.\. Relaying denied|This is sendmail version/i],
  ['haraka', /I cannot deliver mail for /],
  ['hmailserver', /SMTP authentication is required\./],
  ['exim', /\brelay not permitted\b/i],
];

/**
 * What a server is, by its greeting, or else by the words of its answers; undefined when neither tells. `said` are the
 * server's lines of one session in their order, the greeting first.
 */
export function fingerprint(said: readonly string[]): Software | undefined {
  const [greeting = '', ...answers] = said;
  for (const [mta, pattern] of GREETINGS) {
    const match = pattern.exec(greeting);
    if (match !== null) return { mta, version: match[1], from: 'greeting' };
  }
  const found = ANSWERS.find(([, pattern]) => answers.some((line) => pattern.test(line)));
  return found === undefined ? undefined : { mta: found[0], from: 'answers' };
}
