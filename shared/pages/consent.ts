import { type ConsentFinding, type RecordToSet, relativeTo, zoneLine } from '../domain/consent-finding.ts';
import type { Addition, ConsentSight, SeenAddress, SeenPlace } from '../domain/consent-sight.ts';
import type { Host } from '../domain/host.ts';
import { ADDRESSES_LIMIT } from '../domain/look-bounds.ts';
import { type Html, html } from '../markup/html.ts';
import { hostHead } from './host-tabs.ts';
import { layout, type Visitor } from './layout.ts';
import { actButton, copyable, moment, when } from './parts.ts';
import { lookWords } from './under-way.ts';

const LOOK_SECONDS = 65; // each look spends one of the sixty an hour

/** Where the consent of a host stands. `told` is what came of a look that was asked for; without `sight`, why there was none. */
export type ConsentPage = {
  readonly visitor: Visitor;
  readonly host: Host;
  readonly now: number;
  readonly sight: ConsentSight | undefined;
  /** Whether the next look owes a scan. */
  readonly awaitsScan?: boolean;
  /** When a scan that waits for DNS looks again by itself. */
  readonly looksAt?: number | undefined;
  readonly told: string | undefined;
};

/** The page that says which proofs are there, which are missing, and what to copy where. */
export function consentPage(shown: ConsentPage): string {
  const { visitor, host, now, sight, awaitsScan = false, looksAt, told } = shown;
  const waits = sight !== undefined && !sight.complete;
  return layout(
    `Consent of ${host.settings.name}`,
    html`${hostHead(host, '/consent')}
<h2>Consent</h2>
<p>We probe nothing until both sides agree: the name, and each address that it leads to. We check before every scan, so leave your records in place.</p>
${looksAt === undefined || (sight?.complete === true && awaitsScan) ? undefined : html`<p>Its scan waits for DNS. ${lookWords(looksAt, now)} You need not wait here: we write to you when it is done.</p>`}
${told === undefined ? undefined : html`<p class="note" role="status">${told}</p>`}
<section id="proofs"${waits ? html` data-live="${LOOK_SECONDS}"` : undefined}>${sight === undefined ? undefined : proofs(shown, sight)}</section>
${actButton(visitor.formToken, `/hosts/${host.id}/consent/check`, 'Look again')}`,
    { visitor },
  );
}

function proofs(shown: ConsentPage, sight: ConsentSight): Html {
  const { host, visitor, now } = shown;
  const { id, settings } = host;
  const { complete, name, addresses, addressesFound, findings, zone } = sight;
  const paused = addresses.filter(({ standing }) => standing === 'paused');
  const ofName = findings.filter(({ side }) => side === 'name');
  return html`${complete ? html`<p class="note good">Both sides speak for every address. ${whatFollows(shown)}</p>` : html`<p class="hint">We looked at ${moment(now)}. While this page is open, it looks again every minute and shows your record as soon as DNS does.</p>`}
${name === undefined ? undefined : html`<h3>${tick(name.proven)} The name ${settings.name}</h3>${name.proven ? html`<p>It is proven to be yours.</p>` : undefined}`}
${ofName.map((finding) => findingBlock(finding, zone))}
${ofName.some(({ proves }) => proves === 'name') ? howToAdd(zone ?? settings.name) : undefined}
${name === undefined ? undefined : places(name.places)}
${addressesFound === undefined || addresses.length === 0 ? undefined : html`<p class="note">It has ${addressesFound} addresses. A scan audits the first ${ADDRESSES_LIMIT}, in order, and nothing is sent to the others.</p>`}
${addresses.map((address) => addressSection(address, sight, now))}
${paused.length > 0 ? actButton(visitor.formToken, `/hosts/${id}/consent/reaffirm`, 'It is mine: lift the pause', 'quiet') : undefined}
${addresses.every(({ standing }) => standing !== 'no-consent') ? undefined : html`<p class="hint">You can’t edit DNS? You can have the server scanned once if you <a href="/here">ask from the server itself</a>.</p>`}
${servedDomains(sight, settings.servedDomains.length)}`;
}

function whatFollows({ awaitsScan, looksAt, now }: ConsentPage): Html | string {
  if (awaitsScan !== true) return 'There is nothing for you to do.';
  if (looksAt === undefined) return 'Press “Look again” to have it scanned.';
  return html`We scan it ${looksAt <= now ? 'within a minute or two' : html`at ${when(looksAt, now)}`}. To have it scanned now, press “Look again”.`;
}

// For whoever has never done it, in the words that most providers have on their pages.
function howToAdd(zone: string): Html {
  return html`<details><summary>How do I add a record?</summary><ol>
<li>Sign in where the DNS of ${zone} is managed: most often where you bought the domain, or at your hosting company.</li>
<li>Open its DNS records, which may be called “DNS zone”, “DNS settings” or “name servers”.</li>
<li>Choose “Add record”, copy type, name and value from here, and save. Leave the TTL as it is, or set 300 seconds.</li>
<li>Change nothing else. Other TXT records do no harm.</li>
</ol></details>`;
}

