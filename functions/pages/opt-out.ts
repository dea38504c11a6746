import { budgetsFrom } from '../../shared/accounts/budgets.ts';
import { UNHEEDED_DAYS } from '../../shared/accounts/consent.ts';
import type { Address } from '../../shared/domain/address.ts';
import type { Target } from '../../shared/domain/host-name.ts';
import { ADDRESSES_LIMIT } from '../../shared/domain/look-bounds.ts';
import { namesAbove } from '../../shared/network/consent-lookups.ts';
import { type Look, startLook } from '../../shared/network/look.ts';
import { type Found, sharedLookups } from '../../shared/network/lookups.ts';
import { messagePage } from '../../shared/pages/message.ts';
import { type OptedOutAddress, type OptOutForm, optedOutPage, optOutPage } from '../../shared/pages/opt-out.ts';
import type { Budget, Pause } from '../../shared/store/audit-store.ts';
import { type Answer, type Call, page, type Verb } from './call.ts';
import { type AddressDenial, lookUpDenials } from './deny-records.ts';
import { readTargetField, refusalOf } from './read-form.ts';
import { tellOwners } from './tell-owners.ts';

const LOOKUPS_PER_SECOND = 100; // of one request, which has 200 at most
const LOOK_MS = 8_000; // a wish is heeded within this time, however slow DNS is: what it has not said by then is no proof
const HOUR_MS = 60 * 60_000;
const PAUSE_HOURS = 72; // over a weekend: time to set a record, or to write to us
const WISHES = { what: 'opt-out', limit: 10, windowMs: HOUR_MS }; // addresses, of one source: a person with a handful of servers
const FOR_GOOD_A_DAY = 200; // of all: every worker reads the never-list as a whole
const FOR_GOOD_OF_ONE = 20; // of these of one source, and of the names below one domain: a wildcard record proves any number of them
const EVEN_MS = 1_500; // a wish is answered no earlier, so that the time tells nobody whether owners were mailed
const WHY = 'opt-out, proven by a deny record';

/** `GET /opt-out` */
export const askOptOut: Verb = async ({ event }) => form(200, { target: event.queryStringParameters?.target });

/** `POST /opt-out`: pauses what is unproven, ends for good what is proven, and tells owners. */
export const optOut: Verb = async (call) => {
  const refusal = refusalOf(call);
  if (refusal !== undefined) return refusal;
  const read = readTargetField(call.event);
  if (read.kind === 'wrong') return form(422, { target: read.text, error: read.why });
  const spent = await charge(1, call);
  if (spent !== undefined) return spent;
  const look = startLook(sharedLookups(call.lookups, LOOKUPS_PER_SECOND), LOOK_MS);
  try {
    return await optOutByLook(read, look, call);
  } finally {
    look.end();
  }
};

type Wish = { readonly target: Target; readonly text: string };

async function optOutByLook({ target, text }: Wish, look: Look, call: Call): Promise<Answer> {
  const now = call.clock();
  const found = await addressesOf(target, look);
  if (found.kind === 'trouble')
    return form(422, { target: text, error: 'cannot be looked up, since DNS does not answer; try again, or enter the address' });
  if (found.kind === 'absent') return form(422, { target: text, error: 'has no address in DNS; check it, or enter the address' });
  // Those that a scan would audit: whoever can point a name at thousands of addresses must not pause them all.
  const used = found.values.slice(0, ADDRESSES_LIMIT);
  const spent = await charge(used.length - 1, call);
  if (spent !== undefined) return spent;
  const { nameDenied, addresses } = await lookUpDenials(target, used, look);
  const [outcomes, name] = await Promise.all([
    Promise.all(addresses.map((each) => heed(each, now, call))),
    nameDenied && target.kind === 'name' ? listForGood(target.name, now, call, registrableOf(target.name)) : ('none' as const),
  ]);
  const until = untilOf(now);
  const paused = outcomes.filter(({ fresh }) => fresh).map(({ address }) => address);
  await Promise.all([tellOwners(paused, until, call), call.wait(EVEN_MS)]);
  return page(
    200,
    optedOutPage({
      target: text,
      name: target.kind === 'name' ? { text: target.name, proof: name } : undefined,
      addresses: outcomes,
      addressesFound: found.values.length,
      pauseHours: PAUSE_HOURS,
      pausedUntil: until,
      unheededDays: UNHEEDED_DAYS,
    }),
  );
}

