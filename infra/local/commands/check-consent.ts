import { type ConsentFinding, zoneLine } from '../../../shared/domain/consent-finding.ts';
import { type ConsentSight, sightOf } from '../../../shared/domain/consent-sight.ts';
import { REQUEST_LOOK_MS } from '../../../shared/domain/look-bounds.ts';
import { seeConsent } from '../../../shared/network/consent-look.ts';
import { startLook } from '../../../shared/network/look.ts';
import { dnsLookups } from '../../../shared/network/lookups.ts';
import type { CheckOptions } from './check-options.ts';

const EXIT_NOT_PROVEN = 3; // as of an audit that could not tell

/** Says what DNS shows of consent for a token. Asks DNS alone. */
export async function sayConsent({ host: { settings }, own, dns, json }: CheckOptions, token: string): Promise<void> {
  const look = startLook(dnsLookups(dns), REQUEST_LOOK_MS);
  try {
    const { facts, ...seen } = await seeConsent(settings.name, settings.servedDomains, { token, operatorNetworks: own, ...look });
    const sight = sightOf(settings.name, facts, { token, pauses: [], isNever: () => false, ...seen });
    const { complete, findings } = sight;
    console.log(json ? JSON.stringify({ host: settings.name, complete, findings }, null, 2) : inWords(settings.name, sight));
    process.exitCode = complete ? 0 : EXIT_NOT_PROVEN;
  } finally {
    look.end();
  }
}

function inWords(host: string, { complete, addresses, findings }: ConsentSight): string {
  const head = `${host}: ${complete ? 'proven' : 'not proven'}`;
  return [[head, ...addresses.map(({ explanation }) => explanation)].join('\n'), ...findings.map(findingWords)].join('\n\n');
}

function findingWords({ about, asked, found, means, change: { what, records = [], send } }: ConsentFinding): string {
  const question = asked === undefined ? found : `${asked}: ${found}`;
  return [
    about,
    `  ${question}`,
    `  ${means}`,
    `  ${what}`,
    ...records.map((record) => `    ${zoneLine(record)}`),
    ...(send === undefined ? [] : ['  A text for your provider:', `    ${send}`]),
  ].join('\n');
}
