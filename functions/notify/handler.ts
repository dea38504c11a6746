import { setTimeout as wait } from 'node:timers/promises';
import type { SQSRecord } from 'aws-lambda';
import { coverOf } from '../../shared/domain/never.ts';
import type { WebhookNotice } from '../../shared/domain/notice.ts';
import { operatorNetworksOf } from '../../shared/domain/operators.ts';
import { sesMailer } from '../../shared/mail/mailer.ts';
import { dnsLookups } from '../../shared/network/lookups.ts';
import { postToWebhook } from '../../shared/network/webhook.ts';
import { systemClock } from '../../shared/runtime/clock.ts';
import { readSettings } from '../../shared/runtime/config.ts';
import { eventLog, newLogger } from '../../shared/runtime/logging.ts';
import { readNoticesMessage } from '../../shared/runtime/queues.ts';
import { recordsHandler } from '../../shared/runtime/records.ts';
import { loadSecrets } from '../../shared/runtime/secrets.ts';
import { sealSubscription } from '../../shared/runtime/unsubscribe-token.ts';
import { webhookSecret } from '../../shared/runtime/webhook-signature.ts';
import { dynamoDbStore } from '../../shared/store/dynamodb-store.ts';
import { type Called, notify, type Services } from './notify.ts';
import { webhookMessage } from './webhook-message.ts';

// Once per cold start.
const settings = readSettings('notify');
const logger = newLogger('notify');
const secrets = await loadSecrets(settings.SECRET);
const store = dynamoDbStore(settings.TABLE_NAME, settings.RETENTION_DAYS.ms, systemClock);
const lookups = dnsLookups(settings.DNS_SERVERS);
const siteUrl = settings.BASE_URL;
const networksOf = operatorNetworksOf(settings.OPERATOR_ACCOUNTS, settings.WEBHOOK_NETWORKS);
const services: Services = {
  store,
  send: sesMailer(settings.MAIL_FROM, settings.SES_CONFIGURATION_SET),
  call: callWebhook,
  clock: systemClock,
  wait: (ms) => wait(ms),
  log: eventLog(logger),
  siteUrl,
  egressAddresses: settings.EGRESS_ADDRESSES.map(({ text }) => text),
  unsubscribeUrl: (accountId, email) => `${siteUrl}/unsubscribe?token=${sealSubscription(secrets, { accountId, email })}`,
  claimLeaseMs: settings.CLAIM_LEASE_SECONDS.ms,
  gatherMs: settings.GATHER_SECONDS.ms,
};

// The never-list is read for every call: they are few.
async function callWebhook(notice: WebhookNotice): Promise<Called> {
  const message = webhookMessage(notice, webhookSecret(secrets, notice.hostId), systemClock(), siteUrl);
  const isVetoed = coverOf(await store.neverList());
  return postToWebhook(notice.recipient, message, { lookups, operatorNetworks: networksOf(notice.accountId), isVetoed });
}

// For every record.
async function takeRecord(record: SQSRecord): Promise<void> {
  for (const noticeId of readNoticesMessage(record.body)) await notify(noticeId, services);
}

/** Called by SQS with messages of the notices queue. */
export const handler = recordsHandler(logger, takeRecord);
