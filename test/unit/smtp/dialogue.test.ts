import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { writeCommand } from '../../../shared/smtp/command.ts';
import { converse } from '../../../shared/smtp/dialogue.ts';
import { BEGIN, nextSession } from '../../../shared/smtp/plan.ts';
import { replyLines } from '../../../shared/smtp/reply.ts';
import type { Heard, SessionEvidence, Transaction } from '../../../shared/smtp/session.ts';
import { runs } from '../../support/searches.ts';
import { BEGINNINGS } from '../../transcripts/beginnings.ts';
import { ENDINGS } from '../../transcripts/endings.ts';
import { ENVELOPES } from '../../transcripts/envelopes.ts';
import { FIRST_SESSION } from '../../transcripts/first-session.ts';
import { GROUPS } from '../../transcripts/groups.ts';
import { BESIDE, LIMITS } from '../../transcripts/limits.ts';
import { MESSAGES, STARTTLS } from '../../transcripts/messages.ts';
import { OUR_NAME, play, shown, TWO, transaction, wire } from '../../transcripts/transcript.ts';

describe.each(Object.entries({ BEGINNINGS, ENVELOPES, ENDINGS, GROUPS, BESIDE, LIMITS, MESSAGES, STARTTLS, FIRST: [FIRST_SESSION] }))(
  '%s',
  (_, sessions) => {
    test.each(sessions.map((session) => [session.rule, session] as const))('%s', (_rule, session) => {
      const { client, evidence } = play(session);
      expect(client).toBe(wire(session.client));
      expect(shown(evidence)).toEqual(session.shows);
      expect(evidence.contact).toBe(session.contact ?? 'answered');
      expect(evidence.cutShort).toBe(session.cutShort);
    });
  },
);

/** Runs a dialogue to its end on these arrivals; then the connection closes. What is said is told with the number of answers before it. */
function run(
  transactions: readonly Transaction[],
  arrivals: readonly Heard[],
): { said: { line: string; after: number }[]; evidence: SessionEvidence } {
  const said: { line: string; after: number }[] = [];
  const dialogue = converse({
    ourName: OUR_NAME,
    ourSender: `<relay-audit@${OUR_NAME}>`,
    transport: 'plain',
    xclient: false,
    cautious: false,
    help: false,
    enough: Number.POSITIVE_INFINITY,
    choose: () => transactions,
  });
  let heard = 0;
  let next = dialogue.next();
  while (!next.done) {
    if (next.value.kind === 'say') for (const command of next.value.commands) said.push({ line: writeCommand(command), after: heard });
    if (next.value.kind === 'send') said.push({ line: next.value.message, after: heard });
    next = dialogue.next(arrivals[heard++] ?? { kind: 'end', end: 'closed' });
  }
  return { said, evidence: next.value };
}

function reply(code: number, text = '', more: readonly string[] = []): Heard {
  const lines = [text, ...more];
  return { kind: 'reply', reply: { code, raw: lines.map((line) => `${code} ${line}`) } };
}

