import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ended } from '../../../shared/domain/coverage.ts';
import { REASONS, type Reason } from '../../../shared/domain/reason.ts';
import type { LegEvidence } from '../../../shared/domain/scan.ts';
import { judgeLeg, NEGATIVE_CONTROL, POSITIVE_CONTROL } from '../../../shared/domain/verdict.ts';
import { connect } from '../../../shared/network/connect.ts';
import type { LegOrder, ProbeLimits, SentCanary } from '../../../shared/network/leg-session.ts';
import { probeLeg } from '../../../shared/network/probe.ts';
import type { Cast } from '../../../shared/smtp/envelope-forms.ts';
import { relayTests } from '../../../shared/smtp/relay-tests.ts';
import { permitted } from '../../support/gate.ts';
import { type LeapingTime, startLeapingTime } from '../../support/leaping-time.ts';
import { mailServer, type Script, type ScriptedServer, say, startScriptedServer } from '../../support/scripted-smtp-server.ts';

const CAST: Cast = {
  ourDomain: 'probe.example',
  senderDomain: 'probe.example',
  canaryDomain: 'canary.example',
  hostName: 'mx.served.example',
  addressLiteral: '[127.0.0.1]',
  servedDomains: ['served.example'],
  localPart: 'relay-audit-01234567',
  srsDay: 20_000,
};

const HOUR = 60 * 60_000;
const LIMITS: ProbeLimits = { connectMs: HOUR, replyMs: 20_000, sessionMs: HOUR, sittingMs: HOUR, pauseMs: 1 };

const LOCALHOST = permitted('127.0.0.1');

let time: LeapingTime;
beforeEach(() => {
  time = startLeapingTime();
});
const started: ScriptedServer[] = [];
afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(started.splice(0).map((server) => server.stop()));
});

async function start(scripts: readonly Script[]): Promise<ScriptedServer> {
  const server = await startScriptedServer(scripts, undefined, time.onSilence);
  started.push(server);
  return server;
}

function orderFor(port: number, limits: ProbeLimits, cast: Cast): LegOrder {
  let canaries = 0;
  return {
    target: LOCALHOST,
    port,
    transport: 'plain',
    cast,
    scope: 'full',
    limits,
    deadline: time.clock() + limits.sittingMs,
    optOutAddress: 'postmaster@probe.example',
    clock: time.clock,
    askAtDial: async () => undefined,
    expectCanary: async () => ({ id: `canary${++canaries}`, token: `token${canaries}` }),
  };
}

type Audit = { readonly leg: LegEvidence; readonly server: ScriptedServer; readonly tookMs: number };

async function audit(scripts: readonly Script[], limits = LIMITS, cast = CAST, more: Partial<LegOrder> = {}): Promise<Audit> {
  const server = await start(scripts);
  const began = Date.now();
  const leg = await probeLeg({ ...orderFor(server.port, limits, cast), ...more });
  return { leg, server, tookMs: Date.now() - began };
}

const mailFor = (line: string, ...domains: readonly string[]) => domains.some((domain) => line.endsWith(`@${domain}>`));
const NEVER = (): never => {
  throw new Error('no command should come');
};
const first = (greeting: Script['greeting']): Script => ({ greeting, answer: NEVER });

type Case = {
  readonly rule: string;
  readonly scripts: readonly Script[];
  readonly reason: Reason;
  readonly completed?: number;
  readonly sessions?: number;
  readonly limits?: ProbeLimits;
  readonly cast?: Cast;
};

const ALL = relayTests(CAST, undefined).length;
const XCLIENT_ONLY = 1; // what needs no session of its own to be answered
const WITHOUT_DOMAINS = relayTests({ ...CAST, servedDomains: [] }, undefined).length;

