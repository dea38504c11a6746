import type * as z from 'zod';
import type { consentResponse } from '../../shared/contract/consent.ts';
import { type AddressFacts, type ConsentFacts, isProven, type Place, proofsOf, standingOf } from '../../shared/domain/consent.ts';
import { addressAdditions, greetingSettings, nameAddition, standingSentence } from '../../shared/domain/consent-advice.ts';
import type { Host } from '../../shared/domain/host.ts';
import { readTarget, type Target } from '../../shared/domain/host-name.ts';
import { coverOf } from '../../shared/domain/never.ts';
import { kindOf, scanId } from '../../shared/domain/scan.ts';
import { type ConsentRules, lookUpConsent, provenDomains } from '../../shared/network/consent-lookups.ts';
import { sharedLookups } from '../../shared/network/lookups.ts';
import type { Pause } from '../../shared/store/audit-store.ts';
import { spend } from './budgets.ts';
import { type Call, hostInPath, json, type Verb } from './call.ts';
import { Problem } from './problem.ts';
import { readNoBody, readNoQuery } from './read-request.ts';

type Consent = z.input<typeof consentResponse>;

const LOOKUPS_PER_SECOND = 200;
const HEED_AGAIN_MS = 30 * 24 * 60 * 60_000; // how long an owner who has shown consent again is not paused by strangers

/** `GET /v1/hosts/{id}/consent` */
export const showConsent: Verb = async (call) => {
  readNoQuery(call.event);
  return json(200, (await lookAt(call, await hostInPath(call))).consent);
};

/** `POST /v1/hosts/{id}/consent/check`: looks again, and owes the scan that has waited for it. */
export const checkConsent: Verb = async (call) => {
  readNoQuery(call.event);
  readNoBody(call.event);
  const host = await hostInPath(call);
  const { consent } = await lookAt(call, host);
  const ready = consent.addresses.some(({ standing }) => standing === 'proven' || standing === 'greeting');
  const waits = host.state.last === undefined || host.state.last.verdict === 'untestable';
  if (!ready || !waits) return json(200, consent);
  const scan = await oweScan(call, host);
  const next = `A scan is owed and made within a minute or two: GET /v1/hosts/${host.id}/scans/${scan} shows what comes of it.`;
  return json(200, { ...consent, scan, next });
};

/** `POST /v1/hosts/{id}/consent/reaffirm`: lifts what strangers have paused, where DNS proves the address now. */
export const reaffirmConsent: Verb = async (call) => {
  readNoQuery(call.event);
  readNoBody(call.event);
  const host = await hostInPath(call);
  const { consent, pauses } = await lookAt(call, host);
  const paused = consent.addresses.filter(({ address }) => pauses.some((pause) => pause.address === address));
  const unproven = paused.filter(({ proofs }) => proofs.length === 0 || consent.name?.proven === false);
  if (unproven.length > 0)
    throw new Problem(
      409,
      `Only what DNS proves can be reaffirmed: ${unproven.map(({ address }) => address).join(', ')}. See add in GET …/consent; a pause ends by itself.`,
    );
  const now = call.clock();
  await Promise.all(paused.map(({ address }) => call.store.liftPause(address, now, now + HEED_AGAIN_MS)));
  return json(200, (await lookAt(call, host)).consent);
};

async function lookAt(call: Call, host: Host): Promise<{ consent: Consent; pauses: readonly Pause[] }> {
  await spend(call, 'host-consent', host.id, 'The consent of this host was looked at too often.');
  const target = readTarget(host.settings.name);
  if (target.kind === 'invalid') throw new Error('a registered name that cannot be read');
  const lookups = sharedLookups(call.lookups, LOOKUPS_PER_SECOND);
  const token = call.tokenOf(call.accountId);
  const rules: ConsentRules = { token, operatorNetworks: call.operatorNetworks, lookups };
  const found = await addressesOf(target, rules);
  const addresses = found.kind === 'found' ? found.values : [];
  const [facts, pauses, used, never] = await Promise.all([
    lookUpConsent(target, addresses, rules),
    call.store.pausesOf(
      addresses.map(({ text }) => text),
      call.clock(),
    ),
    provenDomains(host.settings.servedDomains, target, addresses, rules),
    call.store.neverList(),
  ]);
  const covers = coverOf(never);
  const isNever = (text: string) => covers(host.settings.name) || covers(text);
  return { pauses, consent: viewOf(host, facts, { token, pauses, isNever, used, trouble: TROUBLES[found.kind] }) };
}

