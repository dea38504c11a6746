import type { Address, Network } from '../../shared/domain/address.ts';
import { type DnsFailure, failureIn, isOperators, type NoConsent, type Standing, standingOf } from '../../shared/domain/consent.ts';
import type { Host } from '../../shared/domain/host.ts';
import { readTarget, type Target } from '../../shared/domain/host-name.ts';
import { ADDRESSES_LIMIT, DIAL_LOOK_MS, POOL_LIMIT, SCAN_LOOK_MS } from '../../shared/domain/look-bounds.ts';
import { PRESENCE_PORTS, presenceScan } from '../../shared/domain/presence.ts';
import type { Reason } from '../../shared/domain/reason.ts';
import type { TurnGiven } from '../../shared/domain/turn-line.ts';
import type { Refusal } from '../../shared/network/connect.ts';
import { type ConsentRules, lookUpConsent, provenDomains } from '../../shared/network/consent-lookups.ts';
import { type Look, startLook } from '../../shared/network/look.ts';
import type { Lookups } from '../../shared/network/lookups.ts';
import { forbiddenBecause, type PermittedAddress, permit } from '../../shared/network/target-policy.ts';
import type { Untested } from './finding.ts';

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
  /** Whether the address has itself asked for this scan of the host, and that still holds. */
  readonly isThere: (host: Host, scanId: string, address: Address) => Promise<boolean>;
  /** Whether the host is registered still. */
  readonly isRegistered: (host: Host) => Promise<boolean>;
};

/** Takes an address for one scan. Who has it `unproven`, by being there, is not noted as one of its owners. */
export type TakeTurn = (address: string, unproven?: boolean) => Promise<TurnGiven>;

/** An address of a host: permitted, or why nothing is sent to it. */
export type Way = { readonly address: Address } & (
  | { readonly permitted: PermittedAddress; readonly refused?: undefined }
  | { readonly refused: Exclude<Refusal, 'out-of-time'>; readonly permitted?: undefined; readonly paused?: boolean }
);

/** The addresses of a host with what may be done to each, and the served domains that are proven to be the account's. */
export type Permission = {
  readonly ways: readonly Way[];
  /** Which of the host's ports may be probed. */
  readonly ports: readonly number[];
  /** The address itself has asked for this scan, and nothing else speaks for it. */
  readonly byPresence: boolean;
  readonly servedDomains: readonly string[];
  /** The addresses that an opt-out pauses, of those that the account has proven; undefined when there are none. */
  readonly paused?: readonly string[] | undefined;
  /** When DNS was asked for consent; epoch milliseconds. */
  readonly askedAt: number;
};

/**
 * Resolves a host and asks, for every address, the target policy, consent and the vetoes, all of it afresh; then takes the
 * turn at each address that something may be sent to. Gives a finding instead when nothing may be sent at all. `scanId` is the scan
 * that is made; without it no address speaks by being there.
 */
export async function permitHost(
  host: Host,
  families: readonly (4 | 6)[],
  takeTurn: TakeTurn,
  gate: Gate,
  scanId?: string,
): Promise<Permission | Untested> {
  const askedAt = gate.now();
  const look = startLook(gate.lookups, SCAN_LOOK_MS);
  try {
    const seen = await seeHost(host, look, gate, scanId);
    if ('unseen' in seen) return { ...nothing(seen.unseen), failure: seen.failure };
    const byPresence = seen.standings.some(({ standing }) => standing.kind === 'consent' && standing.consent.proof === 'being-there');
    const ports = host.settings.ports.filter((port) => !byPresence || PRESENCE_PORTS.includes(port));
    if (ports.length === 0) return nothing('no-consent');
    const ways = await withVetoes(host, seen.standings, gate);
    const paused = pausedAmong(ways);
    if (ways.every(({ refused }) => refused !== undefined)) return { ...nothing(whyNone(ways)), paused };
    const servedDomains = await servedDomainsOf(host, seen);
    const reached = ways.filter(({ permitted, address }) => permitted !== undefined && families.includes(address.family));
    for (const { address } of reached) {
      const turn = await takeTurn(address.text, byPresence);
      if (!turn.granted) return { ...nothing('address-busy'), retryAt: turn.retryAt };
    }
    return { ways, ports, byPresence, servedDomains, paused, askedAt };
  } finally {
    look.end();
  }
}

/**
 * What DNS says of a host at a dial: its addresses, and where each of them stands. Or why nothing may be sent to any. `scanId` as for
 * `permitHost`.
 */
export async function lookAtHost(host: Host, lookups: Lookups, gate: Gate, scanId?: string): Promise<Seen | Unseen> {
  const look = startLook(lookups, DIAL_LOOK_MS);
  try {
    return await seeHost(host, look, gate, scanId);
  } finally {
    look.end();
  }
}

type Seen = {
  readonly target: Target;
  readonly addresses: readonly Address[];
  readonly rules: ConsentRules;
  readonly standings: Standings;
};
/** Why nothing of a host may be sent anything, and the question to DNS that failed. */
type Unseen = {
  readonly unseen: 'no-address' | 'dns-trouble' | 'forbidden-address' | 'too-many-lookups';
  readonly failure?: DnsFailure | undefined;
};

