import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OUTCOMES, type Outcome, type TestResult } from '../../../shared/domain/scan.ts';
import { NEGATIVE_CONTROL, POSITIVE_CONTROL } from '../../../shared/domain/verdict.ts';
import { budgetFor } from '../../../shared/smtp/budget.ts';
import { writeCommand } from '../../../shared/smtp/command.ts';
import { type Cast, ownSender } from '../../../shared/smtp/envelope-forms.ts';
import {
  advance,
  BEGIN,
  nextSession,
  nextSessions,
  type Progress,
  plannedTests,
  type Scope,
  waitBefore,
} from '../../../shared/smtp/plan.ts';
import { relayTests, XCLIENT_TEST } from '../../../shared/smtp/relay-tests.ts';
import type { Greeting, SessionEvidence, Transaction } from '../../../shared/smtp/session.ts';
import { runs } from '../../support/searches.ts';

const CAST: Cast = {
  ourDomain: 'probe.example',
  senderDomain: 'probe.example',
  canaryDomain: 'canary.example',
  hostName: 'mx.example.org',
  addressLiteral: '[192.0.2.1]',
  servedDomains: ['served.example'],
  localPart: 'relay-audit-01234567',
  srsDay: 20_000,
};
const NO_DOMAINS: Cast = { ...CAST, servedDomains: [] };
const ODD = new Set(
  relayTests(CAST, undefined).flatMap(({ id, odd, sender, negative }) => (!odd ? [] : sender === 'us' ? [id, negative.id] : [id])),
);

/** How a server answers one session: an outcome for each envelope in order, for messages too; it hangs up where there are no more. */
type Server = (ids: readonly string[], session: number, kind: 'envelopes' | 'messages') => readonly Outcome[];

type Played = { readonly kind: 'envelopes' | 'messages'; readonly transactions: readonly Transaction[] };

/** Runs the plan against a server until there is no further session. */
function audit(cast: Cast, server: Server, { greeting = {}, keywords = ['SIZE'], scope = 'full' as Scope, from = BEGIN } = {}) {
  const sessions: Played[] = [];
  let progress: Progress = from;
  for (let next = nextSession(cast, scope, progress); next !== undefined; next = nextSession(cast, scope, progress)) {
    if (sessions.length > 400) throw new Error('it goes on for ever');
    const transactions =
      next.kind === 'envelopes' ? withoutControlAgain(next.choose(greeting)) : next.tests.map((each) => messageOf(each.id));
    sessions.push({ kind: next.kind, transactions });
    const evidence = answered(next.kind, transactions, server(idsOf(transactions), sessions.length - 1, next.kind), greeting, keywords);
    progress = advance(progress, evidence);
  }
  return { sessions, results: [...progress.results], progress };
}

function messageOf(id: string): Transaction {
  return { ehlo: 'probe.example', from: '<>', recipients: [{ id, to: '<x@canary.example>' }], canary: { id: `canary-${id}`, message: '' } };
}

function answered(
  kind: Played['kind'],
  transactions: readonly Transaction[],
  outcomes: readonly Outcome[],
  greeting: Greeting,
  keywords: readonly string[],
): SessionEvidence {
  const stage = kind === 'messages' ? 'message' : 'rcpt';
  const results = transactions
    .flatMap(({ recipients, canary }) => recipients.map(({ id }) => ({ id, canary: canary?.id })))
    .map(({ id, canary }, index): TestResult => {
      const outcome = outcomes[index] ?? 'not-run';
      return { test: id, outcome, stage, canary: outcome === 'accepted' ? canary : undefined };
    });
  const cutShort = results.some(({ outcome }) => outcome === 'not-run') ? 'closed' : undefined;
  return { contact: 'answered', results, cutShort, greeting, keywords };
}

const idsOf = (transactions: readonly Transaction[]) =>
  withoutControlAgain(transactions).flatMap(({ recipients }) => recipients.map(({ id }) => id));
