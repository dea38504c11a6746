import type * as z from 'zod';
import { type changeHostRequest, type registerHostRequest, smallEnough, tooLong } from '../contract/requests.ts';
import { domainOf, readControlMailbox, whyElsewhere } from '../domain/control-mailbox.ts';
import { type Host, type HostSettings, NEW_STATE } from '../domain/host.ts';
import { oneSpelling } from '../domain/host-name.ts';
import { type OwedScan, scanId } from '../domain/scan.ts';
import type { Lookups } from '../network/lookups.ts';
import { newId } from '../runtime/ids.ts';
import type { Account, Registration } from '../store/audit-store.ts';
import { accountGone, ownAccount } from './account.ts';
import type { Acting } from './acting.ts';
import { BUDGETS, budgetOf, secondsLeft, spend, spent } from './budgets.ts';
import { lookupsOfRequest, untilDeadline } from './lookups.ts';
import { invalid, Problem } from './problem.ts';
import { type Quotas, quotasOf } from './quotas.ts';
import { askRecipients, type NotAsked, whoIsUnconfirmed } from './recipients.ts';
import { adviceAtRegistration } from './registration.ts';
import { auditedAlready, type Sameness, sameServer } from './same-server.ts';

export type RegisterWish = z.output<typeof registerHostRequest>;
export type ChangeWish = z.output<typeof changeHostRequest>;

/** A host as it was registered, the recipients of it who are asked first, and what its owner should know. */
export type Registered = {
  readonly host: Host;
  readonly first: OwedScan;
  readonly unconfirmed: string[];
  readonly notAsked: readonly NotAsked[];
  readonly told: Awaited<ReturnType<typeof adviceAtRegistration>>;
};

const DEFAULT_PORTS = [25, 465, 587]; // relay, implicit TLS submission, submission (RFC 5321, 8314, 6409)
const EDIT_TRIES = 5; // times an acknowledgement or a removal is made again when another edit came between
const LOOKS = 10; // at the hosts of the account, each after another registration or change came between
const FIRST_WAIT_MS = 20; // at most, before the second look; doubled with each, so that not all look again at once
const LONGEST_WAIT_MS = 640; // so that ten looks take two seconds on average
const LOOK_MS = 3_000; // for DNS to answer when a host is registered or changed; after that it is done without
const FURTHER_LOOKS_MS = 8_000; // for all further looks: with the first, less than the twenty seconds that the function has

/** The ports of a host that names none: those that are usual, as far as they are probed here. */
export function defaultPorts({ probePorts }: Pick<Acting, 'probePorts'>): number[] {
  return DEFAULT_PORTS.filter((port) => probePorts.includes(port));
}

/** What kind its first scan is of, what is done before that is owed, and what makes another host of the account the same. */
type Opening = {
  readonly kind: 'first' | 'on-demand';
  readonly before?: (first: OwedScan) => Promise<unknown>;
  readonly same?: Sameness;
};

/** Registers a host and owes its first scan, within the quotas of the account. */
export async function registerHost(acting: Acting, wish: RegisterWish, opening: Opening = { kind: 'first' }): Promise<Registered> {
  checkPorts(acting, wish.ports ?? []);
  const account = await ownAccount(acting);
  const host = newHost(acting, wish, account);
  const first: OwedScan = {
    accountId: host.accountId,
    hostId: host.id,
    scanId: scanId(host.createdAt, opening.kind),
    dueAt: host.createdAt,
    tries: 0,
  };
  await payForLookups(acting, withRoom(account));
  const unconfirmed = await whoIsUnconfirmed(acting, host.settings);
  const told = await storeAlone(acting, { account, host, first }, opening);
  const notAsked = await askRecipients(acting, unconfirmed);
  return { host, first, unconfirmed, notAsked, told };
}

// Whatever comes of it: what is refused asks DNS too.
function payForLookups(acting: Acting, { registrationsADay }: Quotas) {
  const limit = Math.max(BUDGETS['registration-tries'].limit, registrationsADay);
  const detail = `This account has tried to register hosts, or to give them further ports, ${limit} times in this hour.`;
  return spend(acting, 'registration-tries', acting.accountId, detail, limit);
}

function newHost(acting: Acting, wish: RegisterWish, { email }: Account): Host {
  const wished = { ...wish, ports: wish.ports ?? defaultPorts(acting), alertRecipients: wish.alertRecipients ?? [email] };
  const settings = { ...tidy(wished), name: oneSpelling(wish.name) };
  checkControl(settings, 'controlMailbox');
  return { accountId: acting.accountId, id: newId(), createdAt: acting.clock(), revision: 1, settings, state: NEW_STATE };
}

