import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { secretsFrom } from '../../../shared/runtime/secrets.ts';
import { signWebhook, webhookSecret } from '../../../shared/runtime/webhook-signature.ts';

const secrets = secretsFrom('a secret of this deployment, long enough');
const NOON = Date.UTC(2026, 5, 1, 12);

test('a receiver who has the secret verifies a call as Standard Webhooks 1.0 says', () => {
  const secret = webhookSecret(secrets, 'host1');
  const headers = signWebhook(secret, 'notice-1', NOON + 999, '{"a":"ä"}');
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  expect(key).toHaveLength(32);
  const expected = createHmac('sha256', key)
    .update(`notice-1.${NOON / 1000}.{"a":"ä"}`)
    .digest('base64');
  expect(headers).toEqual({ 'webhook-id': 'notice-1', 'webhook-timestamp': String(NOON / 1000), 'webhook-signature': `v1,${expected}` });
});

test('the published example of Standard Webhooks comes out as published', () => {
  const headers = signWebhook(
    'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    'msg_p5jXN8AQM9LWM0D4loKWxJek',
    1_614_265_330_000,
    '{"test": 2432232314}',
  );
  expect(headers['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
});

test('every host has a secret of its own, of this deployment', () => {
  const others = [webhookSecret(secrets, 'host2'), webhookSecret(secretsFrom('another secret, which is long enough too'), 'host1')];
  expect(others).not.toContain(webhookSecret(secrets, 'host1'));
});

test('body, id and time are all signed', () => {
  const sign = (id: string, at: number, body: string) => signWebhook('whsec_AAAA', id, at, body)['webhook-signature'];
  expect(new Set([sign('a', NOON, 'x'), sign('b', NOON, 'x'), sign('a', NOON + 1000, 'x'), sign('a', NOON, 'y')]).size).toBe(4);
});
