import { restOf } from '../../shared/domain/coverage.ts';
import type { Mta } from '../../shared/domain/remedies.ts';
import type { LegEvidence } from '../../shared/domain/scan.ts';
import { NEGATIVE_CONTROL, POSITIVE_CONTROL } from '../../shared/domain/verdict.ts';
import type { Command } from '../../shared/smtp/command.ts';
import { converse } from '../../shared/smtp/dialogue.ts';
import { type Cast, ownSender } from '../../shared/smtp/envelope-forms.ts';
import {
  advance,
  BEGIN,
  leftToCarry,
  type NextSession,
  nextSessions,
  plannedTests,
  resume,
  stillLeft,
  waitBefore,
} from '../../shared/smtp/plan.ts';
import type { Heard, SessionEvidence, Step, Transaction } from '../../shared/smtp/session.ts';

/** Whom the model is asked about, as a predicate on an envelope; the first rule that fits decides. */
export const ENVELOPES = {
  anything: () => true,
  'a foreign recipient': ({ to }) => /^<?[^"%!]*@(\S+\.)?canary\.example>?$/.test(to),
  'an invented user': ({ to }) => to.includes('nobody'),
  'a postmaster': ({ to }) => to.startsWith('<postmaster@'),
  'a local recipient': ({ to }) => /@(mx\.)?served\.example>$/.test(to),
  'a percent sign': ({ to }) => to.includes('%'),
  'a quoted one': ({ to }) => to.includes('"'),
  'a path': ({ to }) => to.includes('!'),
  'a route': ({ to }) => to.startsWith('<@'),
  'a null sender': ({ from }) => from === '<>',
  'a sender of its own': ({ from }) => /@(mx\.)?served\.example>$/.test(from),
  'a bare sender': ({ from }) => !from.includes('@') && from !== '<>',
  'its own name in EHLO': ({ ehlo }) => ehlo.includes('served.example'),
  'EHLO as localhost': ({ ehlo }) => ehlo === 'localhost',
} as const satisfies Record<string, (envelope: Envelope) => boolean>;

/** What the model makes of an envelope: where it stops it, and with which words. */
export const ANSWERS = {
  accept: {},
  relay: {},
  deny: { rcpt: '550 5.7.1 Relaying denied' },
  'no such user': { rcpt: '550 5.1.1 No such user' },
  'not you': { rcpt: '550 5.7.1 Your host is on our black list' },
  'put off': { rcpt: '451 4.3.0 Not now' },
  greylist: { rcpt: '450 4.2.0 Greylisted' },
  'hang up': { rcpt: 'close' },
  'refuse the sender': { mail: '550 5.1.8 No' },
  authenticate: { mail: '530 5.7.0 Authentication required' },
  'refuse DATA': { data: '554 5.5.1 No' },
  'refuse the message': { message: '554 5.7.1 No' },
  'put off the message': { message: '451 4.3.0 Not now' },
  'hang up at the message': { message: 'close' },
} as const satisfies Record<string, Partial<Record<'mail' | 'rcpt' | 'data' | 'message', string>>>;

type Envelope = { readonly ehlo: string; readonly from: string; readonly to: string };

/** A server whose answers depend on the envelope alone, within the limits that it has. */
export type Model = {
  readonly rules: readonly (readonly [keyof typeof ENVELOPES, keyof typeof ANSWERS])[];
  readonly mta?: Mta | undefined;
  readonly pipelining: boolean;
  /** Recipients, or commands, that a session may have before it is put off, or ended with 421. */
  readonly recipients?: number | undefined;
  readonly commands?: number | undefined;
  readonly spentByNull: boolean;
  readonly reset: 'taken' | 'unknown' | 'closes';
};

/** How a sitting goes: with how many answers our time is over, and in which order the sessions of a round are taken in. */
export type Sitting = { readonly answers: number; readonly swap: boolean };

export const WHOLE: Sitting = { answers: Number.POSITIVE_INFINITY, swap: false };

const CAST: Cast = {
  ourDomain: 'probe.example',
  senderDomain: 'bounces.canary.example',
  canaryDomain: 'canary.example',
  hostName: 'mx.served.example',
  addressLiteral: '[192.0.2.1]',
  servedDomains: ['served.example'],
  localPart: 'relay-audit-01234567',
  srsDay: 20_000,
};

/** One sitting at a leg of the model, over the plan and the dialogue as they are, and what it leaves behind. */
function sit(model: Model, number: number, { answers, swap }: Sitting, before?: LegEvidence): LegEvidence {
  let progress = before === undefined ? BEGIN : resume(before, CAST, 'full');
  let greeted = before?.contact === 'answered';
  const time = { left: answers };
  let isOver = false;
  for (;;) {
    const round = nextSessions(CAST, 'full', progress);
    if (round.length === 0 || waitBefore(progress) === undefined) break;
    isOver = time.left <= 0;
    if (isOver) break;
    const held = round.map((next) => hold(model, number, next, time)).filter(({ contact }) => contact === 'answered');
    greeted ||= held.length > 0;
    const some = held.some(({ cutShort }) => cutShort === undefined);
    for (const session of swap ? held.toReversed() : held) progress = advance(progress, session);
    const shaken = held.length < round.length || held.some(({ cutShort, limited }) => cutShort !== undefined || limited === true);
    if (round.length > 1 && shaken)
      progress = { ...progress, atOnce: Math.max(1, Math.floor(round.length / 2)), idle: some ? 0 : progress.idle };
  }
  const byTest = new Map([...stillLeft(progress), ...progress.results].map((result) => [result.test, result]));
  const resultOf = (test: string) => byTest.get(test) ?? { test, outcome: 'not-run' as const, stage: 'greeting' as const };
  const controls = progress.results.filter(({ test }) => test !== POSITIVE_CONTROL && test.startsWith(NEGATIVE_CONTROL));
  return {
    address: '192.0.2.1',
    port: 25,
    transport: 'plain',
    contact: greeted ? 'answered' : 'out-of-time',
    costs: { connections: progress.sessions, commands: 0, roundTrips: 0, refusals: 0 },
    greetingName: progress.greeting.name,
    software: progress.greeting.software,
    tests: plannedTests(CAST, 'full', progress.greeting).map(({ id, local, negative }) => ({
      ...resultOf(id),
      negative: local ? negative.id : undefined,
      closings: progress.closings[id],
    })),
    controls: [resultOf(POSITIVE_CONTROL), ...controls],
    stopped: isOver || time.left <= 0 ? 'out-of-time' : undefined,
    toCarry: leftToCarry(CAST, 'full', progress, undefined),
    limited: progress.limited ? true : undefined,
    transcript: [],
  };
}

/** Sittings at the model, until nothing is left to be asked or there are no more of them. */
export function scan(model: Model, sittings: readonly Sitting[], first = 1, before?: LegEvidence): LegEvidence {
  let leg = before;
  for (const [index, each] of sittings.entries()) {
    if (leg !== undefined && restOf([leg]) !== 'another-sitting') return leg;
    leg = sit(model, first + index, each, leg);
  }
  if (leg === undefined) throw new Error('a scan has a sitting');
  return leg;
}

function hold(model: Model, number: number, next: NextSession, time: { left: number }): SessionEvidence {
  const server = newSession(model, number);
  const dialogue = converse({
    ourName: CAST.ourDomain,
    ourSender: ownSender(CAST),
    transport: 'plain',
    xclient: next.xclient,
    cautious: next.kind === 'envelopes' && next.cautious,
    help: false,
    enough: next.kind === 'messages' ? next.enough : Number.POSITIVE_INFINITY,
    choose: next.kind === 'messages' ? () => messagesOf(next) : next.choose,
  });
  let step = dialogue.next();
  while (!step.done) {
    const arrival: Heard = time.left-- <= 0 ? { kind: 'end', end: 'out-of-time' } : server(step.value);
    step = dialogue.next(arrival);
  }
  return step.value;
}

function messagesOf({ tests, around }: NextSession & { kind: 'messages' }): Transaction[] {
  const messages = tests.map(({ id, envelope: { to, ...rest } }) => ({
    ...rest,
    recipients: [{ id, to }],
    canary: { id: `canary-${id}`, message: '.\r\n' },
  }));
  return [...around, ...messages, ...around];
}

// What a server knows of a session.
type Talk = {
  ehlo: string;
  from: string;
  last: Envelope;
  commands: number;
  recipients: number;
  null: boolean;
  /** An answer that came no more, for the connection was closed. */
  closed: boolean;
};

// The server's side of a session: hears a step of ours, and says what comes back first.
function newSession(model: Model, number: number): (step: Step) => Heard {
  const none = { ehlo: '', from: '', to: '' };
  const talk: Talk = { ehlo: '', from: '', last: none, commands: 0, recipients: 0, null: false, closed: false };
  const due: Heard[] = [greetingOf(model)];
  return (step) => {
    const said: readonly (Command | 'dot')[] = step.kind === 'say' ? step.commands : step.kind === 'send' ? ['dot'] : [];
    for (const each of said) {
      const reply = talk.closed ? 'close' : replyTo(each, model, number, talk);
      talk.closed ||= reply === 'close' || reply.startsWith('421');
      due.push(reply === 'close' ? { kind: 'end', end: 'closed' } : heard(...reply.split('\n')));
    }
    return due.shift() ?? { kind: 'end', end: 'closed' };
  };
}

function heard(...raw: string[]): Heard {
  return { kind: 'reply', reply: { code: Number(raw[0]?.slice(0, 3)), raw } };
}

function greetingOf({ mta }: Model): Heard {
  return heard(`220 mx.served.example ESMTP ${mta === undefined ? '' : { postfix: 'Postfix', exim: 'Exim 4.97' }[mta as string]}`);
}

function replyTo(command: Command | 'dot', model: Model, number: number, talk: Talk): string {
  if (command === 'dot') return answerTo(talk.last, 'message', model, number) ?? '250 2.0.0 Ok: queued';
  if (command.verb === 'QUIT') return '221 2.0.0 Bye';
  if (++talk.commands > (model.commands ?? Number.POSITIVE_INFINITY)) return '421 4.7.0 Error: come again';
  switch (command.verb) {
    case 'EHLO':
      talk.ehlo = command.name;
      return model.pipelining ? '250-mx.served.example\n250 PIPELINING' : '250 mx.served.example';
    case 'RSET':
      return { taken: '250 2.0.0 Ok', unknown: '500 5.5.1 What?', closes: 'close' }[model.reset];
    case 'MAIL':
      if (talk.null && model.spentByNull) return '503 5.5.1 Sender already given';
      talk.from = command.path;
      talk.null ||= command.path === '<>';
      return answerTo({ ehlo: talk.ehlo, from: talk.from, to: '' }, 'mail', model, number) ?? '250 2.1.0 Ok';
    case 'RCPT':
      talk.last = { ehlo: talk.ehlo, from: talk.from, to: command.path };
      if (++talk.recipients > (model.recipients ?? Number.POSITIVE_INFINITY)) return '450 4.7.1 Error: too many recipients';
      return answerTo(talk.last, 'rcpt', model, number) ?? '250 2.1.5 Ok';
    case 'DATA':
      return answerTo(talk.last, 'data', model, number) ?? '354 Go ahead';
    default:
      return '500 5.5.1 What?';
  }
}

// Of the sender alone nothing is known of the recipient: only rules about senders and names are asked.
function answerTo(envelope: Envelope, at: 'mail' | 'rcpt' | 'data' | 'message', model: Model, number: number): string | undefined {
  const rule = model.rules.find(([whom]) => (ENVELOPES[whom] as (each: Envelope) => boolean)(envelope));
  const answers: Partial<Record<typeof at, string>> = ANSWERS[rule?.[1] ?? 'deny'];
  // A greylisted envelope is taken an hour later.
  return rule?.[1] === 'greylist' && number > 2 ? undefined : answers[at];
}
