import { expect, test } from 'vitest';
import { type CanaryLetter, TOKEN_HEADER, writeCanary } from '../../../shared/smtp/canary-message.ts';

const LETTER: CanaryLetter = {
  token: 'k1-abcdefghijklmnop-qrstuvwxyz234567',
  sentAt: Date.UTC(2026, 5, 1, 12),
  ourDomain: 'probe.example',
  canaryDomain: 'canary.example',
  leg: '192.0.2.1:25',
  optOutAddress: 'postmaster@probe.example',
};
const headOf = (text: string) => text.slice(0, text.indexOf('\r\n\r\n'));

test('every line ends with CR and LF, none is longer than 78 characters, and the last is the dot', () => {
  const text = writeCanary(LETTER);
  expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
  for (const line of text.split('\r\n')) expect(line.length).toBeLessThanOrEqual(80);
  expect(text.endsWith('\r\n.\r\n')).toBe(true);
});

test('no line before the last begins with a single dot', () => {
  const dotted = writeCanary({ ...LETTER, optOutAddress: '.hidden@probe.example' });
  expect(dotted).toContain('\r\n..hidden@probe.example\r\n');
  expect(dotted.match(/\r\n\.\r\n/g)).toHaveLength(1);
});

test('it says by its headers that a machine wrote it, when, and which canary it is', () => {
  const head = headOf(writeCanary(LETTER));
  expect(head).toContain('Auto-Submitted: auto-generated');
  expect(head).toContain('Date: Mon, 01 Jun 2026 12:00:00 +0000');
  expect(head).toContain(`${TOKEN_HEADER}: ${LETTER.token}`);
  expect(head).toContain(`Message-ID: <${LETTER.token}@probe.example>`);
  expect(head).toContain('From: Relay Audit <relay-audit@probe.example>');
  expect(head).toContain('To: Relay Audit mailbox <canary@canary.example>');
});

test('it names our pages where there are some, and no pages where there are none', () => {
  const withPages = writeCanary({ ...LETTER, siteUrl: 'https://audit.example' });
  for (const line of ['Who we are: https://audit.example/about', 'https://audit.example/opt-out'])
    expect(withPages).toContain(`\r\n${line}\r\n`);
  expect(writeCanary(LETTER)).not.toContain('https://');
});

test('it says who we are, why it was sent, which server let it through, and where to have no more of it', () => {
  const text = writeCanary(LETTER);
  const body = text.slice(headOf(text).length);
  for (const words of ['Relay Audit', '192.0.2.1:25', 'postmaster@probe.example']) expect(body).toContain(words);
});

test.each([
  ['a line end', 'postmaster@probe.example\r\nBcc: victim@example.org'],
  ['a byte that is not ASCII', 'postm\xe4ster@probe.example'],
  ['a byte that is not ASCII at its beginning', '\xe4@probe.example'],
  ['a line that no server must take', 'x'.repeat(999)],
])('%s in what goes into it is our defect, and throws', (_, optOutAddress) => {
  expect(() => writeCanary({ ...LETTER, optOutAddress })).toThrow('not printable ASCII');
});

test('it is this letter, to the byte: nothing else goes to strangers', () => {
  const text = writeCanary({ ...LETTER, siteUrl: 'https://audit.example' });
  expect(text.split('\r\n')).toEqual([
    'Date: Mon, 01 Jun 2026 12:00:00 +0000',
    'From: Relay Audit <relay-audit@probe.example>',
    'To: Relay Audit mailbox <canary@canary.example>',
    'Subject: Relay test: this message should not have been let through',
    'Message-ID: <k1-abcdefghijklmnop-qrstuvwxyz234567@probe.example>',
    'Relay-Audit-Token: k1-abcdefghijklmnop-qrstuvwxyz234567',
    'Auto-Submitted: auto-generated',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=us-ascii',
    '',
    'This is a test message of Relay Audit. It was offered to the mail server at',
    '192.0.2.1:25',
    'as a stranger would, to see whether that server forwards mail between',
    'strangers. If it arrives, the server is an open relay, and its owner, who',
    'asked for this test, is told so. It goes to a mailbox of ours and nowhere else.',
    '',
    'Who we are: https://audit.example/about',
    'Not your test, or no more tests wanted? Say so here:',
    'https://audit.example/opt-out',
    'postmaster@probe.example',
    '.',
    '',
  ]);
});