const CASES: readonly Case[] = [
  // Servers that talk to us.
  { rule: 'a server that relays for nobody is closed', scripts: [mailServer()], reason: 'all-refused', completed: ALL, sessions: 9 },
  {
    rule: 'a server that relays answers as a relay',
    scripts: [mailServer({ RCPT: (line) => say(line.includes('-nobody') ? '550 5.1.1 No such user' : '250 Ok') })],
    reason: 'message-accepted',
    completed: ALL,
  },
  {
    rule: 'a server that accepts whatever is said is told apart',
    scripts: [mailServer({ RCPT: say('250 Ok') })],
    reason: 'accepts-everything',
  },
  {
    rule: 'a server that relays for senders at its own domain only answers as a relay',
    scripts: [
      mailServer({
        MAIL: (line) => say(mailFor(line, 'served.example') || line.includes('@probe.example>') ? '250 Ok' : '553 no'),
        RCPT: say('250 Ok'),
      }),
    ],
    reason: 'accepts-everything',
  },
  {
    rule: 'a server that relays by the percent hack only answers as a relay',
    scripts: [
      mailServer({ RCPT: (line) => say(/%.*@(mx\.)?served\.example>/.test(line) || line.includes('postmaster') ? '250 Ok' : '550 no') }),
    ],
    reason: 'accepts-everything',
  },
  {
    rule: 'a server that sends its replies byte by byte is understood',
    scripts: [
      mailServer({
        EHLO: { kind: 'drip', text: '250-mx.served.example\n250-SIZE 1000\n250 HELP\n' },
        MAIL: { kind: 'drip', text: '250 2.1.0 Ok\n' },
      }),
    ],
    reason: 'all-refused',
    completed: ALL,
  },
  { rule: 'a server that knows HELO only is understood', scripts: [mailServer({ EHLO: say('502 what?') })], reason: 'all-refused' },
  {
    rule: 'a server that ends its lines with a bare LF, and writes other bytes than ASCII, is understood',
    scripts: [mailServer({}, { greeting: { kind: 'say', text: '220 mx.served.example \xe9\0 ESMTP\n' } })],
    reason: 'all-refused',
  },
  {
    rule: 'a server that greylists is inconclusive',
    scripts: [mailServer({ RCPT: say('450 4.2.0 Greylisted, see https://example.org') })],
    reason: 'greylisted',
    completed: XCLIENT_ONLY,
  },
  { rule: 'a server that puts us off is inconclusive', scripts: [mailServer({ RCPT: say('450 4.3.2 Not now') })], reason: 'deferred' },
  {
    rule: 'Postfix’s 454 for relaying closes',
    scripts: [mailServer({ RCPT: (line) => say(line.includes('<postmaster@') ? '250 Ok' : '454 4.7.1 Relay access denied') })],
    reason: 'all-refused',
  },
  {
    rule: 'a server that wants everybody to authenticate is closed',
    scripts: [mailServer({ MAIL: say('530 5.7.1 Authentication required') })],
    reason: 'authentication-required',
  },
  {
    rule: 'a server that wants STARTTLS first is not tested',
    scripts: [mailServer({ MAIL: say('530 5.7.0 Must issue a STARTTLS command first') })],
    reason: 'starttls-first',
  },
  {
    rule: 'a server that blocks our address is untestable, not closed',
    scripts: [mailServer({ RCPT: say('554 5.7.1 Service unavailable; Client host [192.0.2.9] blocked using zen.spamhaus.org') })],
    reason: 'policy-against-us',
  },
  {
    rule: 'a server that greets us with 554 is untestable, not closed',
    scripts: [mailServer({}, { greeting: say('554 no SMTP service here') })],
    reason: 'policy-against-us',
  },
  {
    rule: 'a server that refuses its own postmaster is untestable, not closed',
    scripts: [mailServer({ RCPT: say('550 5.1.1 Unknown') })],
    reason: 'control-refused',
  },
  {
    rule: 'without a served domain no postmaster is missed',
    scripts: [mailServer({ RCPT: say('550 5.1.1 Unknown') })],
    cast: { ...CAST, servedDomains: [] },
    reason: 'all-refused',
    completed: WITHOUT_DOMAINS,
  },
  {
    rule: 'a server that refuses every sender is inconclusive',
    scripts: [mailServer({ MAIL: say('553 no') })],
    cast: { ...CAST, servedDomains: [] },
    reason: 'no-recipient-reached',
  },

  // Servers that do not, or that stop.
  {
    rule: 'a port where nothing speaks first is unreachable',
    scripts: [first({ kind: 'silence' })],
    reason: 'no-greeting',
    sessions: 1,
  },
  {
    rule: 'a web server is unreachable',
    scripts: [first({ kind: 'say-and-close', text: 'HTTP/1.1 400 Bad Request\n\n' })],
    reason: 'not-smtp',
    sessions: 1,
  },
  { rule: 'an SSH server is unreachable', scripts: [first(say('SSH-2.0-OpenSSH_9.9'))], reason: 'not-smtp', sessions: 1 },
  { rule: 'a server that closes at once is unreachable', scripts: [first({ kind: 'close' })], reason: 'closed-early', sessions: 1 },
  { rule: 'garbage is unreachable', scripts: [first({ kind: 'say', text: '\0\xff\xfe\n' })], reason: 'not-smtp', sessions: 1 },
  { rule: 'a greeting without end is cut', scripts: [first({ kind: 'flood', text: '220-welcome\n' })], reason: 'not-smtp', sessions: 1 },
  { rule: 'a line without end is cut', scripts: [first({ kind: 'flood', text: 'x'.repeat(1_000) })], reason: 'not-smtp', sessions: 1 },
  {
    rule: 'a reply without end in the middle is cut, and the server asked once more',
    scripts: [mailServer({ EHLO: { kind: 'flood', text: '250-and\n' } })],
    reason: 'dropped',
    sessions: 2,
  },
  {
    rule: 'a server that closes after EHLO is asked twice',
    scripts: [mailServer({ EHLO: { kind: 'close' } })],
    reason: 'dropped',
    sessions: 2,
  },
  {
    rule: 'a server that resets after EHLO is asked twice',
    scripts: [mailServer({ EHLO: { kind: 'reset' } })],
    reason: 'dropped',
    sessions: 2,
  },
  {
    rule: 'a server that is always full is asked twice',
    scripts: [mailServer({}, { greeting: { kind: 'say-and-close', text: '421 4.3.2 Too busy\n' } })],
    reason: 'deferred',
    sessions: 2,
  },
  {
    rule: 'a server that falls silent at once is asked twice',
    scripts: [mailServer({ EHLO: { kind: 'silence' } })],
    reason: 'dropped',
    sessions: 2,
  },
  {
    rule: 'a server that dies at the first recipient proves nothing',
    scripts: [mailServer({ RCPT: { kind: 'reset' } })],
    reason: 'dropped',
    completed: XCLIENT_ONLY,
    sessions: 2,
  },
  {
    rule: 'a later session that is refused at EHLO completes nothing',
    scripts: [mailServer(), mailServer({ EHLO: say('550 5.7.0 Not you again') })],
    reason: 'dropped',
    completed: 8 + XCLIENT_ONLY,
    sessions: 3,
  },
  {
    rule: 'a later session that is refused at a sender taken before completes nothing',
    scripts: [mailServer(), mailServer({ MAIL: say('550 5.7.0 Enough of you') })],
    reason: 'dropped',
    completed: 8 + XCLIENT_ONLY,
    sessions: 3,
  },
  {
    rule: 'a server that has had enough of us has not refused',
    scripts: [mailServer(), mailServer({ MAIL: say('550 5.7.1 Too many errors in this connection') })],
    reason: 'deferred',
    completed: 8 + XCLIENT_ONLY,
  },
  {
    rule: 'a server that answers later than our time for it is over is inconclusive',
    scripts: [mailServer({ RCPT: { kind: 'silence' } })],
    limits: { ...LIMITS, sittingMs: 10_000 },
    reason: 'out-of-time',
    sessions: 1,
  },
];

