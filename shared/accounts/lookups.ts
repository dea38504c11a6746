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

/** Does something with the same look-ups, shared and paced, which all give up when the time is over. What has been answered stays known. */
export async function untilDeadline<T>(from: Lookups, limitMs: number, work: (lookups: Lookups) => Promise<T>): Promise<T> {
  const lookups = sharedLookups(from, QUESTIONS_PER_SECOND);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Found<never>>((give) => {
    timer = setTimeout(() => give({ kind: 'trouble', why: 'ETIMEOUT' }), limitMs);
  });
  try {
    return await work({
      addresses: (name) => Promise.race([lookups.addresses(name), late]),
      texts: (name) => Promise.race([lookups.texts(name), late]),
      names: (address) => Promise.race([lookups.names(address), late]),
      mailServers: (domain) => Promise.race([lookups.mailServers(domain), late]),
    });
  } finally {
    clearTimeout(timer);
  }
}

/** What was found; nothing where DNS is silent or knows nothing. */
export function valuesOf<T>(found: Found<T>): readonly T[] {
  return found.kind === 'found' ? found.values : [];
}