async function seeHost(host: Host, { lookups, cut }: Look, gate: Gate, scanId: string | undefined): Promise<Seen | Unseen> {
  const { settings, accountId } = host;
  const target = readTarget(settings.name);
  if (target.kind === 'invalid') throw new Error('a registered name that cannot be read');
  const addresses = await addressesOf(target, lookups);
  if ('unseen' in addresses) return addresses;
  if (addresses.length > POOL_LIMIT) return { unseen: 'too-many-lookups' };
  const { operatorNetworks, isVetoed: isNever } = gate;
  const rules: ConsentRules = { token: gate.tokenOf(accountId), operatorNetworks, lookups, cut, isNever };
  const bad = addresses.some((each) => forbiddenBecause(each) !== undefined && !isOperators(each, gate.operatorNetworks));
  if (bad) return { unseen: 'forbidden-address' }; // one bad answer refuses the host, wherever it stands
  const there = await isThere(host, target, scanId, gate);
  const facts = await lookUpConsent(target, addresses.slice(0, ADDRESSES_LIMIT), rules);
  const standings = facts.addresses.map((side) => ({
    address: side.address,
    standing: standingOf(facts, { ...side, there }, rules.token),
  }));
  // A look-up that failed may have hidden a veto. It holds back the addresses of its family alone, where the other one is proven whole.
  const families = [4, 6].map((family) => standings.filter(({ address }) => address.family === family));
  const isWhole = families.some((each) => each.length > 0 && each.every(({ standing }) => standing.kind === 'consent'));
  if (!isWhole && standings.some(({ standing }) => isNone(standing, 'dns-trouble')))
    return { unseen: 'dns-trouble', failure: failureIn(facts) };
  return { target, addresses, rules, standings };
}

// Only of a host that is given as an address, for a scan that was asked for or that confirms one.
async function isThere(host: Host, target: Target, scanId: string | undefined, gate: Gate): Promise<boolean> {
  if (target.kind !== 'address' || scanId === undefined) return false;
  const asked = presenceScan(scanId, host.state);
  return asked !== undefined && gate.isThere(host, asked, target.address);
}

function whyNone(ways: readonly Way[]): 'vetoed' | 'too-many-lookups' | 'no-consent' {
  if (ways.some(({ refused }) => refused === 'vetoed')) return 'vetoed';
  return ways.some(({ refused }) => refused === 'too-many-lookups') ? 'too-many-lookups' : 'no-consent';
}

function isNone(standing: Standing, reason: NoConsent): boolean {
  return standing.kind === 'none' && standing.reason === reason;
}

async function servedDomainsOf({ settings }: Host, { target, addresses, rules, standings }: Seen): Promise<readonly string[]> {
  const operators = standings.every(({ standing }) => standing.kind === 'consent' && standing.consent.proof === 'operators-network');
  return operators ? settings.servedDomains : provenDomains(settings.servedDomains, target, addresses, rules);
}

/**
 * Why an address may be dialled no more by what DNS says now. What only a next sitting can settle, such as silence or other addresses,
 * ends this one.
 */
export function refusalOf(seen: Seen | Unseen, address: string): Refusal | undefined {
  if ('unseen' in seen) return 'out-of-time';
  const standing = seen.standings.find((each) => each.address.text === address)?.standing;
  if (standing === undefined) return 'out-of-time';
  if (standing.kind === 'consent') return undefined;
  return refusedFor(standing.reason);
}

function refusedFor(reason: NoConsent): Exclude<Refusal, 'out-of-time'> {
  return reason === 'vetoed' || reason === 'too-many-lookups' ? reason : 'unproven';
}

type Standings = readonly { readonly address: Address; readonly standing: Standing }[];

// What is unproven ends here, by DNS alone: what else is known of an address is for those who have proven it.
async function withVetoes({ settings }: Host, standings: Standings, gate: Gate): Promise<Way[]> {
  const proven = standings.flatMap(({ address, standing }) => (standing.kind === 'consent' ? address.text : []));
  const paused = proven.length === 0 ? [] : await gate.pausedAmong(proven);
  return standings.map(({ address, standing }): Way => {
    if (standing.kind === 'none') return { address, refused: refusedFor(standing.reason) };
    if (gate.isVetoed(settings.name) || gate.isVetoed(address.text)) return { address, refused: 'vetoed' };
    // Who has asked by being there has proven nothing, and can lift nothing.
    if (paused.includes(address.text)) return { address, refused: 'vetoed', paused: standing.consent.proof !== 'being-there' };
    return { address, permitted: permit(address, standing.consent) };
  });
}

function pausedAmong(ways: readonly Way[]): readonly string[] | undefined {
  const paused = ways.flatMap((way) => (way.refused === 'vetoed' && way.paused === true ? way.address.text : []));
  return paused.length === 0 ? undefined : paused;
}

async function addressesOf(target: Target, lookups: Lookups): Promise<readonly Address[] | Unseen> {
  if (target.kind === 'address') return [target.address];
  const found = await lookups.addresses(target.name);
  if (found.kind === 'found') return found.values;
  return found.kind === 'absent' ? { unseen: 'no-address' } : { unseen: 'dns-trouble', failure: found.failure };
}

function nothing(reason: Reason): Untested {
  return { untested: reason, legs: [] };
}