describe('a session says of its server', () => {
  const spoken = (...answers: readonly Heard[]) => run(TWO, [reply(220), reply(250), ...answers]).evidence;
  const bounce = transaction('null', '<y@canary.example>', { from: '<>' });
  const backwards = (...answers: readonly Heard[]) => run([bounce, ...TWO], [reply(220), reply(250), ...answers]).evidence;
  const [refused, limit] = [reply(550), reply(452, '4.5.3 Too many recipients')];

  test('that it takes no RSET, when it does not know it or closes at it, but not when it has had enough', () => {
    expect(spoken(reply(250), refused, reply(500))).toMatchObject({ noReset: true, cutShort: 'spent' });
    expect(spoken(reply(250), refused)).toMatchObject({ noReset: true, cutShort: 'closed', closedAt: [] });
    expect(spoken(reply(250), refused, reply(421))).toMatchObject({ noReset: false, cutShort: '421' });
  });

  test('that nothing follows a null sender, by a 503 there and nowhere else', () => {
    expect(backwards(reply(250), refused, reply(250), reply(503))).toMatchObject({ spentByNull: true, cutShort: 'spent' });
    expect(spoken(reply(250), refused, reply(250), reply(503))).toMatchObject({ spentByNull: false, cutShort: 'spent' });
    expect(spoken(reply(503), reply(250), refused)).toMatchObject({ spentByNull: false, cutShort: undefined });
    expect(backwards(reply(250), refused, reply(250), reply(503, '5.7.0 Authentication required')).spentByNull).toBe(false);
  });

  test('that a limit met it, and at which envelope where it came before any answer', () => {
    expect(spoken(reply(250), limit)).toMatchObject({ limited: true, limitedAt: 'first' });
    expect(spoken(limit)).toMatchObject({ limited: true, limitedAt: 'first' });
    expect(spoken(reply(250), refused, reply(250), limit)).toMatchObject({ limited: true, limitedAt: undefined });
    expect(spoken(reply(250), refused).limited).toBe(false);
  });

  test('at which envelope it closed the connection, or said 421', () => {
    expect(spoken(reply(250)).closedAt).toEqual(['first']);
    expect(spoken(reply(250), refused, reply(250), reply(250), reply(421)).closedAt).toEqual(['second']);
    expect(spoken(reply(250), { kind: 'end', end: 'silent' }).closedAt).toEqual([]);
  });

  test('how long its refusals kept us waiting, on average, with what was held back in front of them', () => {
    const waited = (waitedMs: number, code: number): Heard => ({ kind: 'reply', reply: { code, raw: [`${code} x`] }, waitedMs });
    expect(spoken(waited(9_000, 250), waited(1_000, 550), reply(250), reply(250), waited(6_000, 451)).refusalMs).toBe(8_000);
    expect(spoken(waited(10_000, 250), refused, reply(250), reply(250), refused).refusalMs).toBe(5_000);
    expect(spoken(reply(250), reply(250)).refusalMs).toBeUndefined();
  });

  test.each([
    [550, '5.1.1 User unknown', 'unknown-user'],
    [550, 'No such user here', 'unknown-user'],
    [550, '5.7.1 Relaying denied: user unknown here', 'no-relaying'],
    [454, '4.7.1 Relay access denied', 'no-relaying'],
    [550, '5.7.1 Rejected', undefined],
    [250, 'User unknown, but welcome', undefined],
  ] as const)('%d %s: it says %s', (code, text, says) => {
    expect(spoken(reply(250), reply(code, text)).results[0]?.says).toBe(says);
  });
});

describe('the greeting’s name goes back to its server as a plain DNS name, or not at all', () => {
  test.each([
    ['mx.example ESMTP', 'mx.example'],
    ['MX.Example.ORG', 'mx.example.org'],
    ['ESMTP', undefined],
    ['', undefined],
    ['[192.0.2.1] ready', undefined],
    ['192.0.2.1 ready', undefined],
    ['mx.example>\x00<x@victim.example ESMTP', undefined],
    ['mx.example\tESMTP', undefined],
    ['mx.example\rRSET', undefined],
    ['-mx.example', undefined],
    ['mx..example', undefined],
    ['m\xe9x.example', undefined],
    [`${'a'.repeat(64)}.example`, undefined],
    [`${'a.'.repeat(130)}example`, undefined],
  ])('%j', (greeting, name) => {
    expect(run(TWO, [reply(220, greeting), reply(250)]).evidence.greeting.name).toBe(name);
  });
});

test('a reply that is kept with a result has at most 512 characters', () => {
  const { evidence } = run(TWO, [reply(220), reply(250), reply(250), reply(550, 'x'.repeat(2_000))]);
  expect(evidence.results[0]?.reply).toHaveLength(512);
});