test.each(CASES.map((each) => [each.rule, each] as const))('%s', async (_, { scripts, reason, completed, sessions, limits, cast }) => {
  const { leg, server } = await audit(scripts, limits, cast);
  expect(judgeLeg(leg)).toMatchObject({ reason, verdict: REASONS[reason].verdict });
  if (completed !== undefined) expect(judgeLeg(leg).completed).toBe(completed);
  if (sessions !== undefined) expect(server.heard).toHaveLength(sessions);
  expect(judgeLeg(leg).planned).toBe(cast?.servedDomains.length === 0 ? WITHOUT_DOMAINS : ALL);
  expect(leg.transcript.join('\n').length).toBeLessThanOrEqual(65 * 1024);
});

describe('a server that goes silent after it refused us', () => {
  const silent: readonly (readonly [string, readonly Script[]])[] = [
    ['takes no connection', [mailServer({}, { stopsListeningAt: 20 })]],
    ['closes every connection', [mailServer(), first({ kind: 'close' })]],
    ['no longer greets', [mailServer(), first({ kind: 'silence' })]],
  ];

  test.each(silent)('and %s is only said to be silent in the first sitting, after another connection', async (_, scripts) => {
    const { leg } = await audit(scripts);
    expect(leg).toMatchObject({ stopped: 'silent-after-refusals', silentSittings: 1 });
    expect(judgeLeg(leg)).toMatchObject({ verdict: 'inconclusive', reason: 'fell-silent' });
    expect(leg.transcript.filter((line) => line.startsWith('-- ')).length).toBeGreaterThanOrEqual(2);
  });

  test.each(silent)('and %s in another sitting too has probably banned us', async (_, scripts) => {
    const { leg, server } = await audit(scripts);
    const again = await probeLeg({ ...orderFor(server.port, LIMITS, CAST), before: leg });
    expect(judgeLeg(again)).toMatchObject({ verdict: 'untestable', reason: 'probably-banned' });
  });

  test.each(silent)('and %s for one sitting only has not banned us', async (_, scripts) => {
    const { leg } = await audit(scripts);
    const { leg: again } = await audit([mailServer()], LIMITS, CAST, { before: leg });
    expect(judgeLeg(again)).toMatchObject({ verdict: 'closed', reason: 'all-refused', completed: ALL });
  });

  test('after one connection was silent, and the next was not, goes on', async () => {
    const { leg, server } = await audit([mailServer(), first({ kind: 'close' }), mailServer()]);
    expect(judgeLeg(leg)).toMatchObject({ reason: 'all-refused', completed: ALL });
    expect(server.heard[1]).toEqual([]);
  });

  test('in the middle of its sessions, but greets, has not banned us in any number of sittings', async () => {
    const script = mailServer({
      RCPT: (line) => (line.includes('-literal-sender@') ? { kind: 'silence' } : mailServer().answer(line, 0)),
    });
    const { leg, server } = await audit([script]);
    const again = await probeLeg({ ...orderFor(server.port, LIMITS, CAST), before: leg });
    for (const each of [leg, again]) expect(judgeLeg(each)).toMatchObject({ verdict: 'inconclusive', reason: 'fell-silent' });
  });

  test('having accepted something is judged by that alone, once its sittings are used up', async () => {
    const accepting = mailServer({ RCPT: (line) => say(line.includes('-null-sender@') ? '250 Ok' : '554 no') }, { stopsListeningAt: 20 });
    const { leg } = await audit([accepting], LIMITS, { ...CAST, servedDomains: [] });
    expect(judgeLeg(leg)).toMatchObject({ verdict: 'inconclusive', reason: 'not-carried-through' });
    expect(ended([leg], 'sittings-used-up').map((each) => judgeLeg(each).verdict)).toEqual(['suspected']);
  });
});

