import type { Address, Network } from '../../shared/domain/address.ts';
import { isOperators, type Standing, standingOf } from '../../shared/domain/consent.ts';
import type { Host } from '../../shared/domain/host.ts';
import { readTarget, type Target } from '../../shared/domain/host-name.ts';
import { untested } from '../../shared/domain/reason.ts';
import type { Refusal } from '../../shared/network/connect.ts';
import { type ConsentRules, lookUpConsent, provenDomains } from '../../shared/network/consent-lookups.ts';
import type { Lookups } from '../../shared/network/lookups.ts';
import { forbiddenBecause, type PermittedAddress, permit } from '../../shared/network/target-policy.ts';
import type { TurnGiven } from '../../shared/store/audit-store.ts';
import type { Finding } from './finding.ts';

/** What is asked before anything is sent to an address. */
export type Gate = {
  readonly lookups: Lookups;
  /** Look-ups that know no answer that is older than a few seconds. */
  readonly lookAgain: () => Lookups;
  readonly now: () => number;
  readonly operatorNetworks: readonly Network[];
  /** The token that proofs of an account hold; undefined where there are no accounts. */
  readonly tokenOf: (accountId: string) => string | undefined;
  /** Whether the operator's never-list has an address or name, as it stands at this moment. */
  readonly isVetoed: (target: string) => boolean;
  /** Those of the addresses that an opt-out pauses. */
  readonly pausedAmong: (addresses: readonly string[]) => Promise<readonly string[]>;
};

/** Takes an address for one scan. */
export type TakeTurn = (address: string) => Promise<TurnGiven>;

const ADDRESSES_LIMIT = 8; // addresses of one host that are audited; larger pools share one configuration

/** An address of a host: permitted, or why nothing is sent to it. */
export type Way = { readonly address: Address } & (
  | { readonly permitted: PermittedAddress; readonly refused?: undefined }
  | { readonly refused: 'unproven' | 'vetoed'; readonly permitted?: undefined }
);

/** The addresses of a host with what may be done to each, and the served domains that are proven to be the account's. */
export type Permission = {
  readonly ways: readonly Way[];
  readonly servedDomains: readonly string[];
  /** When DNS was asked for consent; epoch milliseconds. */
  readonly askedAt: number;
};

/**
 * Resolves a host and asks, for every address, the target policy, consent and the vetoes, all of it afresh; then takes the
 * turn at each address that something may be sent to. Gives a finding instead when nothing may be sent at all.
 */
export async function permitHost(host: Host, families: readonly (4 | 6)[], takeTurn: TakeTurn, gate: Gate): Promise<Permission | Finding> {
  const askedAt = gate.now();
  const look = await lookAtHost(host, gate.lookups, gate);
  if (typeof look === 'string') return nothing(look);
  const { target, addresses, rules, standings } = look;
  const ways = await withVetoes(host, standings, gate);
  if (ways.every(({ refused }) => refused !== undefined))
    return nothing(ways.some(({ refused }) => refused === 'vetoed') ? 'vetoed' : 'no-consent');
  const operators = standings.every(({ standing }) => standing.kind === 'consent' && standing.consent.proof === 'operators-network');
  const servedDomains = operators
    ? host.settings.servedDomains
    : await provenDomains(host.settings.servedDomains, target, addresses, rules);
  const reached = ways.filter(({ permitted, address }) => permitted !== undefined && families.includes(address.family));
  for (const { address } of reached) {
    const turn = await takeTurn(address.text);
    if (!turn.granted) return { ...nothing('address-busy'), retryAt: turn.retryAt };
  }
  return { ways, servedDomains, askedAt };
}

/** What DNS says of a host: its addresses, and where each of them stands. Or why nothing may be sent to any. */
export async function lookAtHost(host: Host, lookups: Lookups, gate: Gate): Promise<Look | NoLook> {
  const target = readTarget(host.settings.name);
  if (target.kind === 'invalid') throw new Error('a registered name that cannot be read');
  const addresses = await addressesOf(target, lookups);
  if (typeof addresses === 'string') return addresses;
  const rules: ConsentRules = { token: gate.tokenOf(host.accountId), operatorNetworks: gate.operatorNetworks, lookups };
  const bad = addresses.some((each) => forbiddenBecause(each) !== undefined && !isOperators(each, gate.operatorNetworks));
  if (bad) return 'forbidden-address'; // one bad answer refuses the host, wherever it stands
  const standings = await standingsOf(target, addresses.slice(0, ADDRESSES_LIMIT), rules);
  const reasons = standings.flatMap(({ standing }) => (standing.kind === 'none' ? standing.reason : []));
  // A look-up that failed may have hidden a veto.
  return reasons.includes('dns-trouble') ? 'dns-trouble' : { target, addresses, rules, standings };
}

type Look = {
  readonly target: Target;
  readonly addresses: readonly Address[];
  readonly rules: ConsentRules;
  readonly standings: Standings;
};
type NoLook = 'no-address' | 'dns-trouble' | 'forbidden-address';

/**
 * Why an address may be dialled no more by what DNS says now, or by `undefined` does not say in time. What only a next sitting
 * can settle, such as silence or other addresses, ends this one.
 */
export function refusalOf(look: Look | NoLook | undefined, address: string): Refusal | undefined {
  if (look === undefined || typeof look === 'string') return 'out-of-time';
  const standing = look.standings.find((each) => each.address.text === address)?.standing;
  if (standing === undefined) return 'out-of-time';
  if (standing.kind === 'consent') return undefined;
  return standing.reason === 'vetoed' ? 'vetoed' : 'unproven';
}

type Standings = readonly { readonly address: Address; readonly standing: Standing }[];

async function standingsOf(target: Target, addresses: readonly Address[], rules: ConsentRules): Promise<Standings> {
  const facts = await lookUpConsent(target, addresses, rules);
  return facts.addresses.map((side) => ({ address: side.address, standing: standingOf(facts, side, rules.token) }));
}

// What is unproven ends here, by DNS alone: what else is known of an address is for those who have proven it.
async function withVetoes({ settings }: Host, standings: Standings, gate: Gate): Promise<Way[]> {
  const proven = standings.flatMap(({ address, standing }) => (standing.kind === 'consent' ? address.text : []));
  const paused = proven.length === 0 ? [] : await gate.pausedAmong(proven);
  return standings.map(({ address, standing }): Way => {
    if (standing.kind === 'none') return { address, refused: standing.reason === 'vetoed' ? 'vetoed' : 'unproven' };
    if (gate.isVetoed(settings.name) || gate.isVetoed(address.text) || paused.includes(address.text)) return { address, refused: 'vetoed' };
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
