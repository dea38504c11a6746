import type { TestResult } from '../domain/scan.ts';
import { NEGATIVE_CONTROL } from '../domain/verdict.ts';
import { familyOf } from './envelope-forms.ts';
import { type RelayTest, XCLIENT_TEST } from './relay-tests.ts';

const MESSAGES = 3; // canaries that went past the final dot, different in kind: more would prove no more ...
const MESSAGES_OF_LOCAL = 10; // of forms that a server takes for local parts of its own, different in kind
const MESSAGES_OF_ANY = 24; // where anything is accepted only a canary tells which form is let through: each sender, name and recipient form once
const MESSAGES_OF_KNOWN = 2; // with each weekly table of a server that is known to take any local part

/** What is to be carried through next, the most telling first, and how many of them need to go through. */
export type MessagesToCarry = {
  readonly tests: readonly RelayTest[];
  readonly enough: number;
  /** Whether some were refused that were tried before. */
  readonly someRefused: boolean;
};

/**
 * What was accepted at RCPT and is still to be carried through to the final dot. Recipients at a foreign domain, and forms that only
 * routing explains, come before local parts of the server's own that any local part would stand for; among them each different sender
 * and EHLO before a second of the same. `most`: how many may go through in all, where the scan is no full table. `round`: the server
 * is known to take any local part; then two of those forms are sent, others with each round.
 */
export function messagesLeft(
  planned: readonly RelayTest[],
  results: readonly TestResult[],
  most: number | undefined,
  round: number | undefined,
  which: 'all' | 'suspicious',
): MessagesToCarry {
  const byId = new Map(results.map((result) => [result.test, result]));
  const outcomeOf = (id: string) => byId.get(id)?.outcome;
  const isTried = ({ id }: RelayTest) => wasTried(byId.get(id));
  const isThrough = (test: RelayTest) => isTried(test) && outcomeOf(test.id) === 'accepted';
  const isSuspicious = ({ local, negative }: RelayTest) => !local || isRefusal(outcomeOf(negative.id));
  const isLocal = ({ local, negative }: RelayTest) => local && outcomeOf(negative.id) === 'accepted';
  const anything = results.some(({ test, outcome }) => test.startsWith(NEGATIVE_CONTROL) && outcome === 'accepted');
  const tried = planned.filter(isTried);
  const through = tried.filter(isThrough).length;
  const waiting = planned.filter((test) => outcomeOf(test.id) === 'accepted' && !isTried(test));
  const someRefused = tried.length > through;
  const suspicious = waiting.filter(isSuspicious);
  const unclaimed = suspicious.filter(({ id }) => id !== XCLIENT_TEST);
  const enough = Math.max(
    0,
    (most ?? (anything ? MESSAGES_OF_ANY : MESSAGES)) - tried.filter((test) => isThrough(test) && isSuspicious(test)).length,
  );
  if (suspicious.length > 0 && enough > 0)
    return { tests: byDifference(unclaimed.length > 0 ? unclaimed : suspicious, tried), enough, someRefused };
  if (which === 'suspicious') return { tests: [], enough: 0, someRefused };
  const local = planned.filter((test) => isLocal(test) && (outcomeOf(test.id) === 'accepted' || isTried(test)));
  const chosen = round === undefined ? byKind(local).slice(0, MESSAGES_OF_LOCAL) : inRound(byKind(local), round);
  const left = chosen.filter((test) => !isTried(test));
  return { tests: left, enough: Math.max(0, Math.min(left.length, (most ?? MESSAGES_OF_LOCAL) - through)), someRefused };
}

function isRefusal(outcome: TestResult['outcome'] | undefined): boolean {
  return outcome === 'refused' || outcome === 'authentication-required';
}

function wasTried(result: TestResult | undefined): boolean {
  return result !== undefined && (result.canary !== undefined || result.stage === 'data' || result.stage === 'message');
}

function inRound(local: readonly RelayTest[], round: number): RelayTest[] {
  const start = local.length === 0 ? 0 : (round * MESSAGES_OF_KNOWN) % local.length;
  return [...local.slice(start), ...local].slice(0, Math.min(MESSAGES_OF_KNOWN, local.length));
}

// Each way to write an address into a local part once before any a second time, at a served domain and from our own sender where there is
// such: what decodes it for all decodes that one. SRS addresses are for bounces, and often decoded from the null sender only.
function byKind(local: readonly RelayTest[]): RelayTest[] {
  const kindOf = ({ form, sender, kind }: RelayTest) => `${familyOf(form)}${kind === 'srs' && sender === 'null' ? ' null' : ''}`;
  const odds = ({ place, sender, form }: RelayTest) =>
    4 * Number(place !== 'served' && place !== 'main') + 2 * Number(sender !== 'us') + Number(form !== familyOf(form));
  const seen = new Map<string, number>();
  const turn = new Map<RelayTest, number>();
  for (const test of local.toSorted((a, b) => odds(a) - odds(b))) {
    const count = seen.get(kindOf(test)) ?? 0;
    seen.set(kindOf(test), count + 1);
    turn.set(test, 2 * count + Number(test.sender === 'null'));
  }
  return local.toSorted((a, b) => (turn.get(a) ?? 0) - (turn.get(b) ?? 0));
}

// The next is always the one that differs most from all before it, the earlier in the table among equals.
function byDifference(tests: readonly RelayTest[], before: readonly RelayTest[]): RelayTest[] {
  const seen = new Set(before.flatMap(traits));
  const left = [...tests];
  const ordered: RelayTest[] = [];
  const news = (test: RelayTest) => traits(test).reduce((sum, trait, index) => sum + (seen.has(trait) ? 0 : (WEIGHTS[index] ?? 0)), 0);
  while (left.length > 0) {
    const best = left.reduce((a, b) => (news(b) > news(a) ? b : a));
    left.splice(left.indexOf(best), 1);
    for (const trait of traits(best)) seen.add(trait);
    ordered.push(best);
  }
  return ordered;
}

const WEIGHTS = [4, 4, 2, 1, 1];

function traits({ sender, ehloForm, form, kind, row }: RelayTest): string[] {
  return [`sender ${sender}`, `ehlo ${ehloForm}`, `form ${form}`, `kind ${kind}`, `row ${row}`];
}
