import type { Address } from './address.ts';
import type { HostState } from './host.ts';
import { kindOf } from './scan.ts';

/**
 * An address has itself asked, over HTTPS, for one scan of it. Until `until` that is its consent to this scan and to what completes it;
 * epoch milliseconds.
 */
export type Presence = { readonly hostId: string; readonly scanId: string; readonly address: string; readonly until: number };

/** For how long it holds at most: a scan with its sittings, its messages and its confirmation is over by then. */
export const PRESENCE_MS = 24 * 60 * 60_000;

/** Where mail servers are asked for; who speaks for an address by being there speaks for no other service on it. */
export const PRESENCE_PORTS: readonly number[] = [25, 465, 587];

/**
 * The scan whose presence a scan may use: its own if it was asked for, or that of the one it confirms. Later sittings go on under
 * the id of the first. The schedule uses none.
 */
export function presenceScan(scanId: string, { pending }: Pick<HostState, 'pending'>): string | undefined {
  const asked = kindOf(scanId) === 'confirming' ? pending?.scanId : scanId;
  return asked !== undefined && kindOf(asked) === 'on-demand' ? asked : undefined;
}

/** Whether a presence speaks for this address now. */
export function speaksFor(presence: Presence | undefined, { text }: Address, now: number): boolean {
  return presence !== undefined && presence.address === text && now < presence.until;
}
