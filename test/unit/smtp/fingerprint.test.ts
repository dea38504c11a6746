import { describe, expect, test } from 'vitest';
import type { Mta } from '../../../shared/domain/remedies.ts';
import { fingerprint } from '../../../shared/smtp/fingerprint.ts';

describe('a greeting names the software, with its version where it says one', () => {
  test.each<[string, Mta, string | undefined]>([
    ['220 mx.example ESMTP Postfix (Debian/GNU)', 'postfix', undefined],
    ['220 mx.example ESMTP Postfix (3.7.11)', 'postfix', '3.7.11'],
    ['220 mx.example ESMTP Exim 4.96 Tue, 24 Nov 2026 10:31:00 +0000', 'exim', '4.96'],
    ['220 mx.example ESMTP Sendmail 8.17.1.9/8.17.1.9/Debian-2; Tue, 24 Nov 2026', 'sendmail', '8.17.1.9'],
    ['220 mx.example ESMTP OpenSMTPD', 'opensmtpd', undefined],
    ['220 mx.example Microsoft ESMTP MAIL Service ready at Tue, 24 Nov 2026', 'exchange', undefined],
    ['220 mx.example Microsoft ESMTP MAIL Service, Version: 10.0.17763.1 ready', 'iis', '10.0.17763.1'],
    ['220 mx.example ESMTP hMailServer', 'hmailserver', undefined],
    ['220 mx.example ESMTP MailEnable Service, Version: 10.44-- ready', 'mailenable', '10.44'],
    ['220 mx.example ESMTP Haraka/3.0.5 ready', 'haraka', '3.0.5'],
    ['220 mx.example PostCast SMTP server ready', 'postcast', undefined],
    ['220 zimbra.example ESMTP Postfix', 'zimbra', undefined],
  ])('%s', (greeting, mta, version) => {
    expect(fingerprint([greeting])).toEqual({ mta, version, from: 'greeting' });
  });
});

test('a version is short, however much a hostile greeting says', () => {
  expect(fingerprint([`220 mx ESMTP Exim ${'4'.repeat(2_000)}`])?.version).toHaveLength(20);
});

describe('a greeting that says nothing leaves it to the answers, which prove less', () => {
  test.each<[string, Mta]>([
    ['454 4.7.1 <x@canary.example>: Relay access denied', 'postfix'],
    ["553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", 'qmail'],
    ['550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain', 'exchange'],
    ['550 5.7.1 Unable to relay for x@canary.example', 'iis'],
    ['550 5.7.1 <x@canary.example>... Relaying denied', 'sendmail'],
    ['550 I cannot deliver mail for <x@canary.example>', 'haraka'],
    ['530 SMTP authentication is required.', 'hmailserver'],
    ['550 relay not permitted', 'exim'],
  ])('%s', (answer, mta) => {
    expect(fingerprint(['220 mx.example ESMTP', '250 mx.example', answer])).toEqual({ mta, from: 'answers' });
  });

  test('what the greeting says goes before the words of an answer', () => {
    expect(fingerprint(['220 mx ESMTP Exim 4.96', '454 4.7.1 <x@y>: Relay access denied'])?.mta).toBe('exim');
  });

  test('words that nobody owns name nobody', () => {
    expect(fingerprint(['220 mx.example ESMTP', '250 Ok', '550 no'])).toBeUndefined();
    expect(fingerprint([])).toBeUndefined();
  });

  test('a name in an answer, such as an echo of ours, is no greeting', () => {
    expect(fingerprint(['220 mx.example ready', '250 ESMTP Postfix pleased to meet you'])).toBeUndefined();
  });
});
