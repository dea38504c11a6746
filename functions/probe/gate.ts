import { dnsLookups, sharedLookups } from '../../shared/network/lookups.ts';
import type { Clock } from '../../shared/runtime/clock.ts';
import { consentToken } from '../../shared/runtime/consent-token.ts';
import type { Secrets } from '../../shared/runtime/secrets.ts';
import type { AuditStore, Budget } from '../../shared/store/audit-store.ts';
import { watchNeverList } from './never-list.ts';
import type { Gate } from './permit-host.ts';

const LOOKUPS_PER_SECOND = 500; // of one worker: what a resolver of a VPC takes is twice that
const GREETING_LOOKS = 3; // a day at one address that nothing but a greeting can prove, all accounts together
const DAY_MS = 24 * 60 * 60_000;

/** What a worker asks before it sends anything. */
export type GateServices = {
  readonly store: Pick<AuditStore, 'neverList' | 'pausesOf' | 'takeFromBudget' | 'giveBack'>;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly dnsServers: readonly string[];
  readonly onError: (error: unknown) => void;
};

/** What is asked for hosts of any account; which networks are the operator's goes by the account. */
export type OpenGate = Omit<Gate, 'operatorNetworks'>;

/** Opens the gate for one batch of hosts. Close it when the batch is done. */
export async function openGate(services: GateServices): Promise<{ readonly gate: OpenGate; readonly close: () => void }> {
  const { store, secrets, clock, dnsServers, onError } = services;
  const never = await watchNeverList(store, clock, onError);
  const gate: OpenGate = {
    lookups: sharedLookups(dnsLookups(dnsServers), LOOKUPS_PER_SECOND),
    tokenOf: (accountId) => consentToken(secrets, accountId),
    isVetoed: never.isVetoed,
    pausedAmong: async (addresses) => (await store.pausesOf(addresses, clock())).map(({ address }) => address),
    mayLookAtGreeting: async (address) => (await store.takeFromBudget(greetingBudget(address), clock())).granted,
    greetingProved: (address) => store.giveBack(greetingBudget(address), clock()),
  };
  return { gate, close: never.stop };
}

function greetingBudget(address: string): Budget {
  return { what: 'greeting', who: address, limit: GREETING_LOOKS, windowMs: DAY_MS };
}
