import { readName } from '../domain/host-name.ts';
import { POOL_LIMIT } from '../domain/look-bounds.ts';
import { type Delivery, domainOfMailbox } from '../domain/proposal.ts';
import { type Found, type Lookups, sharedLookups } from '../network/lookups.ts';

/** Mail servers of one domain that are looked at; more than that is a pool of one provider. */
export const EXCHANGERS_LIMIT = 10;
const QUESTIONS_PER_SECOND = 500; // what an Internet resolver bears from one client; the pace of scans too

/** How the mail of alert recipients is delivered, one entry each. Where DNS is silent the servers are none. */
export async function lookUpDeliveries(recipients: readonly string[], lookups: Lookups): Promise<Delivery[]> {
  return Promise.all(
    recipients.map(async (recipient) => {
      const domain = domainOfMailbox(recipient);
      if (readName(domain).kind !== 'name') return { recipient, domain, servers: [] };
      const mail = await lookups.mailServers(domain);
      if (mail.kind === 'trouble') return { recipient, domain, servers: [] };
      // Without an MX a domain's own address takes its mail (RFC 5321 §5.1).
      const names = mail.kind === 'found' ? mail.values.slice(0, EXCHANGERS_LIMIT).map(({ name }) => name) : [domain];
      const servers = names.map(async (name) => {
        const addresses = valuesOf(await lookups.addresses(name)).slice(0, POOL_LIMIT);
        return { name, addresses: addresses.map(({ text }) => text) };
      });
      return { recipient, domain, servers: await Promise.all(servers) };
    }),
  );
}

/** The look-ups of one request: shared and paced. */
export function lookupsOfRequest(from: Lookups): Lookups {
  return sharedLookups(from, QUESTIONS_PER_SECOND);
}

const SILENT = { kind: 'trouble', why: 'no answer' } as const;

/**
 * Does something with look-ups that all give up when the time is over: they find DNS silent then, or throw what `whenLate` does. What has
 * been answered stays known, if the look-ups are shared.
 */
export async function untilDeadline<T>(
  lookups: Lookups,
  limitMs: number,
  work: (lookups: Lookups) => Promise<T>,
  whenLate: () => Found<never> = () => SILENT,
): Promise<T> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, limitMs);
  const inTime = <F>(found: Promise<Found<F>>): Promise<Found<F>> => Promise.race([found, late.promise.then(whenLate)]);
  try {
    return await work({
      addresses: (name) => inTime(lookups.addresses(name)),
      texts: (name) => inTime(lookups.texts(name)),
      names: (address) => inTime(lookups.names(address)),
      mailServers: (domain) => inTime(lookups.mailServers(domain)),
    });
  } finally {
    clearTimeout(timer);
  }
}

/** What was found; nothing where DNS is silent or knows nothing. */
export function valuesOf<T>(found: Found<T>): readonly T[] {
  return found.kind === 'found' ? found.values : [];
}
