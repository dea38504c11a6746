import type { Address, Network } from '../../shared/domain/address.ts';
import { isOperators, type Standing, standingOf } from '../../shared/domain/consent.ts';
import type { Host } from '../../shared/domain/host.ts';
import { readTarget, type Target } from '../../shared/domain/host-name.ts';
import { ADDRESSES_LIMIT, POOL_LIMIT, SCAN_LOOK_MS } from '../../shared/domain/look-bounds.ts';
import { untested } from '../../shared/domain/reason.ts';
import { type ConsentRules, lookUpConsent, provenDomains } from '../../shared/network/consent-lookups.ts';
import { type Look, startLook } from '../../shared/network/look.ts';
import type { Lookups } from '../../shared/network/lookups.ts';
import { forbiddenBecause, type PermittedAddress, permit } from '../../shared/network/target-policy.ts';
import type { TurnGiven } from '../../shared/store/audit-store.ts';
import type { Finding } from './finding.ts';

/** What is asked before anything is sent to an address. */
export type Gate = {
  readonly lookups: Lookups;
  readonly operatorNetworks: readonly Network[];
  /** The token that proofs of an account hold; undefined where there are no accounts. */
  readonly tokenOf: (accountId: string) => string | undefined;
  /** Whether the operator's never-list has an address or name, as it stands at this moment. */
  readonly isVetoed: (target: string) => boolean;
  /** Those of the addresses that an opt-out pauses. */
  readonly pausedAmong: (addresses: readonly string[]) => Promise<readonly string[]>;
  /** Takes one of the few looks a day at the greeting of an address that nothing else proves. */
  readonly mayLookAtGreeting: (address: string) => Promise<boolean>;
  /** Gives that look back: the token was there. */
  readonly greetingProved: (address: string) => Promise<void>;
};

/** Takes an address for one scan. */
export type TakeTurn = (address: string) => Promise<TurnGiven>;

/** An address of a host: permitted, or why nothing is sent to it. */
export type Way = { readonly address: Address } & (
  | { readonly permitted: PermittedAddress; readonly refused?: undefined }
  | { readonly refused: 'unproven' | 'vetoed'; readonly permitted?: undefined }
);

/** The addresses of a host with what may be done to each, and the served domains that are proven to be the account's. */
export type Permission = { readonly ways: readonly Way[]; readonly servedDomains: readonly string[] };

/**
 * Resolves a host and asks, for every address, the target policy, the vetoes and consent, all of it afresh; then takes the
 * turn at each address that something may be sent to. Gives a finding instead when nothing may be sent at all.
 */
export async function permitHost(host: Host, families: readonly (4 | 6)[], takeTurn: TakeTurn, gate: Gate): Promise<Permission | Finding> {
  const look = startLook(gate.lookups, SCAN_LOOK_MS);
  try {
    return await permitByLook(look, host, families, takeTurn, gate);
  } finally {
    look.end();
  }
}

async function permitByLook(
  { lookups, cut }: Look,
  host: Host,
  families: readonly (4 | 6)[],
  takeTurn: TakeTurn,
  gate: Gate,
): Promise<Permission | Finding> {
  const target = readTarget(host.settings.name);
  if (target.kind === 'invalid') throw new Error('a registered name that cannot be read');
  const addresses = await addressesOf(target, lookups);
  if (typeof addresses === 'string') return nothing(addresses);
  if (addresses.length > POOL_LIMIT) return nothing('too-many-lookups');
  const rules: ConsentRules = { token: gate.tokenOf(host.accountId), operatorNetworks: gate.operatorNetworks, lookups, cut };
  const bad = addresses.some((each) => forbiddenBecause(each) !== undefined && !isOperators(each, gate.operatorNetworks));
  if (bad) return nothing('forbidden-address'); // one bad answer refuses the host, wherever it stands
  const standings = await standingsOf(target, addresses.slice(0, ADDRESSES_LIMIT), rules);
  const reasons = standings.flatMap(({ standing }) => (standing.kind === 'none' ? standing.reason : []));
  if (reasons.includes('dns-trouble')) return nothing('dns-trouble'); // a look-up that failed may have hidden a veto
  const asked = await withVetoes(host, standings, gate);
  const operators = standings.every(({ standing }) => standing.kind === 'consent' && standing.consent.proof === 'operators-network');
  const servedDomains = operators
    ? host.settings.servedDomains
    : await provenDomains(host.settings.servedDomains, target, addresses, rules);
  const reached = asked.filter(({ permitted, address }) => permitted !== undefined && families.includes(address.family));
  for (const { address } of reached) {
    const turn = await takeTurn(address.text);
    if (!turn.granted) return { ...nothing('address-busy'), retryAt: turn.retryAt };
  }
  // Looks are taken last: a scan that has to wait for another address must not use them up.
  const ways: Way[] = [];
  for (const way of asked) {
    const looks = reached.includes(way) && way.permitted?.token !== undefined;
    ways.push(!looks || (await gate.mayLookAtGreeting(way.address.text)) ? way : { address: way.address, refused: 'unproven' });
  }
  if (ways.some(({ permitted }) => permitted !== undefined)) return { ways, servedDomains };
  if (ways.some(({ refused }) => refused === 'vetoed')) return nothing('vetoed');
  return nothing(reasons.includes('too-many-lookups') ? 'too-many-lookups' : 'no-consent');
}

type Standings = readonly { readonly address: Address; readonly standing: Standing }[];

async function standingsOf(target: Target, addresses: readonly Address[], rules: ConsentRules): Promise<Standings> {
  const facts = await lookUpConsent(target, addresses, rules);
  return facts.addresses.map((side) => ({ address: side.address, standing: standingOf(facts, side, rules.token) }));
}

async function withVetoes({ settings }: Host, standings: Standings, gate: Gate): Promise<Way[]> {
  const paused = await gate.pausedAmong(standings.map(({ address }) => address.text));
  const nameVetoed = gate.isVetoed(settings.name);
  return standings.map(({ address, standing }): Way => {
    if (nameVetoed || gate.isVetoed(address.text) || paused.includes(address.text)) return { address, refused: 'vetoed' };
    if (standing.kind === 'none') return { address, refused: standing.reason === 'vetoed' ? 'vetoed' : 'unproven' };
    return { address, permitted: permit(address, standing.consent) };
  });
}

async function addressesOf(target: Target, lookups: Lookups): Promise<readonly Address[] | 'no-address' | 'dns-trouble'> {
  if (target.kind === 'address') return [target.address];
  const found = await lookups.addresses(target.name);
  if (found.kind === 'found') return found.values;
  return found.kind === 'absent' ? 'no-address' : 'dns-trouble';
}

function nothing(reason: Parameters<typeof untested>[0]): Finding {
  return { judgement: untested(reason), legs: [] };
}
