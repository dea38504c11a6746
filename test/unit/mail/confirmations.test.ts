import { describe, expect, test } from 'vitest';
import { accountConfirmation, recipientConfirmation } from '../../../shared/mail/confirmations.ts';

const LINK = 'https://audit.example/confirm?token=ra1.abc.def';

const MAILS = [
  ['an account', accountConfirmation(LINK, 24)],
  ['a recipient', recipientConfirmation(LINK, 24, 'owner@example.org')],
] as const;

describe.each(MAILS)('the mail that confirms %s', (_, { subject, text, html }) => {
  test('is a subject of one line, and has the link once, on a line of its own in the text and to click on in the HTML', () => {
    expect(subject).toMatch(/^[\x20-\x7e]{10,70}$/);
    expect(text.match(/https:\S+/g)).toEqual([LINK]);
    expect(html).toContain(`<a href="${LINK}">`);
  });

  test('says what to do for whoever did not ask for it, how long the link works, and why it came', () => {
    expect(text).toContain('You need do nothing.');
    expect(text).toContain('works once, for 24 hours');
    expect(text).toContain('At most three such mails are sent to it in 30 days.');
  });
});

test('the mail for an account holds nothing that its asker chose', () => {
  const [, mail] = MAILS[0];
  expect(mail).toEqual(accountConfirmation(LINK, 24));
  expect(mail.text).not.toContain('@');
});

test('the mail for a recipient says whose account asks, by the address that was confirmed, and no more', () => {
  const [, { subject, text }] = MAILS[1];
  expect(text.match(/\S+@\S+/g)).toEqual(['owner@example.org']);
  expect(subject).not.toContain('@');
});

test('an address cannot put anything into the HTML', () => {
  expect(recipientConfirmation(LINK, 24, '"<b>"@example.org').html).not.toContain('<b>');
});
