import type { SQSRecord } from 'aws-lambda';
import type { Host } from '../../shared/domain/host.ts';
import { operatorNetworksOf } from '../../shared/domain/operators.ts';
import type { ScanRef } from '../../shared/domain/scan.ts';
import { PROBE_LIMITS } from '../../shared/network/leg-session.ts';
import { raiseScan } from '../../shared/outcomes/raise-scan.ts';
import { mintCanaryToken } from '../../shared/runtime/canary-token.ts';
import { systemClock } from '../../shared/runtime/clock.ts';
import { readSettings } from '../../shared/runtime/config.ts';
import { eventLog, newCounter, newLogger } from '../../shared/runtime/logging.ts';
import { noticesQueue, readScansMessage, singleScansQueue } from '../../shared/runtime/queues.ts';
import { recordsHandler } from '../../shared/runtime/records.ts';
import { loadSecrets } from '../../shared/runtime/secrets.ts';
import { dynamoDbStore } from '../../shared/store/dynamodb-store.ts';
import { auditHost } from './audit-host.ts';
import { egressBlocked } from './egress.ts';
import { canariesOf } from './expect-canary.ts';
import { openGate } from './gate.ts';
import { probeScans, type Services } from './probe-scans.ts';
import { takeMessage } from './take-message.ts';
import { type Lines, turnsOf } from './turns.ts';

const LEASE_SPARE_MS = 30_000; // what a sitting may overrun its time by, to end its last session

// Once per cold start.
const settings = readSettings('probe');
const logger = newLogger('probe');
const secrets = await loadSecrets(settings.SECRET);
const sendSingly = singleScansQueue(settings.SCANS_QUEUE_URL);
const rules = {
  families: settings.FAMILIES,
  ehloName: settings.EHLO_NAME,
  canaryDomain: settings.CANARY_DOMAIN,
  siteUrl: settings.BASE_URL,
  optOutAddress: settings.OPT_OUT_ADDRESS ?? `postmaster@${settings.EHLO_NAME}`,
  limits: PROBE_LIMITS,
};
const store = dynamoDbStore(settings.TABLE_NAME, settings.RETENTION_DAYS.ms, systemClock);
const wakeNotices = noticesQueue(settings.NOTICES_QUEUE_URL);
const log = eventLog(logger);
const turnRules = {
  leaseMs: PROBE_LIMITS.sittingMs + LEASE_SPARE_MS,
  spacingMs: settings.ADDRESS_SPACING_SECONDS.ms,
  soonestMs: Math.min(
    settings.CONFIRM_DELAY_SECONDS.ms,
    settings.CONTINUE_SECONDS.ms,
    settings.PUT_OFF_SECONDS.ms,
    settings.ADDRESS_SPACING_SECONDS.ms,
  ),
};
const lines: Lines = new Map();
const networksOf = operatorNetworksOf(settings.OPERATOR_ACCOUNTS, settings.OPERATOR_NETWORKS);
const gateServices = {
  store,
  secrets,
  clock: systemClock,
  dnsServers: settings.DNS_SERVERS,
  onError: (error: unknown) => logger.error('the never-list could not be read', { error }),
};
const services: Omit<Services, 'audit' | 'dnsAnswers'> = {
  store,
  turns: (ref, fresh, bookings) => turnsOf(ref, fresh, store, systemClock, turnRules, lines, bookings),
  canaries: (ref) => canariesOf(ref, () => mintCanaryToken(secrets), store, systemClock),
  raise: async (ref, returns) => void (await raiseScan({ store, wakeNotices, log }, ref, returns)),
  egressBlocked: (port) => egressBlocked(settings.EGRESS_ENDPOINTS, port),
  wakeNotices,
  clock: systemClock,
  count: newCounter(),
  log,
  confirmDelayMs: settings.CONFIRM_DELAY_SECONDS.ms,
  continueMs: settings.CONTINUE_SECONDS.ms,
  putOffMs: settings.PUT_OFF_SECONDS.ms,
  awaitMs: settings.AWAIT_SECONDS.ms,
};

async function probeBatch(refs: readonly ScanRef[]): Promise<ScanRef[]> {
  const { gate, close } = await openGate(gateServices);
  try {
    const gateFor = ({ accountId }: Host) => ({ ...gate, operatorNetworks: networksOf(accountId) });
    return await probeScans(refs, {
      ...services,
      audit: (host, order) => auditHost(host, order, { ...rules, gate: gateFor(host) }),
      dnsAnswers: async () => (await gate.lookups.addresses(settings.EHLO_NAME)).kind !== 'trouble',
    });
  } finally {
    close();
  }
}

// For every record.
async function takeRecord({ body, attributes }: SQSRecord): Promise<void> {
  const comesBack = Number(attributes.ApproximateReceiveCount) > 1;
  await takeMessage(readScansMessage(body), comesBack, { probe: probeBatch, sendSingly });
}

/** Called by SQS with messages of the scans queue. */
export const handler = recordsHandler(logger, takeRecord);