async function addressesOf(target: Target, { lookups }: ConsentRules) {
  return target.kind === 'address' ? ({ kind: 'found', values: [target.address] } as const) : lookups.addresses(target.name);
}

const TROUBLES = {
  found: undefined,
  absent: 'Its name has no address.',
  trouble: 'DNS does not answer for its name at the moment.',
} as const;

const NEVER = 'It is proven, but the operator of this service has listed it among what is never probed. Ask them to take it off.';

type Around = {
  readonly token: string;
  readonly pauses: readonly Pause[];
  /** Whether the operator's never-list covers an address of the host. */
  readonly isNever: (address: string) => boolean;
  readonly used: readonly string[];
  readonly trouble: string | undefined;
};

function viewOf(host: Host, facts: ConsentFacts, around: Around): Consent {
  const { token, used, trouble } = around;
  const { name, servedDomains } = host.settings;
  const addresses = facts.addresses.map((side) => addressView(facts, side, around));
  const operators = facts.addresses.length > 0 && facts.addresses.every((side) => side.operators);
  const missing = operators ? undefined : nameAddition(name, facts, token);
  const complete = addresses.length > 0 && addresses.every(({ standing }) => standing === 'proven');
  return {
    token,
    complete,
    ...(facts.namePlaces === undefined ? {} : { name: { proven: isProven(facts.namePlaces), places: facts.namePlaces.map(placeView) } }),
    addresses,
    add: missing === undefined ? [] : [missing],
    greeting: greetingSettings(name, token),
    servedDomains: servedDomains.map((domain) => ({ domain, used: operators || used.includes(domain) })),
    ...(trouble === undefined ? {} : { trouble }),
    next: complete
      ? `Both sides speak for every address. POST /v1/hosts/${host.id}/scans asks for a scan; GET its /scans shows what came of it.`
      : `Add what \`add\` names, at the name and at each address, then POST /v1/hosts/${host.id}/consent/check looks again.`,
  };
}

function addressView(facts: ConsentFacts, side: AddressFacts, { token, pauses, isNever }: Around): Consent['addresses'][number] {
  const standing = standingOf(facts, side, token);
  const pause = pauses.find(({ address }) => address === side.address.text);
  const proven = standing.kind === 'consent' && standing.consent.proof !== 'greeting';
  const told = standing.kind === 'none' ? standing.reason : proven ? 'proven' : 'greeting';
  const never = proven && isNever(side.address.text);
  return {
    address: side.address.text,
    standing: never ? 'vetoed' : pause !== undefined && standing.kind === 'consent' ? 'paused' : told,
    proofs: proofsOf(side),
    explanation: never ? NEVER : standingSentence(facts, side, token),
    ...(pause === undefined ? {} : { pausedUntil: new Date(pause.until).toISOString() }),
    ...(side.reverseZone === undefined ? {} : { reverseZone: placeView(side.reverseZone) }),
    reverseDns: side.claims.map(({ name, places, leadsBack }) => ({ name, places: places.map(placeView), leadsBack })),
    add: proofsOf(side).length > 0 || side.forbidden !== undefined ? [] : addressAdditions(side, token),
  };
}

function placeView({ name, saying }: Place) {
  return { record: name, found: saying };
}

async function oweScan(call: Call, host: Host): Promise<string> {
  const now = call.clock();
  const waiting = (await call.store.owedOf(host.id)).find((owed) => kindOf(owed.scanId) === 'on-demand' || kindOf(owed.scanId) === 'first');
  const fresh = { accountId: call.accountId, hostId: host.id, scanId: scanId(now, 'on-demand'), dueAt: now, tries: 0 };
  if (waiting === undefined) await call.store.owe(fresh);
  return (waiting ?? fresh).scanId;
}