type Outcome = OptedOutAddress & { readonly fresh: boolean };

async function heed({ address, denied, places }: AddressDenial, now: number, call: Call): Promise<Outcome> {
  const about = { address: address.text, places };
  const proof = denied ? await listForGood(address.text, now, call) : 'none';
  return { ...about, proof, fresh: proof !== 'listed' && (await call.store.pause(pauseOf(address.text, now))) };
}

// When too many were listed today, the record itself still forbids every probe for as long as it stands.
async function listForGood(target: string, now: number, { store, event }: Call, domain?: string): Promise<OptedOutAddress['proof']> {
  if (await store.isNever(target)) return 'listed';
  const day = { what: 'opt-out-for-good', windowMs: 24 * HOUR_MS };
  const budgets: Budget[] = [
    ...budgetsFrom(event.requestContext.http.sourceIp, { ...day, limit: FOR_GOOD_OF_ONE }),
    ...(domain === undefined ? [] : [{ ...day, who: domain, limit: FOR_GOOD_OF_ONE }]),
    { ...day, who: 'all', limit: FOR_GOOD_A_DAY }, // last, so that nobody whose own budget is used up takes from it
  ];
  if ((await takeAll(budgets, now, store)) !== undefined) return 'stands';
  await store.addNever({ target, since: now, why: WHY });
  return 'listed';
}

function registrableOf(name: string): string {
  return namesAbove(name).at(-1) ?? name;
}

// All of them or none. Gives when there is more of the one that was spent.
async function takeAll(budgets: readonly Budget[], now: number, store: Call['store']): Promise<number | undefined> {
  const taken: Budget[] = [];
  for (const budget of budgets) {
    const { granted, resetAt } = await store.takeFromBudget(budget, now);
    if (granted) taken.push(budget);
    else {
      for (const one of taken) await store.giveBack(one, now);
      return resetAt;
    }
  }
  return undefined;
}

async function addressesOf(target: Target, { lookups }: Look): Promise<Found<Address>> {
  return target.kind === 'address' ? { kind: 'found', values: [target.address] } : lookups.addresses(target.name);
}

// All of it or nothing: a name that is paused in part would look as if it were paused.
async function charge(addresses: number, { store, clock, event }: Call): Promise<Answer | undefined> {
  const now = clock();
  const budgets = budgetsFrom(event.requestContext.http.sourceIp, WISHES);
  const resetAt = await takeAll(Array.from({ length: addresses }, () => budgets).flat(), now, store);
  return resetAt === undefined ? undefined : tooMany(resetAt - now);
}

function tooMany(waitMs: number): Answer {
  const minutes = Math.ceil(waitMs / 60_000);
  const words = `At most ${WISHES.limit} addresses an hour can be entered from one place, and a name counts as many as it has, up to ${ADDRESSES_LIMIT}. Try again in ${minutes} ${minutes === 1 ? 'minute' : 'minutes'}, or write to us: “Who we are” says where.`;
  return page(429, messagePage('Too many at once', words), { 'retry-after': String(Math.ceil(waitMs / 1_000)) });
}

function form(status: number, shown: OptOutForm): Answer {
  return page(status, optOutPage(shown, PAUSE_HOURS));
}

// Heeded once: who could begin another when it is over would keep an owner's server from being scanned for ever.
function pauseOf(address: string, now: number): Pause {
  return { address, since: now, until: untilOf(now), heedAgainAt: untilOf(now) + UNHEEDED_DAYS * 24 * HOUR_MS };
}

function untilOf(now: number): number {
  return now + PAUSE_HOURS * HOUR_MS;
}
