import type { Addition } from '../domain/consent-advice.ts';
import type { ConsentSight, SeenAddress, SeenPlace } from '../domain/consent-sight.ts';
import type { Host } from '../domain/host.ts';
import { ADDRESSES_LIMIT } from '../domain/look-bounds.ts';
import { type Html, html } from '../markup/html.ts';
import { hostHead } from './host-tabs.ts';
import { layout, type Visitor } from './layout.ts';
import { actButton, copyable, when } from './parts.ts';
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
  const { visitor, host, now, sight, looksAt, told } = shown;
  const waits = sight !== undefined && !sight.complete;
  return layout(
    `Consent of ${host.settings.name}`,
    html`${hostHead(host, '/consent')}
<h2>Consent</h2>
<p>Nothing is probed before both sides agree: the name, and each address that it leads to. It is proven anew before every scan, so records must stay.</p>
${looksAt === undefined ? undefined : html`<p>Its scan waits for DNS. ${lookWords(looksAt, now)} You need not wait here: we write to you when it is done.</p>`}
${told === undefined ? undefined : html`<p class="note" role="status">${told}</p>`}
<section id="proofs"${waits ? html` data-live="${LOOK_SECONDS}"` : undefined}>${sight === undefined ? undefined : proofs(shown, sight)}</section>
${actButton(visitor.formToken, `/hosts/${host.id}/consent/check`, 'Look again')}`,
    { visitor },
  );
}

function proofs({ host: { id, settings }, visitor, now, awaitsScan }: ConsentPage, sight: ConsentSight): Html {
  const { complete, name, addresses, addressesFound, add, servedDomains, trouble, token } = sight;
  const paused = addresses.filter(({ standing }) => standing === 'paused');
  return html`${complete ? html`<p class="note good">Both sides speak for every address. ${awaitsScan ? 'Press “Look again” to have it scanned.' : 'There is nothing for you to do.'}</p>` : undefined}
${trouble === undefined ? undefined : html`<p class="note bad">${trouble}</p>`}
${name === undefined ? undefined : html`<h3>${tick(name.proven)} The name ${settings.name}</h3>${name.proven ? html`<p>It is proven to be yours.</p>` : undefined}${places(name.places)}`}
${add.map((addition) => toAdd(addition, token))}
${addressesFound === undefined || addresses.length === 0 ? undefined : html`<p class="note">It has ${addressesFound} addresses. A scan audits the first ${ADDRESSES_LIMIT}, in order, and nothing is sent to the others.</p>`}
${addresses.map((address) => addressSection(address, token, now))}
${paused.length > 0 ? actButton(visitor.formToken, `/hosts/${id}/consent/reaffirm`, 'It is mine: lift the pause', 'quiet') : undefined}
${addresses.every(({ standing }) => standing !== 'no-consent') ? undefined : html`<p class="hint">You cannot set DNS? For a single scan it is enough that you <a href="/here">come from the address</a>.</p>`}
${servedDomains.length === 0 ? undefined : html`<h3>Served domains</h3><ul>${servedDomains.map(({ domain, used }) => html`<li><span class="${used ? 'done' : 'missing'}">${used ? '✓ used' : '○ not used'}</span> ${domain}${used ? '' : ': its MX does not name this host, and it carries no record of yours.'}</li>`)}</ul>${settings.servedDomains.length > servedDomains.length ? html`<p class="hint">Of its ${settings.servedDomains.length} served domains a scan uses these now, and others next week. While the host is open, it keeps those that the hole was seen with.</p>` : undefined}`}`;
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

function addressSection(
  { address, standing, proofs: own, explanation, pausedUntil, add, reverseZone, reverseDns }: SeenAddress,
  token: string,
  now: number,
): Html {
  const [first, ...others] = add;
  return html`<section><h3><span class="${standing === 'proven' ? 'done' : 'missing'}">${standing === 'no-consent' && own.length > 0 ? '◐ proven on its side' : STANDINGS[standing]}</span> The address ${address}</h3>
<p>${explanation}${pausedUntil === undefined ? undefined : html` It is paused until ${when(pausedUntil, now)}.`}</p>
${first === undefined ? undefined : toAdd(first, token)}
${others.length === 0 ? undefined : html`<details><summary>Other ways to prove it; any one is enough</summary>${others.map((addition) => toAdd(addition, token))}</details>`}
${places([...(reverseZone === undefined ? [] : [reverseZone]), ...reverseDns.flatMap((claim) => claim.places)])}</section>
`;
}

function toAdd({ record, also = [], what }: Addition, token: string): Html {
  return html`<p>${what}</p>
${record === undefined ? undefined : html`${copyable(record)}${providerForm(record, token)}`}
${also.map(copyable)}`;
}

function providerForm(record: string, token: string): Html {
  const name = record.split(' ')[0] ?? '';
  return html`
<details><summary>For a form of your DNS provider</summary><p>Type <strong>TXT</strong>. The name, of which some forms want only what stands before your domain:</p>${copyable(name.replace(/\.$/, ''))}<p>The value:</p>${copyable(token)}</details>`;
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
