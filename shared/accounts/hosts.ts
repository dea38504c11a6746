import type * as z from 'zod';
import { type changeHostRequest, type registerHostRequest, smallEnough, tooLong } from '../contract/requests.ts';
import { domainOf, readControlMailbox, whyElsewhere } from '../domain/control-mailbox.ts';
import { type Host, type HostSettings, NEW_STATE } from '../domain/host.ts';
import { type OwedScan, scanId } from '../domain/scan.ts';
import { newId } from '../runtime/ids.ts';
import type { Registration } from '../store/audit-store.ts';
import type { Acting } from './acting.ts';
import { budgetOf, secondsLeft, spent } from './budgets.ts';
import { accountGone, ownAccount } from './own-account.ts';
import { invalid, Problem } from './problem.ts';
import { type Quotas, quotasOf } from './quotas.ts';
import { askRecipients, type NotAsked, whoIsUnconfirmed } from './recipients.ts';
import { adviceAtRegistration } from './registration.ts';

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
const EDIT_TRIES = 5; // times an edit or a removal is made again when another edit came between

/** The ports of a host that names none: those that are usual, as far as they are probed here. */
export function defaultPorts({ probePorts }: Pick<Acting, 'probePorts'>): number[] {
  return DEFAULT_PORTS.filter((port) => probePorts.includes(port));
}

/** What kind its first scan is of, what is done before that is owed, and whether another host of the account may be the same server. */
type Opening = {
  readonly kind: 'first' | 'on-demand';
  readonly before?: (first: OwedScan) => Promise<unknown>;
  readonly mayBeKnown?: boolean;
};

/** Registers a host and owes its first scan, within the quotas of the account. */
export async function registerHost(acting: Acting, wish: RegisterWish, opening: Opening = { kind: 'first' }): Promise<Registered> {
  checkPorts(acting, wish.ports ?? []);
  const now = acting.clock();
  const account = await ownAccount(acting);
  const quotas = quotasOf(account);
  if ((account.hosts ?? 0) >= quotas.hosts) throw tooManyHosts(quotas);
  const settings = {
    ...tidy({
      ...wish,
      ports: wish.ports ?? defaultPorts(acting),
      alertRecipients: wish.alertRecipients ?? [account.email],
    }),
    name: wish.name.toLowerCase(),
  };
  checkControl(settings, 'controlMailbox');
  const host: Host = {
    accountId: acting.accountId,
    id: newId(),
    createdAt: now,
    revision: 1,
    settings,
    state: NEW_STATE,
  };
  const first = { accountId: host.accountId, hostId: host.id, scanId: scanId(now, opening.kind), dueAt: now, tries: 0 };
  const [unconfirmed, told] = await Promise.all([
    whoIsUnconfirmed(acting, host.settings),
    adviceAtRegistration(acting, host.id, host.settings, opening.mayBeKnown),
  ]);
  await opening.before?.(first);
  const registrations = budgetOf('registrations', acting.accountId, quotas.registrationsADay);
  const registered = await acting.store.registerHost(host, first, { hosts: quotas.hosts, registrations });
  if (registered !== 'registered') throw notRegistered(registered, quotas, acting.clock());
  const notAsked = await askRecipients(acting, unconfirmed);
  return { host, first, unconfirmed, notAsked, told };
}

function notRegistered(why: Exclude<Registration, 'registered'>, quotas: Quotas, now: number): Problem {
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
      return new Problem(409, 'This account registers too many hosts at once. Register them one after the other.', undefined, {
        'retry-after': '1',
      });
  }
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
  if (host === undefined) throw new Problem(404, 'There is no such host in this account.');
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
  for (let tries = 0; tries < EDIT_TRIES; tries++) {
    const host = await findHost(acting, hostId);
    checkPorts(acting, wish.ports ?? []);
    check(host);
    const settings = changedSettings(host.settings, wish);
    const unconfirmed = await whoIsUnconfirmed(acting, settings);
    const edited = await acting.store.changeSettings(host, settings);
    if (edited === undefined) continue;
    const notAsked = wish.alertRecipients === undefined ? [] : await askRecipients(acting, unconfirmed);
    return { host: edited, unconfirmed, notAsked };
  }
  throw beingChanged();
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
  throw beingChanged();
}

/** Removes a host; its history is out of reach at once. */
export async function removeHost(acting: Acting, hostId: string): Promise<void> {
  const { id } = await findHost(acting, hostId);
  await removeIfThere(acting, id);
}

/** The same for a host that may be gone already. */
export async function removeIfThere({ store, accountId }: Pick<Acting, 'store' | 'accountId'>, hostId: string): Promise<void> {
  for (let tries = 0; tries < EDIT_TRIES; tries++) {
    const host = await store.findHost(accountId, hostId);
    if (host === undefined || (await store.removeHost(host))) return;
  }
  throw beingChanged();
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

function beingChanged(): Problem {
  return new Problem(409, 'The host is being changed by somebody else at the same time. Try again.');
}
