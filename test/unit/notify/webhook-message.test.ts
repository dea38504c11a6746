import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { webhookMessage } from '../../../functions/notify/webhook-message.ts';
import { webhookBodyOf } from '../../../shared/contract/webhook.ts';
import { secretsFrom } from '../../../shared/runtime/secrets.ts';
import { webhookSecret } from '../../../shared/runtime/webhook-signature.ts';
import { hostNotice } from '../../support/notices.ts';
import { NOON } from '../../support/samples.ts';

const SITE = 'https://audit.example';
const notice = { ...hostNotice({ kind: 'reminder', count: 1 }, 'open'), channel: 'webhook' } as const;

test('a webhook is sent what its notice tells, under a signature of that very body', () => {
  const secret = webhookSecret(secretsFrom('a secret of this deployment, long enough'), notice.hostId);
  const { body, headers } = webhookMessage(notice, secret, NOON, SITE);
  expect(JSON.parse(body)).toEqual(JSON.parse(JSON.stringify(webhookBodyOf(notice, SITE))));
  const code = createHmac('sha256', Buffer.from(secret.replace('whsec_', ''), 'base64')).update(`${notice.id}.${NOON / 1000}.${body}`);
  expect(headers).toEqual({
    'webhook-id': notice.id,
    'webhook-timestamp': String(NOON / 1000),
    'webhook-signature': `v1,${code.digest('base64')}`,
  });
});