test('a port that refuses connections is unreachable', async () => {
  const server = await start([mailServer()]);
  await server.stop();
  const leg = await probeLeg(orderFor(server.port, LIMITS, CAST));
  expect(judgeLeg(leg)).toMatchObject({ verdict: 'unreachable', reason: 'connection-refused', completed: 0, planned: ALL });
  expect(leg.transcript).toEqual(['-- connection-refused']);
});

test('a server that resets at once is unreachable', async () => {
  const { leg } = await audit([first({ kind: 'reset' })]);
  expect(judgeLeg(leg).verdict).toBe('unreachable');
});

describe('a server that says 421 after so many commands', () => {
  const limited = (commands: number): Script => {
    const server = mailServer();
    return {
      ...server,
      answer: (line, before) => (before < commands ? server.answer(line, before) : { kind: 'say-and-close', text: '421 enough\n' }),
    };
  };
  const recipients = (server: ScriptedServer) =>
    server.heard.flat().filter((line) => line.startsWith('RCPT') && !line.includes('<postmaster@'));

  test('is asked on where it stopped, until every test has its answer', async () => {
    const { leg, server } = await audit([limited(10)]); // EHLO, then three envelopes with their RSETs
    expect(judgeLeg(leg)).toMatchObject({ reason: 'all-refused', completed: ALL });
    expect(new Set(recipients(server)).size).toBe(recipients(server).length);
    // The sender without a domain, too, got to RCPT here: one for each test, one for the postmaster.
    expect(recipients(server)).toHaveLength(ALL - XCLIENT_ONLY);
  });

  test('is asked one by one when its sessions are that short', async () => {
    expect(judgeLeg((await audit([limited(4)])).leg)).toMatchObject({ reason: 'all-refused', completed: ALL });
  });

  test('is left when its sessions are too short for one recipient', async () => {
    const { leg, server } = await audit([limited(2)]);
    expect(judgeLeg(leg)).toMatchObject({ verdict: 'inconclusive', reason: 'dropped' });
    expect(judgeLeg(leg).completed).toBeLessThan(ALL);
    expect(server.heard.length).toBeLessThanOrEqual(60);
  });
});

