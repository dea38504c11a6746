import { createHmac } from 'node:crypto';
import type { Secrets } from './secrets.ts';

const PREFIX = 'whsec_';

/** What calls of a host's webhook are signed with, as its owner is shown it: `whsec_` and 32 bytes in base64. */
export function webhookSecret(secrets: Secrets, hostId: string): string {
  return PREFIX + Buffer.from(secrets.mac('webhook', hostId), 'base64url').toString('base64');
}

/** The headers by which a receiver knows a call for ours, as Standard Webhooks 1.0 has them: id, time in seconds and signature. */
export function signWebhook(secret: string, noticeId: string, at: number, body: string): Record<string, string> {
  const seconds = String(Math.floor(at / 1000));
  const key = Buffer.from(secret.slice(PREFIX.length), 'base64');
  const code = createHmac('sha256', key).update(`${noticeId}.${seconds}.${body}`).digest('base64');
  return { 'webhook-id': noticeId, 'webhook-timestamp': seconds, 'webhook-signature': `v1,${code}` };
}
