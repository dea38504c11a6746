import { expect, test } from 'vitest';
import { mailboxOf } from '../../../shared/domain/mailbox.ts';

test.each([
  ['in whatever case it is written', 'Victim@Example.ORG', 'victim@example.org'],
  ['with a tag', 'victim+7@example.org', 'victim@example.org'],
  ['with several tags', 'victim+7+8@example.org', 'victim@example.org'],
  ['with a plus first, which is no tag', '+victim@example.org', '+victim@example.org'],
  ['with dots, where those tell mailboxes apart', 'vic.tim@example.org', 'vic.tim@example.org'],
  ['with dots, where those mean nothing', 'V.ic.tim+7@Gmail.com', 'victim@gmail.com'],
  ['under the other name of that domain', 'vic.tim@googlemail.com', 'victim@gmail.com'],
  ['with an @ in its quoted local part', '"vic@tim"@example.org', '"vic@tim"@example.org'],
])('a mailbox %s is counted as one: %s', (_, email, mailbox) => expect(mailboxOf(email)).toBe(mailbox));