test('a server that takes fewer sessions at a time than we hold is asked one after the other, and not taken for one that bans', async () => {
  let open = 0;
  const server = mailServer({}, { greeting: say('220 mx.served.example ESMTP Postfix') });
  const narrow: Script = {
    ...server,
    answer: (line, before) => {
      if (line === 'QUIT') open--;
      if (before === 0 && ++open > 2) {
        open--;
        return { kind: 'reset' };
      }
      return server.answer(line, before);
    },
  };
  const { leg } = await audit([narrow]);
  expect(judgeLeg(leg)).toMatchObject({ reason: 'all-refused', completed: ALL });
});

describe('what goes on the wire', () => {
  test('nothing before the greeting', async () => {
    const { server } = await audit([first({ kind: 'silence' })]);
    expect(server.heard).toEqual([[]]);
  });

  test('nothing but our verbs, and DATA at most 24 times, to a server that accepts everything', async () => {
    const { server } = await audit([mailServer({ RCPT: say('250 Ok') })]);
    for (const line of server.heard.flat()) expect(line).toMatch(/^(EHLO \S+|MAIL FROM:<\S*>|RCPT TO:\S+|RSET|DATA|\.|HELP|QUIT)$/);
    expect(server.heard.flat().filter((line) => line === 'DATA')).toHaveLength(24);
    for (const lines of server.heard) expect(lines.at(-1)).toBe('QUIT');
  });

  test('one session at a time, each ended before the next begins', async () => {
    let open = 0;
    const server = mailServer();
    const counting: Script = {
      ...server,
      answer: (line, before) => {
        if (line === 'EHLO probe.example') expect(++open).toBe(1);
        if (line === 'QUIT') open--;
        return server.answer(line, before);
      },
    };
    const { leg } = await audit([counting]);
    expect(judgeLeg(leg).verdict).toBe('closed');
  });

  test('all of it is in the transcript, and nothing else', async () => {
    const { leg, server } = await audit([mailServer()]);
    expect(leg.transcript.slice(0, 5)).toEqual([
      'S: 220 mx.served.example ESMTP',
      'C: EHLO probe.example',
      'S: 250-mx.served.example',
      'S: 250 8BITMIME',
      'C: MAIL FROM:<relay-audit@probe.example>',
    ]);
    expect(leg.transcript.filter((line) => line.startsWith('C: ')).map((line) => line.slice(3))).toEqual(server.heard.flat());
  });
});

describe('evidence', () => {
  test('has every planned test in the order of the table, run or not, and controls apart', async () => {
    const { leg } = await audit([mailServer({}, { stopsListeningAt: 20 })]);
    expect(leg.tests).toHaveLength(ALL);
    expect(leg.tests[0]).toEqual({
      test: 'plain',
      outcome: 'refused',
      stage: 'rcpt',
      from: '<relay-audit@probe.example>',
      to: '<relay-audit-01234567-plain@canary.example>',
      reply: '554 5.7.1 Relay access denied',
      says: 'no-relaying',
    });
    expect(leg.tests.at(-1)).toMatchObject({ test: 'xclient', outcome: 'refused', stage: 'ehlo' });
    expect(leg.tests.at(-2)).toEqual({ test: 'ehlo-localhost-null', outcome: 'not-run', stage: 'greeting' });
    expect(leg.controls.map(({ test: id, outcome }) => [id, outcome])).toEqual([[POSITIVE_CONTROL, 'accepted']]);
  });

  test('has messages written down with who sends them and which mailboxes are theirs, before they leave', async () => {
    const sent: SentCanary[] = [];
    const expectCanary: LegOrder['expectCanary'] = async (about) => {
      sent.push(about);
      return { id: `canary${sent.length}`, token: `token${sent.length}` };
    };
    await audit([mailServer({ RCPT: say('250 Ok'), DATA: say('550 No') })], LIMITS, CAST, { expectCanary });
    const senders = Object.fromEntries(sent.map(({ test: id, from }) => [id, from]));
    expect(senders).toMatchObject({ plain: 'relay-audit@probe.example', 'null-sender': '' });
    const mailboxes = { prefix: 'relay-audit-01234567-', domain: 'canary.example' };
    expect(new Set(sent.map((each) => JSON.stringify(each.mailboxes)))).toEqual(new Set([JSON.stringify(mailboxes)]));
    for (const { recipient } of sent) expect(recipient).toContain('relay-audit-01234567'); // of SRS1 it is what is left when one level is taken off
  });

  test('has at most three negative controls', async () => {
    const { leg } = await audit([mailServer({ RCPT: say('250 Ok') })]);
    expect(leg.controls.filter(({ test: id }) => id.startsWith(NEGATIVE_CONTROL))).toHaveLength(3);
  });
});