type Wished = { readonly account: Account; readonly host: Host; readonly first: OwedScan };

function storeAlone(acting: Acting, { account, host, first }: Wished, opening: Opening): Promise<Registered['told']> {
  let known: Account | undefined = account;
  return besideOthers(acting, async (lookups) => {
    const current = known ?? (await ownAccount(acting));
    known = undefined;
    const quotas = withRoom(current);
    const told = await adviceAtRegistration(acting, host, lookups, opening.same);
    await opening.before?.(first);
    const registrations = budgetOf('registrations', acting.accountId, quotas.registrationsADay);
    const limits = { hosts: quotas.hosts, registrations, hostsVersion: current.hostsVersion };
    const registered = await acting.store.registerHost(host, first, limits);
    if (registered === 'registered') return told;
    if (registered === 'changed') return 'changed';
    throw notRegistered(registered, quotas, acting.clock());
  });
}

// What others of the account register or change at the same time may be the same server: whoever comes second looks again. Then DNS is
// never silent about what the others have done: when it does not answer in time, nothing is stored.
async function besideOthers<T>(acting: Acting, once: (lookups: Lookups) => Promise<T | 'changed'>): Promise<T> {
  const lookups = lookupsOfRequest(acting.lookups);
  const first = await untilDeadline(lookups, LOOK_MS, once);
  if (first !== 'changed') return first;
  const further = async (inTime: Lookups) => {
    for (let looks = 1; looks < LOOKS; looks++) {
      await acting.wait(Math.random() * Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (looks - 1)));
      const done = await once(inTime);
      if (done !== 'changed') return done;
    }
    throw busy();
  };
  return untilDeadline(lookups, FURTHER_LOOKS_MS, further, () => {
    throw busy();
  });
}

function notRegistered(why: Exclude<Registration, 'registered' | 'changed'>, quotas: Quotas, now: number): Problem {
  switch (why) {
    case 'no-account':
      return accountGone();
    case 'too-many-hosts':
      return tooManyHosts(quotas);
    case 'too-many-registrations': {
      const detail = `This account has registered ${quotas.registrationsADay} hosts today, which is as many as it may in a day.`;
      return spent('registrations', detail, secondsLeft('registrations', now), quotas.registrationsADay);
    }
    case 'busy':
      return busy();
  }
}

function busy(): Problem {
  const detail = 'Too much of this account is being changed at once. Try again, with one request after the other.';
  return new Problem(409, detail, undefined, { 'retry-after': '1' });
}

/** The quotas of an account that has room for a host. */
function withRoom(account: Account): Quotas {
  const quotas = quotasOf(account);
  if ((account.hosts ?? 0) >= quotas.hosts) throw tooManyHosts(quotas);
  return quotas;
}

function tooManyHosts({ hosts }: Quotas): Problem {
  const instead = 'A further domain of a server that you audit already needs no host of its own: add it to the served domains of that one.';
  return new Problem(
    409,
    `This account may have ${hosts} hosts, and has them. ${instead} Otherwise remove a host that you no longer need, or ask the operator of this service for more.`,
  );
}

/** A host of the account; a foreign one is as absent as one that never was. */
export async function findHost({ store, accountId }: Pick<Acting, 'store' | 'accountId'>, hostId: string): Promise<Host> {
  const host = /^[0-9a-f]{20}$/.test(hostId) ? await store.findHost(accountId, hostId) : undefined;
  if (host === undefined) throw noSuchHost();
  return host;
}

/**
 * Changes settings of a host. Recipients that the wish names are asked, if they have not confirmed. `check` throws when the settings
 * are not those that the caller has seen; it is asked at every try.
 */
export async function changeHost(
  acting: Acting,
  hostId: string,
  wish: ChangeWish,
  check: (host: Host) => void,
): Promise<{ host: Host; unconfirmed: string[]; notAsked: readonly NotAsked[] }> {
  let paid: Promise<unknown> | undefined;
  const pay = (account: Account) => (paid ??= payForLookups(acting, quotasOf(account)));
  return besideOthers(acting, async (lookups) => {
    const host = await findHost(acting, hostId);
    checkPorts(acting, wish.ports ?? []);
    check(host);
    const settings = changedSettings(host.settings, wish);
    const apart = keepApart(acting, host, settings, { lookups, pay });
    const [unconfirmed, beside] = await Promise.all([whoIsUnconfirmed(acting, settings), apart]);
    const edited = await acting.store.changeSettings(host, settings, beside);
    if (edited === undefined) return 'changed';
    const notAsked = wish.alertRecipients === undefined ? [] : await askRecipients(acting, unconfirmed);
    return { host: edited, unconfirmed, notAsked };
  });
}

