import { registerHostRequest } from '../contract/requests.ts';
import { type Address, parseAddress } from '../domain/address.ts';
import { isOperators } from '../domain/consent.ts';
import type { Host } from '../domain/host.ts';
import { oneSpelling } from '../domain/host-name.ts';
import { PRESENCE_MS, PRESENCE_PORTS } from '../domain/presence.ts';
import { kindOf, type OwedScan, type ScanRef } from '../domain/scan.ts';
import { LONGEST_PERIOD } from '../domain/schedule.ts';
import { forbiddenBecause } from '../network/target-policy.ts';
import type { Acting } from './acting.ts';
import { allHosts } from './all-hosts.ts';
import { giveBack, spend } from './budgets.ts';
import { registerHost } from './hosts.ts';
import { Problem } from './problem.ts';
import { KnownServer } from './same-server.ts';
import { requestScan } from './scans.ts';

const CLAIM_MS = 30_000; // longer than the functions may run: after that its maker is gone
const TRIES = 12; // looks for the scan of another request of the same moment,
const WAIT_MS = 300; // so much apart: longer in all than the first look of a registration waits for DNS

/** A scan that an address has itself asked for, with the host that it is of, and until when it may be made by that. */
export type ScanHere = { readonly host: Host; readonly owed: OwedScan; readonly address: string; readonly until: number };

/** The address that a request comes from, or why a scan of it cannot be asked for from there. */
export type Source = { readonly text: string; readonly address: Address } | { readonly text: string; readonly why: string };

/** Reads where a request comes from. `sourceIp` is what the gateway saw of the connection; no header says it. */
export function readSource({ operatorNetworksOf, accountId }: Acting, sourceIp: string): Source {
  const address = parseAddress(sourceIp);
  if (address === undefined) return { text: sourceIp, why: 'It is no address that we can read.' };
  const why = isOperators(address, operatorNetworksOf(accountId)) ? undefined : forbiddenBecause(address);
  if (why !== undefined) return { text: address.text, why: `It is not a public address: ${why}.` };
  return { text: address.text, address };
}

/**
 * Owes one scan of the very address that the request comes from, which is that address's consent to it. The address is registered
 * as a host if it is not one of the account's yet.
 */
export async function scanHere(acting: Acting, sourceIp: string): Promise<ScanHere> {
  const source = readSource(acting, sourceIp);
  if ('why' in source) throw new Problem(422, `You come from ${source.text}. ${source.why} Ask from the server itself.`);
  const { address } = source;
  for (let tries = 0; tries < TRIES; tries++) {
    const scan =
      (await alone(acting, address, () => scanNow(acting, address))) ?? (await standingScan(acting, await hostOf(acting, address)));
    if (scan !== undefined) return scan;
    await acting.wait(WAIT_MS);
  }
  throw new Problem(409, 'This is being asked for already. Your hosts show the scan as soon as it is owed.', undefined, {
    'retry-after': '5',
  });
}

// Of requests in the same moment one alone may take from the budgets, since the others would take what they then do not need.
async function alone<T>({ store, clock, accountId }: Acting, { text }: Address, act: () => Promise<T>): Promise<T | undefined> {
  const request = { accountId, key: `here ${text}`, fingerprint: 'here' }; // the space keeps it from being anybody's Idempotency-Key
  const now = clock();
  const { kind } = await store.claimRequest(request, now, now + CLAIM_MS, now + CLAIM_MS);
  if (kind !== 'new') return undefined;
  try {
    return await act();
  } finally {
    await store.forgetRequest(request);
  }
}

async function scanNow(acting: Acting, address: Address): Promise<ScanHere> {
  try {
    return await scanOf(acting, address);
  } catch (error) {
    // It was registered in the meantime, as a host like any.
    if (error instanceof KnownServer) return scanOf(acting, address);
    throw error;
  }
}

async function scanOf(acting: Acting, address: Address): Promise<ScanHere> {
  const { text } = address;
  const host = await hostOf(acting, address);
  const standing = await standingScan(acting, host);
  if (standing !== undefined) return standing;
  const now = acting.clock();
  await spend(acting, 'here-account', acting.accountId, 'This account has asked for as many such scans as it may in a day.');
  try {
    await spend(acting, 'here', text, `${text} was scanned in this way as often as it may be in a day.`);
    try {
      return await owe(acting, address, host);
    } catch (error) {
      if (error instanceof Problem) await giveBack(acting, 'here', text, now);
      throw error;
    }
  } catch (error) {
    if (error instanceof Problem) await giveBack(acting, 'here-account', acting.accountId, now);
    throw error;
  }
}

async function owe(acting: Acting, { text }: Address, known: Host | undefined): Promise<ScanHere> {
  const until = acting.clock() + PRESENCE_MS;
  const note = ({ hostId, scanId }: ScanRef) => acting.store.notePresence({ hostId, scanId, address: text, until });
  if (known !== undefined) return { host: known, owed: await requestScan(acting, known, note), address: text, until };
  // As seldom as can be: by itself the schedule may scan nothing here.
  const ports = PRESENCE_PORTS.filter((port) => acting.probePorts.includes(port));
  const wish = registerHostRequest.parse({ name: text, period: LONGEST_PERIOD, ...(ports.length === 0 ? {} : { ports }) });
  const { host, first } = await registerHost(acting, wish, { kind: 'on-demand', before: note, same: 'name' });
  return { host, owed: first, address: text, until };
}

// A scan that was asked for in this way before, and is not finished.
async function standingScan({ store }: Acting, host: Host | undefined): Promise<ScanHere | undefined> {
  if (host === undefined) return undefined;
  const owed = (await store.owedOf(host.id)).find(({ scanId }) => kindOf(scanId) === 'on-demand');
  const presence = owed === undefined ? undefined : await store.findPresence(host.id, owed.scanId);
  if (owed === undefined || presence === undefined) return undefined;
  return { host, owed, address: presence.address, until: presence.until };
}

async function hostOf(acting: Acting, { text }: Address): Promise<Host | undefined> {
  for await (const hosts of allHosts(acting)) {
    const found = hosts.find(({ settings }) => oneSpelling(settings.name) === text);
    if (found !== undefined) return found;
  }
  return undefined;
}