describe('P7: a session never outlives its deadline', () => {
  // By a real clock, which goes on whatever the server does.
  beforeEach(() => {
    vi.useRealTimers();
    time = { clock: Date.now, onSilence: () => {} };
  });

  test.each<[string, Script]>([
    ['a server that drips without end', first({ kind: 'drip', text: '220-'.repeat(100_000) })],
    ['a server that never greets', first({ kind: 'silence' })],
    ['a server that never answers EHLO', mailServer({ EHLO: { kind: 'silence' } })],
    ['a server that never answers QUIT', mailServer({ MAIL: say('553 no'), QUIT: { kind: 'silence' } })],
  ])('%s', async (_, script) => {
    const { server, tookMs } = await audit([script], { ...LIMITS, sessionMs: 100, sittingMs: 300 });
    await server.idle(); // every socket was closed, not forgotten
    expect(tookMs).toBeLessThan(5_000);
  });
});

test('a server that answers QUIT never has still answered every test', async () => {
  const { leg } = await audit([mailServer({ QUIT: { kind: 'silence' } })]);
  expect(judgeLeg(leg)).toMatchObject({ verdict: 'closed', completed: ALL });
});

describe('connecting', () => {
  test('gives the socket of a server that takes the connection', async () => {
    const server = await start([first({ kind: 'silence' })]);
    const connection = await connect(LOCALHOST, server.port, LIMITS.connectMs, async () => undefined);
    expect(connection.kind).toBe('connected');
    if (connection.kind === 'connected') {
      expect(connection.socket.remoteAddress).toBe('127.0.0.1');
      connection.socket.destroy();
    }
  });

  test('says why there is none', async () => {
    const server = await start([mailServer()]);
    await server.stop();
    expect(await connect(LOCALHOST, server.port, LIMITS.connectMs, async () => undefined)).toEqual({
      kind: 'failed',
      contact: 'connection-refused',
    });
  });

  test('dials exactly the address that was permitted', async () => {
    const server = await start([mailServer()]);
    expect(await connect(permitted('127.0.0.2'), server.port, LIMITS.connectMs, async () => undefined)).toMatchObject({ kind: 'failed' });
  });

  test('dials nothing that has been vetoed since it was permitted', async () => {
    const server = await start([mailServer()]);
    expect(
      await connect(LOCALHOST, server.port, LIMITS.connectMs, async (address) => (address === '127.0.0.1' ? 'vetoed' : undefined)),
    ).toEqual({
      kind: 'failed',
      contact: 'vetoed',
    });
    expect(server.heard).toEqual([]);
  });

  test.each(['vetoed', 'unproven'] as const)(
    'that is refused in the middle of a leg makes the leg %s, whatever it has answered',
    async (refusal) => {
      let dials = 0;
      const askAtDial = async () => (dials++ === 0 ? undefined : refusal);
      const { leg, server } = await audit([mailServer()], LIMITS, CAST, { askAtDial });
      expect(leg.contact).toBe(refusal);
      expect(judgeLeg(leg).verdict).toBe('untestable');
      expect(server.heard).toHaveLength(1);
      expect(dials).toBe(2);
    },
  );

  test('that is put off in the middle of a leg leaves it unfinished', async () => {
    let dials = 0;
    const askAtDial = async () => (dials++ === 0 ? undefined : ('out-of-time' as const));
    const { leg, server } = await audit([mailServer()], LIMITS, CAST, { askAtDial });
    expect(judgeLeg(leg)).toMatchObject({ verdict: 'inconclusive', reason: 'out-of-time' });
    expect(server.heard).toHaveLength(1);
  });
});

test('a server that closes the connection at every sender has refused nothing, and is left after two tries', async () => {
  const { leg, server } = await audit([mailServer({ MAIL: { kind: 'close' } })], LIMITS, { ...CAST, servedDomains: [] });
  expect(judgeLeg(leg)).toMatchObject({ verdict: 'inconclusive', reason: 'dropped' });
  expect(server.heard.length).toBeLessThanOrEqual(3);
});
