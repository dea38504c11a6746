import { isOfDns } from '../domain/consent.ts';
import { type ConsentSight, goesFurther, sightOf } from '../domain/consent-sight.ts';
import { awaitsDns } from '../domain/consent-watch.ts';
import type { Host } from '../domain/host.ts';
import { REQUEST_LOOK_MS } from '../domain/look-bounds.ts';
import { coverOf } from '../domain/never.ts';
import { kindOf } from '../domain/scan.ts';
import { domainsOfScan } from '../domain/served-domains.ts';
import { seeConsent } from '../network/consent-look.ts';
import type { ConsentRules } from '../network/consent-lookups.ts';
import { startLook } from '../network/look.ts';
import { sharedLookups } from '../network/lookups.ts';
import type { Pause } from '../store/audit-store.ts';
import type { Acting } from './acting.ts';
import { spend } from './budgets.ts';
import { Problem } from './problem.ts';
import { requestScan } from './scans.ts';

const LOOKUPS_PER_SECOND = 200;
export const UNHEEDED_DAYS = 30; // after a pause, in which strangers cannot pause the same address again

/** Looks at the consent of a host: asks DNS, now. */
export async function lookAtConsent(acting: Acting, host: Host): Promise<{ sight: ConsentSight; pauses: readonly Pause[] }> {
  await spend(acting, 'host-consent', host.id, 'The consent of this host was looked at too often.');
  const token = acting.tokenOf(acting.accountId);
  const look = startLook(sharedLookups(acting.lookups, LOOKUPS_PER_SECOND), REQUEST_LOOK_MS);
  try {
    const servedDomains = domainsOfScan(host, acting.clock());
    const covers = coverOf(await acting.store.neverList());
    const rules: ConsentRules = { token, operatorNetworks: acting.operatorNetworksOf(acting.accountId), isNever: covers, ...look };
    const { facts, ...seen } = await seeConsent(host.settings.name, servedDomains, rules);
    const pauses = await acting.store.pausesOf(
      facts.addresses.map(({ address }) => address.text),
      acting.clock(),
    );
    const isNever = (text: string) => covers(host.settings.name) || covers(text);
    return { pauses, sight: sightOf(host.settings.name, facts, { token, pauses, isNever, ...seen }) };
  } finally {
    look.end();
  }
}

/** What a check has seen, and the scan that is owed for it; or why none can be asked for now. */
export type Checked = { readonly sight: ConsentSight; readonly scan?: string; readonly refused?: string };

/** Looks again, and has the scan made that has waited for consent, or owes one, if there is enough of it now. */
export async function checkConsent(acting: Acting, host: Host): Promise<Checked> {
  const { sight } = await lookAtConsent(acting, host);
  if (!(await waitsForDns(acting, host, sight))) return { sight };
  try {
    return { sight, scan: await oweScan(acting, host) };
  } catch (error) {
    // The look was made and paid for: what it saw is told all the same.
    if (error instanceof Problem && error.status === 429) return { sight, refused: error.message };
    throw error;
  }
}

/** Whether DNS proves an address of a host that has no result yet, or one that a scan may mend by what DNS says now. */
export async function waitsForDns({ store }: Pick<Acting, 'store'>, { id, state: { last } }: Host, sight: ConsentSight): Promise<boolean> {
  if (sight.addresses.every(({ standing }) => standing !== 'proven')) return false;
  if (last === undefined) return true;
  if ((await store.owedOf(id)).some(awaitsDns)) return goesFurther(sight, []);
  if (last.verdict !== 'untestable' && last.verdict !== 'unreachable') return false;
  const scan = await store.findScan(id, last.id);
  if (scan === undefined || !isOfDns(scan.judgement.reason)) return false;
  const legs = scan.evidence === undefined ? undefined : await store.readEvidence(id, scan.evidence);
  return goesFurther(sight, legs ?? []);
}

/** Lifts what strangers have paused, where DNS proves the address now. */
export async function reaffirmConsent(acting: Acting, host: Host): Promise<ConsentSight> {
  const { sight, pauses } = await lookAtConsent(acting, host);
  const proven = sight.addresses.filter(({ standing }) => standing === 'proven' || standing === 'paused');
  // In the same words whether or not there is a pause: that is for those to know who have proven the address.
  if (proven.length === 0)
    throw new Problem(
      409,
      'Only what DNS proves can be reaffirmed, and there is nothing of that kind now: look at the consent of the host to see where each address stands. A pause ends by itself.',
    );
  const paused = proven.filter(({ address }) => pauses.some((pause) => pause.address === address));
  const now = acting.clock();
  await Promise.all(paused.map(({ address }) => acting.store.liftPause(address, now, now + UNHEEDED_DAYS * 24 * 60 * 60_000)));
  return (await lookAtConsent(acting, host)).sight;
}

// One that waits for DNS by itself is made now, and not at its next look.
async function oweScan(acting: Acting, host: Host): Promise<string> {
  const { store, clock } = acting;
  const owed = await store.owedOf(host.id);
  const waiting = owed.find(awaitsDns);
  if (waiting !== undefined) await store.leaseScan(waiting, clock());
  const first = waiting ?? owed.find(({ scanId }) => kindOf(scanId) === 'first');
  return (first ?? (await requestScan(acting, host))).scanId;
}

/** When a scan of the host that waits for DNS looks again; undefined when none waits. */
export async function nextLookAt({ store }: Pick<Acting, 'store'>, { id }: Host): Promise<number | undefined> {
  return (await store.owedOf(id)).find(awaitsDns)?.dueAt;
}
