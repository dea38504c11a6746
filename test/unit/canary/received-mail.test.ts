import { expect, test } from 'vitest';
import { readReceived } from '../../../functions/canary/received-mail.ts';

const MAIL = { source: 'a@b.example', messageId: 'm', headers: [{ name: 'Received', value: 'from a' }], destination: [] };
const published = (more: object = {}) =>
  JSON.stringify({
    notificationType: 'Received',
    mail: MAIL,
    receipt: { recipients: ['c@canary.example'], action: { type: 'S3' } },
    ...more,
  });

test('what SES publishes of a mail is read: envelope and headers', () => {
  expect(readReceived(published())).toMatchObject({
    mail: { source: 'a@b.example', messageId: 'm', headers: MAIL.headers },
    receipt: { recipients: ['c@canary.example'] },
  });
});

test('a bounce has no sender', () => {
  expect(readReceived(published({ mail: { ...MAIL, source: undefined } }))?.mail.source).toBe('');
});

test.each(['Successfully validated SNS topic for Amazon SES event publishing.', '{"notificationType":"Bounce"}', '[]', '', '1'])(
  'what is about no mail is left alone: %j',
  (body) => expect(readReceived(body)).toBeUndefined(),
);

test('a mail that cannot be read is an error, which holds nothing of it', () => {
  expect(() => readReceived(published({ mail: { ...MAIL, headers: 'secret' } }))).toThrow(/^a mail in another form than SES documents$/);
});
