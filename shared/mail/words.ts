import type { NewsOfHost } from '../domain/notice.ts';

// Times and states in the words of mails.

/** A time to look for in logs: `2026-11-24 10:37:09 UTC`. */
export function utc(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

const HOUR_MS = 3_600_000;

/** A span of time in the words of a person: `3 hours`, `12 days`. */
export function span(ms: number): string {
  const hours = Math.max(1, Math.round(ms / HOUR_MS));
  return hours < 48 ? counted(hours, 'hour') : counted(Math.round(hours / 24), 'day');
}

/** `1 host`, `2 hosts`. */
export function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}

/** What a host of this relay state does, as the verb of a sentence. */
export function relayWords(relay: NewsOfHost['relay']): string {
  if (relay === 'open') return 'is an open relay';
  if (relay === 'suspected') return 'answers as an open relay';
  return relay === 'closed' ? 'is closed' : 'has not been proven open or closed';
}

/** What is new of a host, in one short sentence. */
export function newsOf({ hostName, occasion, relay }: NewsOfHost): string {
  switch (occasion.kind) {
    case 'silent':
      return `${hostName} cannot be audited`;
    case 'dns-trouble':
      return `${hostName} cannot be audited: DNS fails`;
    case 'gave-up':
      return `${hostName} is not audited: DNS does not allow it`;
    case 'proven':
      return `${hostName} has had its first scan: it ${relayWords(relay)}`;
    case 'back':
      return `${hostName} can be audited again`;
    case 'digest':
      return `${hostName} keeps changing: it ${relayWords(relay)}`;
    case 'reminder':
      return relay === 'open' ? `${hostName} is still an open relay` : `${hostName} still answers as an open relay`;
    case 'change':
      return `${hostName} ${relayWords(relay)}${relay === 'closed' ? ' again' : ''}`;
  }
}

/** Whether mail of strangers may go through a host of this relay state. */
export function isBad(relay: NewsOfHost['relay']): boolean {
  return relay === 'open' || relay === 'suspected';
}

/** A sentence as the end of another one. */
export function continued(sentence: string): string {
  return `${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}`;
}