function servedDomains({ servedDomains: domains, findings, zone }: ConsentSight, all: number): Html | undefined {
  if (domains.length === 0) return undefined;
  const found = findings.filter(({ side }) => side === 'served-domain');
  const isTold = (domain: string) => found.some(({ about }) => about === domain);
  return html`<h3>Served domains</h3><ul>${domains.map(({ domain, used }) => html`<li><span class="${used ? 'done' : 'missing'}">${used ? '✓ used' : '○ not used'}</span> ${domain}${used || isTold(domain) ? '' : ': its MX does not name this host, and it carries no record of yours.'}</li>`)}</ul>${found.map((finding) => findingBlock(finding, zone))}${all > domains.length ? html`<p class="hint">Of its ${all} served domains a scan uses these now, and others next week. While the host is open, it keeps those that the hole was seen with.</p>` : undefined}`;
}

function tick(done: boolean): Html {
  return html`<span class="${done ? 'done' : 'missing'}">${done ? '✓ proven' : '○ missing'}</span>`;
}

const STANDINGS: Readonly<Record<SeenAddress['standing'], string>> = {
  proven: '✓ proven',
  'no-consent': '○ missing',
  vetoed: '✕ forbidden',
  paused: '✕ paused',
  'forbidden-address': '✕ nobody may probe it',
  'dns-trouble': '○ DNS does not answer',
  'too-many-lookups': '✕ too much to look up',
};

function addressSection(seen: SeenAddress, { findings, zone }: ConsentSight, now: number): Html {
  const { address, standing, proofs: own, explanation, pausedUntil, add, reverseZone, reverseDns } = seen;
  const found = findings.filter(({ side, about }) => side === 'address' && about === address);
  const others = add.filter(({ what }) => found.every(({ change }) => change.what !== what));
  const waits = found.some(({ kind }) => kind === 'waits-for-name');
  const halfway = own.length > 0 ? '◐ proven on its side' : waits ? '◐ waits for the name' : undefined;
  return html`<section><h3><span class="${standing === 'proven' ? 'done' : 'missing'}">${(standing === 'no-consent' ? halfway : undefined) ?? STANDINGS[standing]}</span> The address ${address}</h3>
${found.length > 0 && pausedUntil === undefined ? undefined : html`<p>${explanation}${pausedUntil === undefined ? undefined : html` It is paused until ${when(pausedUntil, now)}.`}</p>`}
${found.map((finding) => findingBlock(finding, zone))}
${others.length === 0 ? undefined : html`<details><summary>Another way to prove it</summary>${others.map(toAdd)}</details>`}
${places([...(reverseZone === undefined ? [] : [reverseZone]), ...reverseDns.flatMap((claim) => claim.places)])}</section>
`;
}

// What it means comes first, then what to do; what was asked and what came is for whoever wants to check it.
function findingBlock({ asked, found, means, change: { what, records = [], send } }: ConsentFinding, zone: string | undefined): Html {
  return html`<div class="finding"><p>${means}</p>
<p class="hint">${asked === undefined ? undefined : html`We asked for <code>${asked}</code>. `}We found: ${found}</p>
<p><strong>${what}</strong></p>
${records.map((record) => fields(record, zone))}
${send === undefined ? undefined : html`<p class="hint">A text for your provider:</p>${copyable(send)}`}</div>
`;
}

// As the forms of DNS providers ask for it. Most add the zone to the name by themselves, and who knows which.
function fields(record: RecordToSet, zone: string | undefined): Html {
  const { name, type, value } = record;
  // A provider sets this one, seldom by a form for records.
  if (type === 'PTR') return copyable(zoneLine(record));
  const short = relativeTo(name, zone);
  return html`<dl class="record"><dt>Type</dt><dd>${copyable(type)}</dd>
<dt>Name</dt><dd>${copyable(short ?? name)}${short === undefined ? undefined : html`<span class="hint">If the form does not add ${zone ?? ''} by itself:</span>${copyable(name)}`}</dd>
<dt>Value</dt><dd>${copyable(value)}</dd></dl>
<details><summary>As a line of a zone file</summary>${copyable(zoneLine(record))}</details>`;
}

function toAdd({ record, also = [], what }: Addition): Html {
  return html`<p>${what}</p>
${record === undefined ? undefined : copyable(record)}
${also.map(copyable)}`;
}

const FOUND: Readonly<Record<SeenPlace['found'], string>> = {
  token: 'your token',
  deny: '“deny”, which forbids probes',
  other: 'something else, not your token',
  nothing: 'nothing',
  trouble: 'DNS did not answer',
  unasked: 'not asked, since there was too much to look up',
};

function places(all: readonly SeenPlace[]): Html | undefined {
  if (all.length === 0) return undefined;
  return html`<details><summary>Where we looked, and what is there now</summary><ul>${all.map(({ record, found }) => html`<li><code>${record}</code>: ${FOUND[found]}</li>`)}</ul></details>`;
}
