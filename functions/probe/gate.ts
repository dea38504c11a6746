import { speaksFor } from '../../shared/domain/presence.ts';
import { dnsLookups, type Lookups, sharedLookups } from '../../shared/network/lookups.ts';
import type { Clock } from '../../shared/runtime/clock.ts';
import { consentToken } from '../../shared/runtime/consent-token.ts';
import type { Secrets } from '../../shared/runtime/secrets.ts';
import type { AuditStore } from '../../shared/store/audit-store.ts';
import { watchNeverList } from './never-list.ts';
import type { Gate } from './permit-host.ts';

const SHARED_MS = 5_000; // for how long hosts of a batch that look again share their answers
const LOOKUPS_PER_SECOND = 500; // of one worker: what a resolver of a VPC takes is twice that

/** What a worker asks before it sends anything. */
export type GateServices = {
  readonly store: Pick<AuditStore, 'neverList' | 'pausesOf' | 'findPresence' | 'findHost'>;
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
  const newLookups = () => sharedLookups(dnsLookups(dnsServers), LOOKUPS_PER_SECOND);
  let again: { readonly at: number; readonly lookups: Lookups } | undefined;
  const lookAgain = () => {
    if (again === undefined || clock() - again.at > SHARED_MS) again = { at: clock(), lookups: newLookups() };
    return again.lookups;
  };
  const gate: OpenGate = {
    lookups: newLookups(),
    lookAgain,
    now: clock,
    tokenOf: (accountId) => consentToken(secrets, accountId),
    isVetoed: never.isVetoed,
    pausedAmong: async (addresses) => (await store.pausesOf(addresses, clock())).map(({ address }) => address),
    isThere: async (host, scanId, address) => speaksFor(await store.findPresence(host.id, scanId), address, clock()),
    isRegistered: async ({ accountId, id }) => (await store.findHost(accountId, id)) !== undefined,
  };
  return { gate, close: never.stop };
}
