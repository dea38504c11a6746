import type { Host } from '../../shared/domain/host.ts';
import type { AskAtDial, Refusal } from '../../shared/network/connect.ts';
import { type Gate, lookAtHost, refusalOf } from './permit-host.ts';

const CONSENT_MS = 55_000; // for how long what DNS said is consent: no older than a minute, of which a shared answer may have had a few seconds
const TABLE_MS = 1_000; // for how long a look at the table is good, at pauses and whether the host is there: sessions side by side share it
const TRIES = 3; // to have all answers fresh at once; a table that takes longer than a second each time is in trouble

/**
 * What is asked before every connection of a sitting: whether the host is still registered, and whether its address may still be
 * dialled, by the never-list, the pauses and consent that is no older than a minute. An address that was refused once is left alone
 * until the next sitting. `scanId` is given where the address speaks by being there, and for that scan alone.
 */
export function askingAtDial(host: Host, askedAt: number, gate: Gate, scanId?: string): AskAtDial {
  const refused = new Map<string, Refusal>();
  const paused = looks(gate.now, async (address) => (await gate.pausedAmong([address])).includes(address));
  const registered = looks(gate.now, () => gate.isRegistered(host));
  let consent = { at: askedAt, refusal: async (_address: string): Promise<Refusal | undefined> => undefined };

  const lookAgain = () => {
    const at = gate.now();
    const looked = lookAtHost(host, gate.lookAgain(), gate, scanId);
    return { at, refusal: async (address: string) => refusalOf(await looked, address) };
  };
  // Nobody speaks for a host that was removed.
  const isForbidden = async (address: string) => {
    const [isPaused, isThere] = await Promise.all([paused.at(address), registered.at(host.id)]);
    return isPaused || !isThere;
  };
  const isFresh = (address: string) => gate.now() - consent.at <= CONSENT_MS && paused.isFresh(address) && registered.isFresh(host.id);
  // The slowest first, and what needs no wait last. What was asked first may be too old once the last has answered.
  const ask = async (address: string): Promise<Refusal | undefined> => {
    for (let tries = 0; tries < TRIES; tries++) {
      if (gate.now() - consent.at > CONSENT_MS) consent = lookAgain();
      const refusal = (await consent.refusal(address)) ?? ((await isForbidden(address)) ? 'vetoed' : undefined);
      if (refusal !== undefined) return refusal;
      if (gate.isVetoed(host.settings.name) || gate.isVetoed(address)) return 'vetoed';
      if (isFresh(address)) return undefined;
    }
    return 'out-of-time';
  };
  return async (address) => {
    const refusal = refused.get(address) ?? (await ask(address));
    if (refusal !== undefined) refused.set(address, refusal);
    return refusal;
  };
}

// Answers of the table, each of which is good for a while.
function looks(now: () => number, ask: (about: string) => Promise<boolean>) {
  const known = new Map<string, { readonly at: number; readonly answer: Promise<boolean> }>();
  const fresh = (about: string) => {
    const last = known.get(about);
    return last !== undefined && now() - last.at <= TABLE_MS ? last.answer : undefined;
  };
  return {
    isFresh: (about: string) => fresh(about) !== undefined,
    at(about: string): Promise<boolean> {
      const last = fresh(about);
      if (last !== undefined) return last;
      const look = { at: now(), answer: ask(about) };
      known.set(about, look);
      return look.answer;
    },
  };
}
