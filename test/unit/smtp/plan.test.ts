import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OUTCOMES, type Outcome, type TestResult } from '../../../shared/domain/scan.ts';
import { NEGATIVE_CONTROL, POSITIVE_CONTROL } from '../../../shared/domain/verdict.ts';
import { writeCommand } from '../../../shared/smtp/command.ts';
import { nextSession, type Progress, plannedTests, SESSION_BUDGET } from '../../../shared/smtp/plan.ts';
import { type Cast, RELAY_TESTS, type Trial } from '../../../shared/smtp/relay-tests.ts';

const CAST: Cast = {
  ourDomain: 'probe.example',
  canaryDomain: 'canary.example',
  hostName: 'mx.example.org',
  addressLiteral: '[192.0.2.1]',
  servedDomains: ['served.example'],
  localPart: 'relay-audit-01234567',
};
const NO_DOMAINS: Cast = { ...CAST, servedDomains: [] };

/** How a server answers the trials of one session: an outcome each; it hangs up where there are no more. */
type Server = (trials: readonly Trial[], session: number) => readonly Outcome[];

/** Runs the plan against a server until there is no further session. */
function audit(cast: Cast, server: Server): { sessions: Trial[][]; results: TestResult[] } {
  const sessions: Trial[][] = [];
  let progress: Progress = { results: [], sessions: 0, idle: 0 };
  for (let trials = nextSession(cast, progress); trials.length > 0; trials = nextSession(cast, progress)) {
    if (sessions.length > 50) throw new Error('it goes on for ever');
    sessions.push(trials);
    const answers = server(trials, sessions.length - 1);
    const news = trials.flatMap(({ id }, index): TestResult[] => {
      const outcome = answers[index];
      return outcome === undefined || outcome === 'not-run' ? [] : [{ test: id, outcome, stage: 'rcpt' }];
    });
    progress = { results: [...progress.results, ...news], sessions: progress.sessions + 1, idle: news.length > 0 ? 0 : progress.idle + 1 };
  }
  return { sessions, results: [...progress.results] };
}

const always =
  (outcome: Outcome): Server =>
  (trials) =>
    trials.map(() => outcome);

const ids = (trials: readonly { readonly id: string }[]) => trials.map(({ id }) => id);
const planned = (cast: Cast) => ids(plannedTests(cast));

