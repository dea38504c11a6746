import { type ConsentSight, sightOf } from '../domain/consent-sight.ts';
import type { Host } from '../domain/host.ts';
import { readTarget, type Target } from '../domain/host-name.ts';
import { coverOf } from '../domain/never.ts';
import { kindOf } from '../domain/scan.ts';
import { type ConsentRules, lookUpConsent, provenDomains } from '../network/consent-lookups.ts';
import { sharedLookups } from '../network/lookups.ts';
import type { Pause } from '../store/audit-store.ts';
import type { Acting } from './acting.ts';
import { spend } from './budgets.ts';
import { Problem } from './problem.ts';
import { newScan } from './scans.ts';

const LOOKUPS_PER_SECOND = 200;
const HEED_AGAIN_MS = 30 * 24 * 60 * 60_000; // how long an owner who has shown consent again is not paused by strangers

/** Looks at the consent of a host: asks DNS, now. */
export async function lookAtConsent(acting: Acting, host: Host): Promise<{ sight: ConsentSight; pauses: readonly Pause[] }> {
  await spend(acting, 'host-consent', host.id, 'The consent of this host was looked at too often.');
  const target = readTarget(host.settings.name);
  if (target.kind === 'invalid') throw new Error('a registered name that cannot be read');
  const lookups = sharedLookups(acting.lookups, LOOKUPS_PER_SECOND);
  const token = acting.tokenOf(acting.accountId);
  const rules: ConsentRules = { token, operatorNetworks: acting.operatorNetworksOf(acting.accountId), lookups };
  const found = await addressesOf(target, rules);
  const addresses = found.kind === 'found' ? found.values : [];
  const [facts, pauses, used, never] = await Promise.all([
    lookUpConsent(target, addresses, rules),
    acting.store.pausesOf(
      addresses.map(({ text }) => text),
      acting.clock(),
    ),
    provenDomains(host.settings.servedDomains, target, addresses, rules),
    acting.store.neverList(),
  ]);
  const covers = coverOf(never);
  const isNever = (text: string) => covers(host.settings.name) || covers(text);
  return { pauses, sight: sightOf(host.settings, facts, { token, pauses, isNever, used, trouble: TROUBLES[found.kind] }) };
}

/** Looks again, and owes the scan that has waited for consent, if there is enough of it now. */
export async function checkConsent(acting: Acting, host: Host): Promise<{ sight: ConsentSight; scan?: string }> {
  const { sight } = await lookAtConsent(acting, host);
  const ready = sight.addresses.some(({ standing }) => standing === 'proven' || standing === 'greeting');
  const waits = host.state.last === undefined || host.state.last.verdict === 'untestable';
  return ready && waits ? { sight, scan: await oweScan(acting, host) } : { sight };
}

/** Lifts what strangers have paused, where DNS proves the address now. */
export async function reaffirmConsent(acting: Acting, host: Host): Promise<ConsentSight> {
  const { sight, pauses } = await lookAtConsent(acting, host);
  const paused = sight.addresses.filter(({ address }) => pauses.some((pause) => pause.address === address));
  const unproven = paused.filter(({ proofs }) => proofs.length === 0 || sight.name?.proven === false);
  if (unproven.length > 0)
    throw new Problem(
      409,
      `Only what DNS proves can be reaffirmed: ${unproven.map(({ address }) => address).join(', ')}. A pause ends by itself.`,
    );
  const now = acting.clock();
  await Promise.all(paused.map(({ address }) => acting.store.liftPause(address, now, now + HEED_AGAIN_MS)));
  return (await lookAtConsent(acting, host)).sight;
}

async function addressesOf(target: Target, { lookups }: ConsentRules) {
  return target.kind === 'address' ? ({ kind: 'found', values: [target.address] } as const) : lookups.addresses(target.name);
}

const TROUBLES = {
  found: undefined,
  absent: 'Its name has no address.',
  trouble: 'DNS does not answer for its name at the moment.',
} as const;

async function oweScan(acting: Acting, host: Host): Promise<string> {
  const { store } = acting;
  const waiting = (await store.owedOf(host.id)).find((owed) => kindOf(owed.scanId) === 'on-demand' || kindOf(owed.scanId) === 'first');
  const owed = waiting ?? (await newScan(acting, host));
  if (waiting === undefined) await store.owe(owed);
  return owed.scanId;
}
