import { type Arrival, arrivalOf, type Bounce, type Canary } from '../../shared/domain/canary.ts';
import { type Host, type HostSettings, type HostState, NEW_STATE } from '../../shared/domain/host.ts';
import type { Judgement } from '../../shared/domain/reason.ts';
import type { Begun, LegEvidence, OwedScan, Scan } from '../../shared/domain/scan.ts';
import type { AuditStore, RegistrationLimits } from '../../shared/store/audit-store.ts';

/** A moment to start clocks at. */
export const NOON = Date.UTC(2026, 5, 1, 12);

let count = 0;

/** The account of every sample host, whose own address is their recipient. */
export async function createSampleAccount(store: Pick<AuditStore, 'createAccount'>): Promise<void> {
  const key = { prefix: '0123456789ab', mac: 'mac', accountId: 'account1', createdAt: NOON, scope: 'write' } as const;
  await store.createAccount({ id: 'account1', email: 'owner@example.org', createdAt: NOON }, key);
}

/** Limits that no test reaches that is not about them. */
export const AMPLE: RegistrationLimits = {
  hosts: 10_000,
  registrations: { what: 'registrations', who: 'samples', limit: 10_000, windowMs: 24 * 60 * 60_000 },
};

/** Registers a host, with an account where there is none. */
export async function registerSample(
  store: Pick<AuditStore, 'findAccount' | 'registerHost'> & Partial<Pick<AuditStore, 'createAccount'>>,
  host: Host,
  first: OwedScan,
): Promise<void> {
  const { accountId: id } = host;
  if ((await store.findAccount(id)) === undefined)
    await store.createAccount?.({ id, email: `owner-of-${id}@example.org`, createdAt: NOON });
  const version = async () => (await store.findAccount(id))?.hostsVersion;
  let registered = await store.registerHost(host, first, { ...AMPLE, hostsVersion: await version() });
  // Samples that are registered side by side all decide upon the same hosts.
  while (registered === 'changed') registered = await store.registerHost(host, first, { ...AMPLE, hostsVersion: await version() });
  if (registered !== 'registered') throw new Error(`a sample host was not registered: ${registered}`);
}

/** A host with an id of its own. */
export function sampleHost(settings: Partial<HostSettings> = {}, state: Partial<HostState> = {}): Host {
  count++;
  return {
    accountId: 'account1',
    id: count.toString(16).padStart(20, '0'),
    createdAt: NOON,
    revision: 1,
    settings: {
      name: 'mail.example.org',
      servedDomains: ['example.org'],
      ports: [25],
      period: 'hour',
      alertRecipients: ['owner@example.org'],
      reminders: true,
      ...settings,
    },
    state: { ...NEW_STATE, ...state },
  };
}

export const CLOSED: Judgement = { verdict: 'closed', reason: 'all-refused', completed: 19, planned: 19 };
export const SUSPECTED: Judgement = { verdict: 'suspected', reason: 'recipient-accepted', completed: 19, planned: 19 };

/** A first scan that is owed. */
export const OWED: OwedScan = { accountId: 'account1', hostId: 'host', scanId: '20260601T120000Z-first', dueAt: NOON, tries: 0 };

/** A scan of which one sitting is done, and was greylisted. */
export const BEGUN = {
  startedAt: NOON,
  full: true,
  sittings: 1,
  soFar: '=hash',
  left: { reason: 'greylisted', completed: 50, planned: 74 },
} as const satisfies Begun;

/** A finished scan of a host, a second long. */
export function sampleScan(host: Host, id: string, startedAt: number, judgement: Judgement = CLOSED): Scan {
  return {
    hostId: host.id,
    id,
    kind: 'scheduled',
    startedAt,
    finishedAt: startedAt + 1_000,
    judgement,
    openLegs: judgement.verdict === 'suspected' || judgement.verdict === 'open' ? ['192.0.2.1:25'] : [],
    evidence: 'hash',
    full: true,
  };
}

const SAMPLE_TESTS = ['plain', ...Array.from({ length: 18 }, (_, index) => `test-${index + 2}`)];

/** A leg that refused, or accepted, every test. */
export function sampleLeg(outcome: 'refused' | 'accepted' = 'refused'): LegEvidence {
  const reply = outcome === 'refused' ? '554 5.7.1 Relay access denied' : '250 2.1.5 Ok';
  return {
    address: '192.0.2.1',
    port: 25,
    transport: 'plain',
    contact: 'answered',
    costs: { connections: 1, commands: 60, roundTrips: 60, refusals: outcome === 'refused' ? 19 : 0 },
    tests: SAMPLE_TESTS.map((test) => ({
      test,
      outcome,
      stage: 'rcpt',
      from: '<a@probe.example>',
      to: '<b@canary.example>',
      reply,
      ...(outcome === 'accepted' && test === 'plain' ? { shows: { cause: 'anyone' } as const } : {}),
    })),
    controls: [],
    transcript: ['S: 220 mail.example.org ESMTP', 'C: EHLO probe.example', 'S: 250 mail.example.org'],
  };
}

/** A canary of a scan on its way, by the leg of `sampleLeg` and its first test. */
export function sampleCanary(scan: Pick<Scan, 'hostId' | 'id' | 'startedAt'>, id: string): Canary {
  return {
    id,
    accountId: 'account1',
    hostId: scan.hostId,
    scanId: scan.id,
    leg: '192.0.2.1:25',
    test: 'plain',
    recipient: 'b@canary.example',
    sentAt: scan.startedAt + 500,
  };
}

/** A canary that came back a second after it was sent, straight from the server. */
export function sampleArrival(canary: Canary): Arrival {
  return arrivalOf(canary, {
    at: canary.sentAt + 1_000,
    path: [{ from: 'mail.example.org', address: '192.0.2.9', by: 'mx.canary.example' }],
  });
}

/** The bounce of a canary that went in by the leg of `sampleLeg`. */
export function sampleBounce(canary: string): Bounce {
  return { canary, leg: '192.0.2.1:25', test: 'plain', sentAt: NOON, at: NOON + 60_000, by: 'mail.example.org' };
}