describe('every session keeps within what default configurations let a stranger do', () => {
  const outcome = fc.constantFrom(...OUTCOMES);
  const server = fc.array(fc.array(outcome, { maxLength: 8 }), { maxLength: 12 }).map(
    (script): Server =>
      (_, session) =>
        script[session] ?? [],
  );

  test('whatever the server answers: at most eight trials, three of them odd, in at most eight sessions', () => {
    fc.assert(
      fc.property(server, fc.boolean(), (each, domains) => {
        const { sessions } = audit(domains ? CAST : NO_DOMAINS, each);
        expect(sessions.length).toBeLessThanOrEqual(8);
        for (const trials of sessions) {
          expect(trials.length).toBeLessThanOrEqual(SESSION_BUDGET.trials);
          expect(trials.filter(({ odd }) => odd).length).toBeLessThanOrEqual(SESSION_BUDGET.odd);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('whatever the server answers: nothing that has an answer is asked again', () => {
    fc.assert(
      fc.property(server, (each) => {
        const { results } = audit(CAST, each);
        expect(new Set(results.map((result) => result.test)).size).toBe(results.length);
      }),
      { numRuns: 300 },
    );
  });

  test('the budget is what Exim and Postfix allow by default', () => {
    expect(SESSION_BUDGET.trials).toBeLessThanOrEqual(8);
    expect(SESSION_BUDGET.odd).toBeLessThanOrEqual(3);
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

  test('by a server that hangs up after three trials', () => {
    const { results, sessions } = audit(CAST, (trials) => trials.slice(0, 3).map(() => 'refused'));
    expect(ids(sessions[1] ?? []).slice(0, 2)).toEqual(planned(CAST).slice(2, 4));
    expect(results).toHaveLength(planned(CAST).length + 1);
  });

  test('the postmaster is asked for first, so that a ban does not come before it', () => {
    expect(nextSession(CAST, { results: [], sessions: 0, idle: 0 })[0]?.id).toBe(POSITIVE_CONTROL);
  });

  test('the postmaster is asked for only where a domain is served', () => {
    expect(ids(audit(NO_DOMAINS, always('refused')).sessions.flat())).not.toContain(POSITIVE_CONTROL);
  });
});

describe('a server that gives no answers is not asked for ever', () => {
  test('one that drops every session is asked twice', () => {
    expect(audit(CAST, () => []).sessions).toHaveLength(2);
  });

  test('one that drops two sessions in a row later on is left', () => {
    expect(audit(CAST, (trials, session) => (session === 0 ? trials.map(() => 'refused') : [])).sessions).toHaveLength(3);
  });

  test('one that answers one trial a session is left after eight', () => {
    const { sessions, results } = audit(CAST, () => ['refused']);
    expect(sessions).toHaveLength(8);
    expect(results).toHaveLength(8);
  });

  test('an idle session between two good ones does not end the audit', () => {
    const { results } = audit(CAST, (trials, session) => (session % 2 === 1 ? [] : trials.map(() => 'refused')));
    expect(results).toHaveLength(planned(CAST).length + 1);
  });
});

describe('negative controls', () => {
  const negatives = (server: Server, cast: Cast = CAST) =>
    ids(audit(cast, server).sessions.flat()).filter((id) => id.startsWith(NEGATIVE_CONTROL));
  const accepting =
    (...accepted: readonly string[]): Server =>
    (trials) =>
      trials.map(({ id }) => (accepted.includes(id) ? 'accepted' : 'refused'));

  test('nothing accepted needs none', () => {
    expect(negatives(always('refused'))).toEqual([]);
  });

  test('an accepted postmaster needs none', () => {
    expect(negatives(accepting(POSITIVE_CONTROL))).toEqual([]);
  });

  test('an accepted test has one of its own form', () => {
    expect(negatives(accepting('percent-literal'))).toEqual([`${NEGATIVE_CONTROL}percent-literal`]);
  });

  test('two accepted tests of one kind share one', () => {
    expect(negatives(accepting('percent-server', 'percent-literal'))).toEqual([`${NEGATIVE_CONTROL}percent-server`]);
  });

  test('a server that accepts everything has three, of three kinds', () => {
    const controls = negatives(always('accepted'));
    const kinds = controls.map((id) => RELAY_TESTS.find((each) => `${NEGATIVE_CONTROL}${each.id}` === id)?.kind);
    expect(controls).toHaveLength(3);
    expect(new Set(kinds).size).toBe(3);
  });

  test('they wait until every planned test has its answer', () => {
    const { sessions } = audit(CAST, always('accepted'));
    const all = ids(sessions.flat());
    expect(all.findIndex((id) => id.startsWith(NEGATIVE_CONTROL))).toBe(planned(CAST).length + 1);
  });

  test('where no domain is served there are none, for no local user can be invented', () => {
    expect(negatives(always('accepted'), NO_DOMAINS)).toEqual([]);
  });
});

test('no control is planned whose command would be too long for SMTP', () => {
  const long = (first: string) => `${first}${'a'.repeat(60)}.`.repeat(4).slice(0, 249).concat('.de');
  const cast: Cast = { ...CAST, hostName: long('m'), servedDomains: [long('s')] };
  // Accepted is what puts host and domain into one address.
  const oddly: Server = (trials) => trials.map(({ id }) => (/^(quoted|percent|double-at|bang)-/.test(id) ? 'accepted' : 'refused'));
  const { sessions } = audit(cast, oddly);
  for (const trial of sessions.flat()) {
    const { from, to } = trial.envelope(long('g'));
    expect(writeCommand({ verb: 'MAIL', path: from })).toMatch(/\r\n$/);
    expect(writeCommand({ verb: 'RCPT', path: to })).toMatch(/\r\n$/);
  }
  expect(ids(sessions.flat()).some((id) => id.startsWith(NEGATIVE_CONTROL))).toBe(false);
});
