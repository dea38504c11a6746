import type { LookCut } from '../domain/consent.ts';
import { BESIDE_LIMIT, QUESTIONS_AT_ONCE, QUESTIONS_LIMIT } from '../domain/look-bounds.ts';
import { type Found, type Lookups, SERVERS_LIMIT, SERVERS_QUESTIONS } from './lookups.ts';

/** Why a question was not asked: it is beyond what one look may ask. */
export const UNASKED = 'EUNASKED';

const UNKNOWN = { kind: 'trouble', why: UNASKED } as const; // a server that was not asked has not said that there is nothing

/** One look at the DNS of one host, within its bounds. */
export type Look = {
  readonly lookups: Lookups;
  /** What it went beyond, so far. */
  readonly cut: () => LookCut | undefined;
  /** Stops its clock. */
  readonly end: () => void;
};

/**
 * Begins a look: so many questions, so many of them at once, in so much time. What is asked beyond that gets no answer, and the
 * look is cut. One question counts once, however often it is asked.
 */
export function startLook(from: Lookups, limitMs: number): Look {
  const { unsignedServers, textsAt } = from;
  const asked = new Map<string, Promise<unknown>>();
  const turns = takingTurns(QUESTIONS_AT_ONCE);
  let left = QUESTIONS_LIMIT;
  let besideLeft = BESIDE_LIMIT;
  let unanswered = 0;
  let cut: LookCut | undefined;
  let over = false;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Found<never>>((give) => {
    timer = setTimeout(() => {
      over = true;
      if (unanswered > 0) cut ??= 'time';
      give({ kind: 'trouble', why: 'no answer' });
    }, limitMs);
  });
  const answer = async <T>(cost: number, ask: () => Promise<Found<T>>): Promise<Found<T>> => {
    if (cost > left) {
      cut = 'questions';
      return { kind: 'trouble', why: UNASKED };
    }
    left -= cost;
    if (over) cut ??= 'time';
    unanswered++;
    const found = await Promise.race([late, turns(() => (over ? late : ask()))]);
    unanswered--;
    return found;
  };
  // What only makes a proof appear sooner: without its answer nothing is cut.
  const beside = async <T>(cost: number, ask: () => Promise<Found<T>>): Promise<Found<T>> => {
    if (over || cost > besideLeft) return UNKNOWN;
    besideLeft -= cost;
    return await Promise.race([late, ask()]);
  };
  const once = <T>(question: string, cost: number, ask: () => Promise<Found<T>>, within = answer): Promise<Found<T>> => {
    const known = asked.get(question) as Promise<Found<T>> | undefined; // what was asked under this name gave this kind of answer
    const answered = known ?? within(cost, ask);
    asked.set(question, answered);
    return answered;
  };
  return {
    lookups: {
      addresses: (name) => once(`A ${name}`, 2, () => from.addresses(name)), // A and AAAA
      texts: (name) => once(`TXT ${name}`, 1, () => from.texts(name)),
      names: (address) => once(`PTR ${address.text}`, 1, () => from.names(address)),
      mailServers: (domain) => once(`MX ${domain}`, 1, () => from.mailServers(domain)),
      // All servers of a place are paid for at once: some of them alone could not be said to agree, or not to.
      unsignedServers:
        unsignedServers && ((name) => once(`NS ${name}`, SERVERS_QUESTIONS + SERVERS_LIMIT, () => unsignedServers(name), beside)),
      textsAt: textsAt && ((server, name) => once(`TXT ${name} ${server.text}`, 0, () => textsAt(server, name), beside)),
    },
    cut: () => cut,
    end: () => clearTimeout(timer),
  };
}

// Runs so many at once; the others wait in the order in which they came.
function takingTurns(atOnce: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let free = atOnce;
  return async (work) => {
    if (free > 0) free--;
    else await new Promise<void>((begin) => waiting.push(begin));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free++;
      else next();
    }
  };
}