// The postmaster asked for once more behind the others, who is no envelope to be settled.
const withoutControlAgain = (transactions: readonly Transaction[]) =>
  transactions.filter(({ recipients }) => !recipients.some(({ id }) => id === `${POSITIVE_CONTROL}:again`));
const always =
  (outcome: Outcome): Server =>
  (ids) =>
    ids.map(() => outcome);
const planned = (cast: Cast) => plannedTests(cast, 'full', {}).map(({ id }) => id);
const SOFTWARE = [undefined, 'postfix', 'exim', 'sendmail', 'opensmtpd', 'haraka'] as const;
const greetingOf = (mta: (typeof SOFTWARE)[number]): Greeting => (mta === undefined ? {} : { software: { mta, from: 'greeting' } });

describe('every session keeps within what default configurations let a stranger do', () => {
  const server = fc.array(fc.array(fc.constantFrom(...OUTCOMES), { maxLength: 20 }), { maxLength: 30 }).map(
    (script): Server =>
      (_, session) =>
        script[session] ?? [],
  );

  test('whatever the server is and answers: refusals, odd forms, resets and recipients stay within its budget', () => {
    fc.assert(
      fc.property(server, fc.constantFrom(CAST, NO_DOMAINS), fc.constantFrom(...SOFTWARE), (each, cast, mta) => {
        const budget = budgetFor(mta);
        for (const { kind, transactions } of audit(cast, each, { greeting: greetingOf(mta) }).sessions) {
          if (kind === 'messages') continue;
          const names = new Set(transactions.map(({ ehlo }) => ehlo));
          names.delete('probe.example');
          expect(idsOf(transactions).length).toBeLessThanOrEqual(budget.refusals);
          expect(idsOf(transactions).filter((id) => ODD.has(id)).length).toBeLessThanOrEqual(budget.odd);
          expect(transactions.length - 1 + names.size).toBeLessThanOrEqual(budget.resets + 1);
          for (const { recipients } of transactions) expect(recipients.length).toBeLessThanOrEqual(budget.recipients);
        }
      }),
      { numRuns: runs(200, 2_000) },
    );
  });

  test('whatever the server answers: nothing that has an answer is asked again, but for a canary', () => {
    fc.assert(
      fc.property(server, (each) => {
        const { sessions, results } = audit(CAST, each);
        expect(new Set(results.map((result) => result.test)).size).toBe(results.length);
        const envelopes = sessions.filter(({ kind }) => kind === 'envelopes').flatMap(({ transactions }) => idsOf(transactions));
        const answeredTwice = envelopes.filter((id, index) => envelopes.indexOf(id) !== index);
        for (const id of answeredTwice) expect(sessions.length).toBeGreaterThan(envelopes.filter((other) => other === id).length - 1);
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ['an unknown server', undefined, { refusals: 9, odd: 3, resets: 8 }],
    ['Postfix', 'postfix', { refusals: 9, odd: 20, resets: 99 }],
    ['Exim', 'exim', { refusals: 100, odd: 3, resets: 8 }],
  ] as const)('the budget of %s is what it allows by default', (_, mta, allowed) => {
    const budget = budgetFor(mta);
    for (const key of ['refusals', 'odd', 'resets'] as const) expect(budget[key]).toBeLessThanOrEqual(allowed[key]);
  });

  test('a session that was cut short makes the next one smaller', () => {
    const { sessions } = audit(CAST, (ids) => ids.slice(0, 5).map(() => 'refused'));
    expect(idsOf(sessions[1]?.transactions ?? []).length).toBe(4);
  });
});

describe('recipients share a transaction only where that changes no answer', () => {
  test('those of one sender and one EHLO name', () => {
    const first = audit(CAST, always('refused'), { greeting: greetingOf('exim') }).sessions[0]?.transactions ?? [];
    const shared = first.filter(({ recipients }) => recipients.length > 1);
    expect(shared.length).toBeGreaterThan(0);
    const pairs = first
      .filter(({ from, recipients }) => from !== '<>' && recipients[0]?.id !== POSITIVE_CONTROL)
      .map(({ ehlo, from }) => `${ehlo} ${from}`);
    expect(new Set(pairs).size).toBe(pairs.length);
  });

  test('a bounce has one recipient, and the postmaster is asked for alone', () => {
    const transactions = audit(CAST, always('refused'), { greeting: greetingOf('sendmail') }).sessions.flatMap((each) => each.transactions);
    for (const { from, recipients } of transactions)
      if (from === '<>' || recipients.some(({ id }) => id === POSITIVE_CONTROL)) expect(recipients).toHaveLength(1);
  });
});

describe('every planned test is done', () => {
  test.each([
    ['with served domains', CAST],
    ['without', NO_DOMAINS],
  ])('by a server that refuses everything, %s', (_, cast) => {
    const { results } = audit(cast, always('refused'));
    expect(new Set(results.map((result) => result.test))).toEqual(
      new Set([...(cast.servedDomains.length > 0 ? [POSITIVE_CONTROL] : []), ...planned(cast)]),
    );
  });

  test('by a server that hangs up after three envelopes', () => {
    const { results } = audit(CAST, (ids) => ids.slice(0, 3).map(() => 'refused'));
    expect(results).toHaveLength(planned(CAST).length + 1);
  });

  test('by a server whose greeting has a name of its own, with that name too', () => {
    const { results } = audit(CAST, always('refused'), { greeting: { name: 'mx.other.example' } });
    expect(results.map(({ test: id }) => id)).toContain('percent-greeting');
  });

  test('the postmaster is asked for first, so that a ban does not come before it', () => {
    expect(idsOf(audit(CAST, always('refused')).sessions[0]?.transactions ?? [])[0]).toBe(POSITIVE_CONTROL);
  });

  test('a core names its tests, and no other is made', () => {
    const { results } = audit(CAST, always('refused'), { scope: ['plain', 'served-sender'] });
    expect(results.map(({ test: id }) => id)).toEqual([POSITIVE_CONTROL, 'plain', 'served-sender', XCLIENT_TEST]);
  });
});

describe('XCLIENT', () => {
  test('that is not offered is a test refused, without a session', () => {
    const { sessions, results } = audit(CAST, always('refused'));
    expect(sessions.flatMap(({ transactions }) => idsOf(transactions))).not.toContain(XCLIENT_TEST);
    expect(results.find(({ test: id }) => id === XCLIENT_TEST)).toMatchObject({ outcome: 'refused', stage: 'ehlo' });
  });

  test('that is offered is claimed in a session of its own, after all others', () => {
    const { sessions } = audit(CAST, always('refused'), { keywords: ['XCLIENT NAME ADDR'] });
    expect(idsOf(sessions.at(-1)?.transactions ?? [])).toEqual([XCLIENT_TEST]);
  });
});

describe('a server that gives no answers is not asked for ever', () => {
  test('one that drops every session is asked twice', () => {
    expect(audit(CAST, () => []).sessions).toHaveLength(2);
  });

  test('one that drops two sessions in a row later on is left', () => {
    expect(audit(CAST, (ids, session) => (session === 0 ? ids.map(() => 'refused') : [])).sessions).toHaveLength(3);
  });

  test('one that answers one envelope a session is left after a hundred', () => {
    expect(audit({ ...CAST, servedDomains: ['a.example', 'b.example', 'c.example'] }, () => ['refused']).sessions).toHaveLength(100);
  });

  test('an idle session between two good ones does not end the audit', () => {
    const { results } = audit(CAST, (ids, session) => (session % 2 === 1 ? [] : ids.map(() => 'refused')));
    expect(results).toHaveLength(planned(CAST).length + 1);
  });
});

describe('negative controls', () => {
  const negatives = (server: Server, cast: Cast = CAST) =>
    audit(cast, server)
      .sessions.flatMap(({ transactions }) => idsOf(transactions))
      .filter((id) => id.startsWith(NEGATIVE_CONTROL));
  const accepting =
    (...accepted: readonly string[]): Server =>
    (ids) =>
      ids.map((id) => (accepted.includes(id) ? 'accepted' : 'refused'));

  test('nothing accepted needs none', () => {
    expect(negatives(always('refused'))).toEqual([]);
  });

  test('an accepted postmaster needs none', () => {
    expect(negatives(accepting(POSITIVE_CONTROL))).toEqual([]);
  });

  test('an accepted test has one of its own form and name', () => {
    expect(negatives(accepting('percent-literal'))).toEqual([`${NEGATIVE_CONTROL}percent-srv-at-literal`]);
  });

  test('two accepted tests of other forms, or from other senders, have two', () => {
    expect(negatives(accepting('percent-served', 'percent-quoted'))).toHaveLength(2);
    expect(negatives(accepting('percent-served', 'local-percent-served'))).toEqual([
      `${NEGATIVE_CONTROL}percent-srv-at-served`,
      `${NEGATIVE_CONTROL}percent-srv-from-srv-at-served`,
    ]);
  });

  test('a server that accepts everything has three, of three forms', () => {
    const controls = negatives(always('accepted'));
    expect(controls).toHaveLength(3);
    expect(new Set(controls).size).toBe(3);
  });

  test('where no domain is served there are none, for no local user can be invented', () => {
    expect(negatives(always('accepted'), NO_DOMAINS)).toEqual([]);
  });
});

describe('a form that reads as a local part', () => {
  const local = relayTests(CAST, undefined).filter((each) => each.local);
  const isLocal = (id: string) => local.some((each) => each.id === id);
  const catchAll: Server = (ids) =>
    ids.map((id) => (isLocal(id) || id.startsWith(NEGATIVE_CONTROL) || id === POSITIVE_CONTROL ? 'accepted' : 'refused'));

  test('has a negative control for each form and name that was accepted, where no foreign recipient was', () => {
    const { results } = audit(CAST, catchAll);
    const asked = results.flatMap(({ test: id }) => (id.startsWith(NEGATIVE_CONTROL) ? [id] : []));
    expect(new Set(asked)).toEqual(new Set(local.map(({ negative }) => negative.id)));
  });

  test('has its own in a core scan too', () => {
    const { results } = audit(CAST, catchAll, { scope: ['plain', 'percent-served'] });
    expect(results.map(({ test: id }) => id)).toContain(`${NEGATIVE_CONTROL}percent-srv-at-served`);
  });

  test('is carried through only once its negative control has an answer', () => {
    const { sessions } = audit(CAST, catchAll);
    const firstMessage = sessions.findIndex(({ kind }) => kind === 'messages');
    const lastControl = sessions.findLastIndex(({ transactions }) => idsOf(transactions).some((id) => id.startsWith(NEGATIVE_CONTROL)));
    expect(firstMessage).toBeGreaterThan(lastControl);
  });
});

describe('a server is taken as it is', () => {
  const advanced = (session: Partial<SessionEvidence>, before: Progress = BEGIN) =>
    advance(before, { contact: 'answered', results: [], greeting: {}, keywords: [], ...session });
  const refused = (test_: string, more: Partial<TestResult> = {}): TestResult => ({
    test: test_,
    outcome: 'refused',
    stage: 'rcpt',
    ...more,
  });
  const chosen = (progress: Progress) => {
    const next = nextSession(CAST, 'full', progress);
    return next?.kind === 'envelopes' ? next.choose({}) : [];
  };

  test('a foreign recipient that was accepted has its message before anything odd is asked, if the server has not said what it is', () => {
    const { sessions } = audit(CAST, (ids) => ids.map((id) => (id.startsWith(NEGATIVE_CONTROL) ? 'refused' : 'accepted')));
    const firstOdd = sessions.findIndex(({ transactions }) => idsOf(transactions).some((id) => ODD.has(id)));
    expect(sessions.findIndex(({ kind }) => kind === 'messages')).toBeLessThan(firstOdd);
  });

  test('one that has not said what it is hears nothing odd in its first session', () => {
    const [unknown, known] = [{}, greetingOf('postfix')].map((greeting) => {
      const next = nextSession(NO_DOMAINS, 'full', BEGIN);
      return next?.kind === 'envelopes' ? idsOf(next.choose(greeting)).filter((id) => ODD.has(id)) : [];
    });
    expect(unknown).toEqual([]);
    expect(known?.length).toBeGreaterThan(0);
  });

  test('one that takes nothing after a null sender is asked with null senders last, each in a session of its own', () => {
    const { nullAlone } = advanced({ spentByNull: true });
    const sessions = audit(CAST, always('refused'), { from: { ...BEGIN, nullAlone } }).sessions.map(({ transactions }) => transactions);
    const nulls = sessions.map((each) => each.filter(({ from }) => from === '<>').length);
    const firstNull = nulls.findIndex((count) => count > 0);
    for (const [index, count] of nulls.entries()) {
      expect(count).toBe(index < firstNull ? 0 : 1);
      if (index >= firstNull) expect(sessions[index]).toHaveLength(1);
    }
  });

  test('one that does not take RSET is asked one transaction a session', () => {
    const { noReset } = advanced({ noReset: true, cutShort: 'spent' });
    const { sessions } = audit(CAST, always('refused'), { from: { ...BEGIN, noReset } });
    for (const { transactions } of sessions) expect(transactions).toHaveLength(1);
  });

  test('an envelope at which it closed the connection is left for last, asked alone, and refused by a second closing', () => {
    const closing = { closedAt: ['plain'], cutShort: 'closed' } as const;
    const once = advanced({ ...closing, results: [refused('bang')] });
    expect(once.results.map(({ test: id }) => id)).not.toContain('plain');
    expect(idsOf(chosen(once))).not.toContain('plain');
    const rest = planned(CAST).filter((id) => id !== 'plain' && id !== XCLIENT_TEST);
    const last = { ...once, results: [POSITIVE_CONTROL, XCLIENT_TEST, ...rest].map((id) => refused(id, { reply: '554 no' })) };
    expect(idsOf(chosen(last))).toEqual(['plain']);
    expect(advanced(closing, last).results.find(({ test: id }) => id === 'plain')).toMatchObject({ outcome: 'refused', closings: 2 });
  });

  test('one that says 421 at an envelope has refused nothing, however often', () => {
    const said = { closedAt: ['plain'], cutShort: '421' } as const;
    expect(advanced(said, advanced(said, advanced(said))).results.map(({ test: id }) => id)).not.toContain('plain');
  });

  test('one whose limits met us is left alone longer each time, and at last until the next sitting', () => {
    const waits: (number | undefined)[] = [];
    let progress = advanced({ results: [refused('plain')], limited: true });
    for (let sessions = 0; sessions < 4; sessions++) {
      waits.push(waitBefore(progress));
      progress = advanced({ limited: true }, progress);
    }
    const known = waits.flatMap((wait) => wait ?? []);
    expect(known).toEqual(known.toSorted((a, b) => a - b));
    expect(waitBefore(progress)).toBeUndefined();
    expect(waitBefore(advanced({ results: [refused('bang')], limited: true }, progress))).toBe(waits[0]);
    expect(waitBefore(advanced({ results: [refused('bang')] }, progress))).toBe(0);
  });

  test('one that has greeted us and puts us off at the next greeting is full for now, and answered nothing', () => {
    const full = { limited: true, results: [refused('bang', { outcome: 'greylisted', stage: 'greeting' })] };
    const answeredIn = ({ results }: Progress) => results.map(({ test: id }) => id).filter((id) => id !== XCLIENT_TEST);
    expect(answeredIn(advanced(full))).toEqual(['bang']);
    const later = advanced(full, advanced({ results: [refused('plain')] }));
    expect(answeredIn(later)).toEqual(['plain']);
    expect(waitBefore(later)).toBeGreaterThan(0);
  });

  test('one that answered nothing of a group before it was taken for silent is asked two envelopes at a time', () => {
    const ids = planned(CAST).slice(0, 60);
    const mute = advanced({ cutShort: 'silent', results: ids.map((id) => refused(id, { outcome: 'not-run' })) });
    expect(idsOf(chosen(mute)).length).toBeLessThanOrEqual(2);
    const talks = advanced({ cutShort: 'silent', results: ids.map((id, index) => refused(id, index < 9 ? {} : { outcome: 'not-run' })) });
    expect(idsOf(chosen(talks)).length).toBeGreaterThan(2);
  });

  test('an envelope that meets a limit goes last, and is put off when it meets one again while others have answers', () => {
    const at = (id: string, before: Progress) => advanced({ limited: true, cutShort: 'limit', limitedAt: id }, before);
    const first = at('plain', advanced({ results: [refused('bang')] }));
    expect(idsOf(chosen(first))[0]).not.toBe('plain');
    const answers = advanced({ results: [refused('quoted')], limited: true }, first);
    expect(at('plain', answers).results.find(({ test: id }) => id === 'plain')?.outcome).toBe('deferred');
  });

  test('one that meets a limit at whatever is asked is left alone longer each time, and nothing is put off for it', () => {
    let progress = advanced({ results: [refused('bang')], limited: true });
    const waits: number[] = [];
    for (let wait = waitBefore(progress); wait !== undefined; wait = waitBefore(progress)) {
      waits.push(wait);
      progress = advanced({ limited: true, cutShort: 'limit', limitedAt: idsOf(chosen(progress))[0] }, progress);
    }
    expect(waits).toEqual(waits.toSorted((a, b) => a - b));
    expect(waits.length).toBeLessThanOrEqual(4);
    expect(progress.results.filter(({ outcome }) => outcome === 'deferred')).toEqual([]);
  });

  test('a message that its limit keeps has every other turn, and waits longer each time', () => {
    const rest = planned(CAST).slice(0, 4);
    let progress = advanced({ results: [refused('plain', { outcome: 'accepted' }), ...rest.slice(1).map((id) => refused(id))] });
    const kinds: (string | undefined)[] = [];
    for (let wait = waitBefore(progress); wait !== undefined; wait = waitBefore(progress)) {
      const next = nextSession(CAST, 'full', progress);
      kinds.push(next?.kind);
      progress = advanced({ limited: true, cutShort: 'limit', limitedAt: next?.kind === 'messages' ? 'plain' : 'bang' }, progress);
    }
    expect(kinds).toEqual(['messages', 'messages', 'envelopes', 'messages']);
    expect(progress.results.find(({ test: id }) => id === 'plain')?.outcome).toBe('accepted');
  });

  test('one that meets us with limits is asked in one session at a time', () => {
    const many = advanced({ results: [refused('plain')], greeting: greetingOf('postfix') });
    expect(nextSessions(CAST, 'full', many).length).toBeGreaterThan(1);
    expect(nextSessions(CAST, 'full', advanced({ results: [refused('bang')], limited: true }, many))).toHaveLength(1);
  });

  test('one that delays its refusals is asked in more sessions at once', () => {
    const exchange: Greeting = { software: { mta: 'exchange', from: 'greeting' } };
    const at = (refusalMs: number) =>
      nextSessions(CAST, 'full', advanced({ results: [refused('plain')], greeting: exchange, refusalMs })).length;
    expect(at(10)).toBe(1);
    expect(at(5_000)).toBeGreaterThanOrEqual(6);
  });

  test('one that delayed a session’s refusals is slow, though it is quick with those of another', () => {
    const slow = advanced({ results: [refused('plain')], refusalMs: 5_000 });
    expect(advanced({ results: [refused('bang')], refusalMs: 10 }, slow).refusalMs).toBe(5_000);
  });

  test('a sender that must authenticate first is asked for no other recipient, and other senders and names are', () => {
    const told = refused('plain', { outcome: 'authentication-required', stage: 'mail', from: ownSender(CAST) });
    const next = nextSession(CAST, 'full', { ...BEGIN, results: [told] });
    const transactions = next?.kind === 'envelopes' ? next.choose(greetingOf('haraka')) : [];
    expect(transactions.length).toBeGreaterThan(10);
    expect(transactions.filter(({ ehlo, from }) => ehlo === CAST.ourDomain && from === ownSender(CAST))).toEqual([]);
    expect(transactions.map(({ ehlo }) => ehlo)).toContain('localhost');
  });
});

describe('what was accepted is carried through', () => {
  const messages = (server: Server) =>
    audit(CAST, server)
      .sessions.filter(({ kind }) => kind === 'messages')
      .map(({ transactions }) => idsOf(transactions));
  const atRcpt = (taken: readonly string[], atTheDot: Outcome) => {
    const { sessions, results } = audit(CAST, (ids, _, kind) =>
      ids.map((id) => (kind === 'messages' ? atTheDot : taken.includes(id) ? 'accepted' : 'refused')),
    );
    return { results, carried: sessions.filter(({ kind }) => kind === 'messages').flatMap(({ transactions }) => idsOf(transactions)) };
  };

  test('three of it, different in kind, and no more once they are through', () => {
    const [first = [], ...rest] = messages((ids) => ids.map((id) => (id.startsWith(NEGATIVE_CONTROL) ? 'refused' : 'accepted')));
    const kinds = first.map((id) => relayTests(CAST, undefined).find((each) => each.id === id)?.kind);
    expect(first).toHaveLength(3);
    expect(new Set(kinds).size).toBe(3);
    expect(rest).toEqual([]);
  });

  test('24 of it where anything is accepted, each sender and each name once: only a canary tells which form is let through', () => {
    const carried = messages(always('accepted')).flat();
    const tests = relayTests(CAST, undefined);
    const through = tests.filter(({ id }) => carried.includes(id));
    const unasked = (trait: (test: (typeof tests)[number]) => string) => {
      const asked = new Set(through.map(trait));
      const all = new Set(tests.filter(({ kind, local }) => kind !== 'xclient' && !local).map(trait));
      return [...all].filter((each) => !asked.has(each));
    };
    expect(carried).toHaveLength(24);
    expect(unasked(({ sender }) => sender)).toEqual([]);
    expect(unasked(({ ehloForm }) => ehloForm)).toEqual([]);
  });

  test('a refusal after the dot settles its own test, and the next is tried', () => {
    const { carried, results } = atRcpt(['plain', 'percent-server'], 'refused');
    expect(carried.toSorted()).toEqual(['percent-server', 'plain']);
    expect(results.filter(({ outcome }) => outcome === 'accepted')).toEqual([]);
  });

  test('nothing is carried through that was refused', () => {
    expect(messages(always('refused'))).toEqual([]);
  });
});

describe('sessions are held side by side', () => {
  const progressed = (mta: (typeof SOFTWARE)[number], more: Partial<Progress> = {}): Progress => ({
    ...BEGIN,
    results: [{ test: 'plain', outcome: 'refused', stage: 'rcpt' }],
    sessions: 1,
    greeting: greetingOf(mta),
    ...more,
  });
  const round = (progress: Progress) =>
    nextSessions(CAST, 'full', progress).map((next) => (next.kind === 'envelopes' ? idsOf(next.choose(progress.greeting)) : []));

  test('only with servers that take many connections of one client, each with envelopes of its own', () => {
    const sessions = round(progressed('postfix'));
    expect(sessions.length).toBeGreaterThan(1);
    expect(new Set(sessions.flat()).size).toBe(sessions.flat().length);
    for (const mta of [undefined, 'exim'] as const) expect(round(progressed(mta))).toHaveLength(1);
  });

  test.each<[string, Progress]>([
    ['before the server has said what it is', BEGIN],
    ['after a session that was cut short', progressed('postfix', { cap: 4 })],
    ['after a session that completed nothing', progressed('postfix', { idle: 1 })],
  ])('not %s', (_, progress) => {
    expect(round(progress)).toHaveLength(1);
  });
});

describe('the postmaster is asked for once more behind the envelopes of a session', () => {
  const refused = (ids: readonly string[], again: Outcome, before: Progress = BEGIN) => {
    const result = (id: string, outcome: Outcome): TestResult => ({ test: id, outcome, stage: 'rcpt' });
    const results = [
      result(POSITIVE_CONTROL, 'accepted'),
      ...ids.map((id) => result(id, 'refused')),
      result(`${POSITIVE_CONTROL}:again`, again),
    ];
    return advance(before, { contact: 'answered', results, greeting: {}, keywords: [] });
  };
  const settled = ({ results }: Progress) => results.filter(({ test: id }) => id === 'plain' || id === 'bang').length;

  test('who is still accepted: the refusals before are about relaying', () => {
    expect(settled(refused(['plain', 'bang'], 'accepted'))).toBe(2);
  });

  test.each(['refused', 'about-us', 'deferred'] as const)(
    'who is %s by now: the refusals before may be about us, and settle nothing',
    (again) => {
      const progress = refused(['plain', 'bang'], again);
      expect(settled(progress)).toBe(0);
      expect(settled(refused(['plain', 'bang'], again, progress))).toBe(0);
    },
  );
});

test('a recipient that was accepted is not unsaid by a later refusal of it, but by one of its message', () => {
  const said = (outcome: Outcome, stage: TestResult['stage'], before: Progress) =>
    advance(before, { contact: 'answered', results: [{ test: 'plain', outcome, stage }], greeting: {}, keywords: [] });
  const outcomeOf = ({ results }: Progress) => results.find(({ test: id }) => id === 'plain')?.outcome;
  const accepted = said('accepted', 'rcpt', BEGIN);
  for (const outcome of ['refused', 'deferred', 'about-us', 'greylisted'] as const)
    for (const stage of ['mail', 'rcpt'] as const) expect(outcomeOf(said(outcome, stage, accepted))).toBe('accepted');
  expect(outcomeOf(said('refused', 'message', accepted))).toBe('refused');
});

test('the name in the first greeting stands for the leg, whatever later ones say', () => {
  const greeted = (name: string | undefined, before: Progress) =>
    advance(before, { contact: 'answered', results: [], greeting: { name }, keywords: [] });
  expect(greeted('two.example', greeted(undefined, greeted('one.example', BEGIN))).greeting.name).toBe('one.example');
});

test('no command that is planned would be too long for SMTP', () => {
  const long = (first: string) => `${first}${'a'.repeat(60)}.`.repeat(4).slice(0, 249).concat('.de');
  const cast: Cast = { ...CAST, hostName: long('m'), servedDomains: [long('s')] };
  const { sessions } = audit(cast, always('accepted'), { greeting: { name: long('g') } });
  for (const { ehlo, from, recipients } of sessions.flatMap(({ transactions }) => transactions)) {
    expect(writeCommand({ verb: 'EHLO', name: ehlo })).toMatch(/\r\n$/);
    expect(writeCommand({ verb: 'MAIL', path: from })).toMatch(/\r\n$/);
    for (const { to } of recipients) expect(writeCommand({ verb: 'RCPT', path: to })).toMatch(/\r\n$/);
  }
});