type Looking = { readonly lookups: Lookups; readonly pay: (account: Account) => Promise<unknown> };

// A port more may make it the second host of a server. What was so before is let be: DNS may have made it so. Gives the account as it
// was before its hosts were looked at.
async function keepApart(
  acting: Acting,
  { id, settings: before }: Host,
  { name, ports }: HostSettings,
  { lookups, pay }: Looking,
): Promise<Account | undefined> {
  const added = ports.filter((port) => !before.ports.includes(port));
  if (added.length === 0) return undefined;
  const account = await ownAccount(acting);
  await pay(account);
  const known = await sameServer(acting, { name, ports: added, but: id }, lookups);
  if (known !== undefined) throw auditedAlready(known, name, added);
  return account;
}

function changedSettings(before: HostSettings, { webhook, controlMailbox, ...rest }: ChangeWish): HostSettings {
  const changes = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  const settings = tidy({
    ...before,
    ...changes,
    controlMailbox: controlMailbox === undefined ? before.controlMailbox : (controlMailbox ?? undefined),
    webhook: webhook === undefined ? before.webhook : (webhook ?? undefined),
  });
  checkControl(settings, controlMailbox === undefined ? 'servedDomains' : 'controlMailbox');
  const others = controlMailbox === undefined ? 'alertRecipients' : 'controlMailbox';
  const field = rest.servedDomains === undefined ? others : 'servedDomains';
  if (!smallEnough(settings)) throw invalid([{ field, message: tooLong }]);
  return settings;
}

/** Its owner knows it to be a sink, and is told no more of it until something changes. */
export async function acknowledgeHost(acting: Acting, hostId: string): Promise<Host> {
  for (let tries = 0; tries < EDIT_TRIES; tries++) {
    const host = await findHost(acting, hostId);
    if (host.state.relay !== 'suspected' || host.state.sink !== true)
      throw new Problem(
        409,
        'Only a host that is suspected because it accepts everything can be acknowledged, as a sink that you know of.',
      );
    const edited = await acting.store.changeSettings(host, { ...host.settings, acknowledgedAt: acting.clock() });
    if (edited !== undefined) return edited;
  }
  throw busy();
}

/** Removes a host; its history is out of reach at once. */
export async function removeHost(acting: Acting, hostId: string): Promise<void> {
  const { id } = await findHost(acting, hostId);
  if (!(await removeIfThere(acting, id))) throw noSuchHost();
}

/** The same for a host that may be gone already: then false. */
export async function removeIfThere({ store, accountId }: Pick<Acting, 'store' | 'accountId'>, hostId: string): Promise<boolean> {
  for (let tries = 0; tries < EDIT_TRIES; tries++) {
    const host = await store.findHost(accountId, hostId);
    if (host === undefined) return false;
    if (await store.removeHost(host)) return true;
  }
  throw busy();
}

function tidy(settings: HostSettings): HostSettings {
  const domains = settings.servedDomains.map((domain) => domain.toLowerCase());
  return {
    ...settings,
    servedDomains: [...new Set(domains)],
    alertRecipients: [...new Set(settings.alertRecipients)],
    controlMailbox: tidyMailbox(settings.controlMailbox ?? ''),
  };
}

function tidyMailbox(text: string): string | undefined {
  const read = readControlMailbox(text);
  return read.kind === 'mailbox' ? read.mailbox : undefined;
}

// A control at a domain that is not the host's would be a mailbox of somebody else's, or none that the server takes mail for.
function checkControl({ controlMailbox, servedDomains }: HostSettings, field: 'controlMailbox' | 'servedDomains'): void {
  const why = controlMailbox === undefined ? undefined : whyElsewhere(controlMailbox, servedDomains);
  if (controlMailbox === undefined || why === undefined) return;
  const kept = `must keep ${domainOf(controlMailbox)}, since the control mailbox ${controlMailbox} is there: name another controlMailbox with this change, or null for postmaster`;
  throw invalid([{ field, message: field === 'servedDomains' ? kept : why }]);
}

function checkPorts({ probePorts }: Acting, ports: readonly number[]): void {
  const errors = ports.flatMap((port, index) =>
    probePorts.includes(port)
      ? []
      : [{ field: `ports[${index}]`, message: `${port} is not a port that is probed here; known are ${probePorts.join(', ')}` }],
  );
  if (errors.length > 0) throw invalid(errors);
}

function noSuchHost(): Problem {
  return new Problem(404, 'There is no such host in this account.');
}
