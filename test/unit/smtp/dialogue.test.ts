import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { writeCommand } from '../../../shared/smtp/command.ts';
import { type Arrival, converse, type SessionEvidence } from '../../../shared/smtp/dialogue.ts';
import { nextSession } from '../../../shared/smtp/plan.ts';
import type { Trial } from '../../../shared/smtp/relay-tests.ts';
import { BEGINNINGS } from '../../transcripts/beginnings.ts';
import { ENDINGS } from '../../transcripts/endings.ts';
import { ENVELOPES } from '../../transcripts/envelopes.ts';
import { FIRST_SESSION } from '../../transcripts/first-session.ts';
import { play, shown, TWO_TRIALS, wire } from '../../transcripts/transcript.ts';

describe.each(Object.entries({ BEGINNINGS, ENVELOPES, ENDINGS, FIRST: [FIRST_SESSION] }))('%s', (_, sessions) => {
  test.each(sessions.map((session) => [session.rule, session] as const))('%s', (_rule, session) => {
    const { client, evidence } = play(session);
    expect(client).toBe(wire(session.client));
    expect(shown(evidence)).toEqual(session.shows);
    expect(evidence.contact).toBe(session.contact ?? 'answered');
    expect(evidence.cutShort).toBe(session.cutShort);
  });
});

/** Runs a dialogue to its end on these arrivals; then the connection closes. */
function run(trials: readonly Trial[], arrivals: readonly Arrival[]): { said: string[]; evidence: SessionEvidence } {
  const left = [...arrivals];
  const said: string[] = [];
  const dialogue = converse('probe.example', trials);
  let next = dialogue.next();
  while (!next.done) {
    if (next.value.kind === 'say') said.push(writeCommand(next.value.command));
    next = dialogue.next(left.shift() ?? { kind: 'end', end: 'closed' });
  }
  return { said, evidence: next.value };
}

function reply(code: number, text = ''): Arrival {
  return { kind: 'reply', reply: { code, lines: [text], raw: [`${code} ${text}`] } };
}

describe('the greeting’s name goes back to its server as a plain DNS name, or not at all', () => {
  const nameAfter = (greeting: string): string | undefined => {
    let seen: string | undefined;
    const trial: Trial = {
      id: 'spy',
      odd: false,
      envelope: (name) => {
        seen = name;
        return { from: '<>', to: '<x@canary.example>' };
      },
    };
    run([trial], [reply(220, greeting), reply(250)]);
    return seen;
  };

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
    expect(nameAfter(greeting)).toBe(name);
  });
});

test('a reply that is kept with a result has at most 512 characters', () => {
  const { evidence } = run(TWO_TRIALS, [reply(220), reply(250), reply(250), reply(550, 'x'.repeat(2_000))]);
  expect(evidence.results[0]?.reply).toHaveLength(512);
});

describe('whatever a server answers', () => {
  const cast = {
    ourDomain: 'probe.example',
    canaryDomain: 'canary.example',
    hostName: undefined,
    addressLiteral: '[192.0.2.1]',
    servedDomains: ['served.example'],
    localPart: 'relay-audit-01234567',
  };
  const trials = nextSession(cast, { results: [], sessions: 0, idle: 0 });
  const code = fc.oneof(fc.constantFrom(220, 250, 250, 250, 250, 354, 421, 450, 550), fc.integer({ min: 200, max: 599 }));
  const arrival: fc.Arbitrary<Arrival> = fc.oneof(
    { weight: 20, arbitrary: fc.tuple(code, fc.string({ maxLength: 30 })).map(([each, text]) => reply(each, text)) },
    { weight: 1, arbitrary: fc.constantFrom('closed', 'silent', 'not-smtp', 'too-much').map((end): Arrival => ({ kind: 'end', end })) },
  );
  const arrivals = fc.array(arrival, { maxLength: 40 });
  const willing = fc
    .array(fc.constantFrom(250, 250, 250, 250, 250, 550), { maxLength: 40 })
    .map((codes) => [reply(220), ...codes.map((each) => reply(each))]);

  const assertAlways = (check: (played: ReturnType<typeof run>, answers: readonly Arrival[]) => void) =>
    fc.assert(
      fc.property(fc.oneof(arrivals, willing), (answers) => check(run(trials, answers), answers)),
      { numRuns: 500 },
    );

  test('we never say DATA, and nothing but the six verbs', () => {
    assertAlways(({ said }) => {
      for (const line of said) expect(line).toMatch(/^(EHLO|HELO|MAIL|RCPT|RSET|QUIT)\b/);
    });
  });

  test('a recipient is named only when the server has just accepted the sender', () => {
    assertAlways(({ said }, answers) => {
      for (const [index, line] of said.entries()) {
        if (!line.startsWith('RCPT')) continue;
        expect(said[index - 1]).toMatch(/^MAIL/);
        // The greeting is answer 0, so the answer to command n is answer n + 1.
        expect(answers[index]).toMatchObject({
          kind: 'reply',
          reply: { code: expect.toSatisfy((each: number) => each >= 200 && each < 300) },
        });
      }
    });
  });

  test('nothing is said after the end of the connection, a 421 or QUIT', () => {
    assertAlways(({ said }, answers) => {
      const end = answers.findIndex((each) => each.kind === 'end' || each.reply.code === 421);
      if (end >= 0) expect(said.length).toBeLessThanOrEqual(end);
      expect(said.slice(0, -1)).not.toContain('QUIT\r\n');
    });
  });

  test('every trial has one result, in order, and only what got a 2xx to RCPT is accepted', () => {
    assertAlways(({ said, evidence }, answers) => {
      if (evidence.contact === 'answered') expect(evidence.results.map(({ test: id }) => id)).toEqual(trials.map(({ id }) => id));
      const willingAnswers = said.filter((line, index) => {
        const answer = answers[index + 1];
        return line.startsWith('RCPT') && answer?.kind === 'reply' && answer.reply.code >= 200 && answer.reply.code < 300;
      });
      expect(evidence.results.filter(({ outcome }) => outcome === 'accepted')).toHaveLength(willingAnswers.length);
    });
  });

  test('no session holds more than eight RSETs and a bounded number of commands', () => {
    assertAlways(({ said }) => {
      expect(said.filter((line) => line.startsWith('RSET')).length).toBeLessThanOrEqual(8);
      expect(said.length).toBeLessThanOrEqual(3 + 3 * trials.length);
    });
  });
});
