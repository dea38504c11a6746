import { domainOf } from './control-mailbox.ts';
import type { Host, HostState } from './host.ts';
import type { Scan } from './scan.ts';

/** Served domains that one scan uses: each makes its table longer, and with ten it takes 45 of the 100 sessions that there are. */
export const DOMAINS_A_SCAN = 10;

const TURN_MS = 7 * 24 * 60 * 60_000; // a closed host has its full table once a week, and each should have other domains

/**
 * The served domains that a scan uses which began at `startedAt`: all, or ten where there are more. The one that the control is at stays;
 * the others go round, week by week. Those that a hole was seen with are kept until the host is seen closed.
 */
export function domainsOfScan({ settings, state }: Pick<Host, 'settings' | 'state'>, startedAt: number): readonly string[] {
  const { servedDomains, controlMailbox } = settings;
  if (servedDomains.length <= DOMAINS_A_SCAN) return servedDomains;
  // What was open before it had so many was seen with the first of them: others are added behind.
  const held = isBad(state) ? (state.heldDomains ?? servedDomains.slice(0, DOMAINS_A_SCAN)) : [];
  const kept = held.filter((domain) => servedDomains.includes(domain));
  if (kept.length > 0) return kept;
  const main = controlMailbox === undefined ? servedDomains[0] : domainOf(controlMailbox);
  const others = servedDomains.filter((domain) => domain !== main);
  const share = DOMAINS_A_SCAN - 1;
  const start = (Math.floor(startedAt / TURN_MS) * share) % others.length;
  return [...servedDomains.filter((domain) => domain === main), ...[...others.slice(start), ...others].slice(0, share)];
}

/** The served domains that later scans keep to, after one that left the host in the state `next`; undefined when they are free again. */
export function heldAfter(before: HostState, next: HostState, scan: Scan): readonly string[] | undefined {
  if (!isBad(next)) return undefined;
  return before.heldDomains ?? (scan.openLegs.length > 0 ? scan.servedDomains : undefined);
}

function isBad({ relay, pending, openLegs }: HostState): boolean {
  return relay === 'open' || relay === 'suspected' || pending !== undefined || openLegs.length > 0;
}
