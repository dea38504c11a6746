import type { LegEvidence } from './scan.ts';
import { printable } from './transcript.ts';
import { hasBrokenTls } from './verdict.ts';

/** That TLS is broken at a port, as a sentence begins or a list names it. */
export function brokenTlsAt(port: number): string {
  return port === 465 ? 'TLS at port 465 is broken' : `STARTTLS at port ${port} is broken`;
}

/** That no TLS could be set up with a leg, and why, safe to show; undefined where it could, or was not tried. */
export function brokenTlsSentence(leg: LegEvidence): string | undefined {
  const { contact, brokenTls, port, transport } = leg;
  if (contact !== 'tls-failed' || brokenTls === undefined) return undefined;
  const why = printable(brokenTls.why).replace(/\.$/, '');
  const doubt = hasBrokenTls(leg) ? '' : ' One sitting has shown it so far.';
  return `${transport === 'tls' ? 'TLS' : 'STARTTLS'} at port ${port} is broken: ${why}.${doubt}`;
}

/** The ports of a host at which TLS is broken, as sittings enough have shown. */
export function brokenTlsPorts(legs: readonly LegEvidence[]): number[] {
  return [...new Set(legs.filter(hasBrokenTls).map(({ port }) => port))].toSorted((a, b) => a - b);
}