describe('whatever a server answers', () => {
  const cast = {
    ourDomain: OUR_NAME,
    senderDomain: OUR_NAME,
    canaryDomain: 'canary.example',
    hostName: undefined,
    addressLiteral: '[192.0.2.1]',
    servedDomains: ['served.example'],
    localPart: 'relay-audit-01234567',
    srsDay: 20_000,
  };
  const first = nextSession(cast, 'full', BEGIN);
  const envelopes = first?.kind === 'envelopes' ? first.choose({}) : [];
  const message = transaction('plain', '<x@canary.example>', { canary: { id: 'canary1', message: 'Subject: test\r\n\r\n.\r\n' } });
  const SESSIONS = {
    envelopes,
    messages: [message, { ...message, from: '<>', recipients: [{ id: 'null-sender', to: '<y@canary.example>' }] }],
  };

  const code = fc.oneof(fc.constantFrom(220, 250, 250, 250, 250, 354, 421, 450, 550), fc.integer({ min: 200, max: 599 }));
  const keywords = fc.constantFrom([], [], ['PIPELINING'], ['STARTTLS', 'XCLIENT ADDR']);
  const arrival: fc.Arbitrary<Heard> = fc.oneof(
    { weight: 20, arbitrary: fc.tuple(code, fc.string({ maxLength: 30 }), keywords).map(([each, text, more]) => reply(each, text, more)) },
    { weight: 1, arbitrary: fc.constantFrom('closed', 'silent', 'not-smtp', 'too-much').map((end): Heard => ({ kind: 'end', end })) },
  );
  const arrivals = fc.array(arrival, { maxLength: 60 });
  const willing = fc
    .tuple(keywords, fc.array(fc.constantFrom(250, 250, 250, 250, 250, 354, 550), { maxLength: 60 }))
    .map(([more, codes]) => [reply(220), reply(250, 'mx.example', more), ...codes.map((each) => reply(each))]);

  const assertAlways = (check: (played: ReturnType<typeof run>, answers: readonly Heard[], transactions: readonly Transaction[]) => void) =>
    fc.assert(
      fc.property(fc.constantFrom(...Object.values(SESSIONS)), fc.oneof(arrivals, willing), (transactions, answers) =>
        check(run(transactions, answers), answers, transactions),
      ),
      { numRuns: runs(1_000, 20_000) },
    );
  const codeOf = (answer: Heard | undefined) => (answer?.kind === 'reply' ? answer.reply.code : 0);

  test('we say nothing but our verbs, DATA only with a canary in hand, and its message only after 354', () => {
    assertAlways(({ said }, answers, transactions) => {
      const canaries = transactions.filter((each) => each.canary !== undefined).length;
      expect(said.filter(({ line }) => line === 'DATA\r\n').length).toBeLessThanOrEqual(canaries);
      for (const [index, { line, after }] of said.entries()) {
        if (line.startsWith('Subject')) {
          expect(said[index - 1]?.line).toBe('DATA\r\n');
          expect(codeOf(answers[after - 1])).toBe(354);
        } else expect(line).toMatch(/^(EHLO|HELO|MAIL|RCPT|RSET|DATA|QUIT)\b/);
      }
    });
  });

  test('several commands go out at once only where the last EHLO offered PIPELINING', () => {
    assertAlways(({ said }, answers) => {
      for (const [index, { after }] of said.entries()) {
        if (after !== said[index - 1]?.after) continue;
        const ehlo = said.findLastIndex(({ line }, at) => at < index && line.startsWith('EHLO'));
        const answer = answers[said[ehlo]?.after ?? -1];
        expect(answer?.kind === 'reply' && replyLines(answer.reply)).toContain('PIPELINING');
      }
    });
  });

  test('nothing is said after the end of the connection, a 421 or QUIT', () => {
    assertAlways(({ said }, answers) => {
      const end = answers.findIndex((each) => each.kind === 'end' || codeOf(each) === 421);
      if (end >= 0) for (const { after } of said) expect(after).toBeLessThanOrEqual(end);
      expect(said.slice(0, -1).map(({ line }) => line)).not.toContain('QUIT\r\n');
    });
  });

  test('every envelope has one result, and a message one that went out to the dot', () => {
    assertAlways(({ said, evidence }, _, transactions) => {
      const planned = transactions.flatMap((each) => each.recipients.map(({ id }) => id));
      if (evidence.contact === 'answered') expect(evidence.results.map(({ test: id }) => id).toSorted()).toEqual(planned.toSorted());
      const sent = said.filter(({ line }) => line.startsWith('Subject')).length;
      const through = evidence.results.filter(({ stage }) => stage === 'message').length;
      expect(through).toBeLessThanOrEqual(sent);
      expect(evidence.results.filter(({ canary }) => canary !== undefined).length).toBe(sent);
    });
  });

  test('no server but one that answered 250 to EHLO and a sender, and 2xx to a recipient, is said to have accepted one', () => {
    assertAlways(({ evidence }, answers) => {
      const accepted = evidence.results.filter(({ outcome }) => outcome === 'accepted').length;
      const obliging = answers.filter((each) => Math.floor(codeOf(each) / 100) === 2).length;
      if (accepted > 0) expect(obliging).toBeGreaterThanOrEqual(accepted + 2);
    });
  });

  test('a session is bounded: the commands of its envelopes, resets and names', () => {
    assertAlways(({ said }, _, transactions) => {
      const recipients = transactions.reduce((sum, each) => sum + each.recipients.length, 0);
      expect(said.length).toBeLessThanOrEqual(3 + 5 * transactions.length + recipients);
    });
  });
});
