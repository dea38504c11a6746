import { webhookBodyOf } from '../../shared/contract/webhook.ts';
import type { WebhookNotice } from '../../shared/domain/notice.ts';
import type { WebhookMessage } from '../../shared/network/webhook.ts';
import { signWebhook } from '../../shared/runtime/webhook-signature.ts';

/** What a webhook is sent for a notice at `at`: its body, and the headers that sign this very body. */
export function webhookMessage(notice: WebhookNotice, secret: string, at: number, siteUrl: string): WebhookMessage {
  const body = JSON.stringify(webhookBodyOf(notice, siteUrl));
  return { body, headers: signWebhook(secret, notice.id, at, body) };
}
