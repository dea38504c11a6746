import fc from 'fast-check';
import type { LegEvidence } from '../../shared/domain/scan.ts';
import { judgeLeg } from '../../shared/domain/verdict.ts';
import { writeCommand } from '../../shared/smtp/command.ts';
import { converse } from '../../shared/smtp/dialogue.ts';
import { type Cast, ownSender } from '../../shared/smtp/envelope-forms.ts';
import { advance, BEGIN, nextSession } from '../../shared/smtp/plan.ts';
import { ReplyReader } from '../../shared/smtp/reply.ts';
import type { Heard, SessionEvidence, Transaction } from '../../shared/smtp/session.ts';
import type { Figure } from './figure.ts';

const RUNS = 1_000_000;
const STEPS_LIMIT = 500; // of a dialogue; the longest session of the table has under 200
const CAST: Cast = {
  ourDomain: 'probe.example',
  senderDomain: 'probe.example',
  canaryDomain: 'canary.example',
  hostName: undefined,
  addressLiteral: '[192.0.2.1]',
  servedDomains: ['served.example'],
  localPart: 'relay-audit-01234567',
  srsDay: 20_000,
};
const MESSAGE: Transaction = {
  ehlo: CAST.ourDomain,
  from: '<>',
  recipients: [{ id: 'null-sender', to: '<x@canary.example>' }],
  canary: { id: 'canary', message: 'Subject: test\r\n\r\n.\r\n' },
};

// What servers say, and what none should.
const piece = fc.oneof(
  fc.constantFrom(
    '220 mx.example ESMTP Postfix\r\n',
    '250-mx\r\n250 PIPELINING\r\n',
    '250 Ok\r\n',
    '250 Ok\r\n',
    '250 Ok\r\n',
    '354 go\r\n',
  ),
  fc.constantFrom(
    '554 5.7.1 Relay access denied\r\n',
    '450 4.2.0 Greylisted\r\n',
    '421 bye\r\n',
    '503 no\r\n',
    '530 5.7.0 STARTTLS first\r\n',
  ),
  fc.constantFrom('250-', '\0', '\r', '\n', '\xff', '2', 'HTTP/1.1 400\r\n'),
);

const GREETED = '220 mx.example ESMTP Postfix\r\n';
const beginning = fc.constantFrom(
  '',
  GREETED,
  `${GREETED}250 mx\r\n`,
  `${GREETED}250-mx\r\n250 PIPELINING\r\n`,
  `${GREETED}250 mx\r\n250 Ok\r\n250 Ok\r\n354 go\r\n`,
);

/** A million servers that say anything at all, each a session of the reader, the dialogue, the plan and the verdict. */
export async function measureFuzz(): Promise<Figure[]> {
  const began = performance.now();
  const { failed, numRuns } = fc.check(
    fc.property(beginning, fc.array(piece, { maxLength: 40 }), fc.boolean(), (begun, pieces, message) =>
      survives(begun + pieces.join(''), message),
    ),
    { numRuns: RUNS },
  );
  return [
    { what: 'random servers talked to', value: numRuns, unit: '' },
    { what: 'crashes, dialogues without end, and verdicts of open without a canary', value: failed ? 1 : 0, unit: '', limit: 0 },
    { what: 'time for one', value: (1e6 * ((performance.now() - began) / 1000)) / numRuns, unit: 'µs' },
  ];
}

function survives(said: string, message: boolean): boolean {
  const next = nextSession(CAST, 'full', BEGIN);
  const choose = message || next?.kind !== 'envelopes' ? () => [MESSAGE] : next.choose;
  const evidence = talk(said, choose);
  if (evidence === undefined) return false;
  const { results } = advance(BEGIN, evidence);
  const costs = { connections: 1, commands: 0, roundTrips: 0, refusals: 0 };
  const leg: LegEvidence = {
    address: '192.0.2.1',
    port: 25,
    transport: 'plain',
    contact: evidence.contact,
    costs,
    tests: results,
    controls: [],
    transcript: [],
  };
  return judgeLeg(leg).verdict !== 'open';
}

function talk(said: string, choose: Parameters<typeof converse>[0]['choose']): SessionEvidence | undefined {
  const arrivals = new ReplyReader()
    .feed(said)
    .map(
      (event): Heard => (event.kind === 'reply' ? event : { kind: 'end', end: event.violation === 'not-smtp' ? 'not-smtp' : 'too-much' }),
    );
  const errand = {
    ourName: CAST.ourDomain,
    ourSender: ownSender(CAST),
    transport: 'plain',
    xclient: false,
    cautious: false,
    help: true,
    enough: 3,
    choose,
  } as const;
  const dialogue = converse(errand);
  let heard = 0;
  let next = dialogue.next();
  for (let steps = 0; !next.done; steps++) {
    if (steps > STEPS_LIMIT) return undefined;
    if (next.value.kind === 'say') for (const command of next.value.commands) writeCommand(command);
    next = dialogue.next(arrivals[heard++] ?? { kind: 'end', end: 'closed' });
  }
  return next.value;
}
