import { afterEach, describe, expect, test } from 'vitest';
import { ended, nextSitting, restOf } from '../../../shared/domain/coverage.ts';
import type { LegEvidence } from '../../../shared/domain/scan.ts';
import { judgeHost, judgeLeg } from '../../../shared/domain/verdict.ts';
import type { LegOrder, ProbeLimits } from '../../../shared/network/leg-session.ts';
import { probeLeg } from '../../../shared/network/probe.ts';
import type { Cast } from '../../../shared/smtp/envelope-forms.ts';
import { permitted } from '../../support/gate.ts';
import { type Act, mailServer, type Script, type ScriptedServer, say, startScriptedServer } from '../../support/scripted-smtp-server.ts';

const CAST: Cast = {
  ourDomain: 'probe.example',
  senderDomain: 'bounces.canary.example',
  canaryDomain: 'canary.example',
  hostName: 'mx.served.example',
  addressLiteral: '[127.0.0.1]',
  servedDomains: ['served.example'],
  localPart: 'relay-audit-01234567',
  srsDay: 20_000,
};

const PATIENT: ProbeLimits = { connectMs: 20_000, replyMs: 20_000, sessionMs: 20_000, sittingMs: 20_000, pauseMs: 1 };

const started: ScriptedServer[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.stop()));
});

type Scanned = { readonly leg: LegEvidence; readonly sittings: number; readonly heard: readonly string[]; readonly sessions: string[][] };

function orderFor(port: number): Omit<LegOrder, 'limits' | 'deadline'> {
  let canaries = 0;
  return {
    target: permitted('127.0.0.1'),
    port,
    transport: 'plain',
    cast: CAST,
    scope: 'full',
    optOutAddress: 'postmaster@probe.example',
    clock: Date.now,
    askAtDial: async () => undefined,
    expectCanary: async () => ({ id: `canary${++canaries}`, token: `token${canaries}` }),
  };
}

/** Sittings at one leg of a server, until nothing is left to be asked of it. */
async function scan(script: Script, limits = PATIENT, more: Partial<LegOrder> = {}): Promise<Scanned> {
  const server = await startScriptedServer([script]);
  started.push(server);
  const order = orderFor(server.port);
  let leg: LegEvidence | undefined;
  for (let sittings = 1; ; sittings++) {
    leg = await probeLeg({ ...order, limits, deadline: Date.now() + limits.sittingMs, before: leg, ...more });
    if (restOf([leg]) !== 'another-sitting' || nextSitting(sittings, 1) === undefined)
      return { leg, sittings, heard: server.heard.flat(), sessions: server.heard };
  }
}

/** A server whose answers depend on what it was asked before in the same session. */
function perSession(make: () => (line: string) => Act | undefined, script = mailServer()): Script {
  let asked = make();
  return {
    ...script,
    answer: (line, before) => {
      if (before === 0) asked = make();
      return asked(line) ?? script.answer(line, before);
    },
  };
}

const isLocal = (line: string) => /@(mx\.)?served\.example>$/.test(line);
const relaying = mailServer({ RCPT: (line) => say(line.includes('nobody') ? '550 5.1.1 No such user' : '250 Ok') });
const done = (leg: LegEvidence) => expect(judgeLeg(leg)).toMatchObject({ completed: leg.tests.length, planned: leg.tests.length });
const messagesIn = (heard: readonly string[]) => heard.filter((line) => line === 'DATA').length;

describe('a server that takes any local part', () => {
  const catchAll = mailServer({ RCPT: (line) => say(isLocal(line) ? '250 Ok' : '550 5.7.1 Relaying denied') });

  test('waits for at most ten messages, none of them to a foreign domain', async () => {
    const { leg, heard } = await scan(catchAll);
    expect(judgeLeg(leg)).toMatchObject({ verdict: 'inconclusive', reason: 'awaiting-messages' });
    done(leg);
    expect(messagesIn(heard)).toBeLessThanOrEqual(10);
    expect(leg.canaries).toHaveLength(messagesIn(heard));
    for (const { outcome, negative } of leg.tests) if (outcome === 'accepted') expect(negative).toBeDefined();
    expect(ended([leg], 'waited').map((each) => judgeLeg(each).reason)).toEqual(['catch-all']);
  });

  test('is not told without a mailbox that a message could come back to', async () => {
    const { leg, heard } = await scan(catchAll, PATIENT, { expectCanary: undefined });
    expect(judgeLeg(leg)).toMatchObject({ verdict: 'inconclusive', reason: 'any-local-part' });
    expect(messagesIn(heard)).toBe(0);
  });

  test('and relays by the percent hack is suspected for that: its invented user is refused in that form alone', async () => {
    const routing = mailServer({
      RCPT: (line) => say(isLocal(line) && !line.includes('nobody%') ? '250 Ok' : '550 5.7.1 Relaying denied'),
    });
    expect(judgeLeg((await scan(routing)).leg)).toMatchObject({ verdict: 'suspected', reason: 'message-accepted' });
  });
});

test('a server that delays its refusals is done in a few sittings, and has not banned us', async () => {
  const tarpit = mailServer({
    RCPT: (line) =>
      line.includes('<postmaster@') ? say('250 Ok') : { kind: 'say-late', text: '550 5.7.1 Unable to relay\n', afterMs: 15 },
  });
  const { leg, sittings } = await scan(tarpit, { ...PATIENT, sittingMs: 500 });
  expect(judgeLeg(leg)).toMatchObject({ verdict: 'closed', reason: 'all-refused' });
  done(leg);
  expect(sittings).toBeGreaterThan(1);
  expect(sittings).toBeLessThanOrEqual(9);
});

describe('a server that takes five recipients a session', () => {
  const five = (script: Script) =>
    perSession(() => {
      let recipients = 0;
      return (line) => (line.startsWith('RCPT') && ++recipients > 5 ? say('450 4.7.1 Error: too many recipients') : undefined);
    }, script);

  test('and relays is suspected for a message that it took', async () => {
    expect(judgeLeg((await scan(five(relaying))).leg)).toMatchObject({ verdict: 'suspected', reason: 'message-accepted' });
  });

  test('and does not is closed, every test answered', async () => {
    const { leg } = await scan(five(mailServer()));
    expect(judgeLeg(leg).reason).toBe('all-refused');
    done(leg);
  });
});

test('a server that takes five recipients in all, however it is asked, is left alone after a few connections', async () => {
  let recipients = 0;
  const EHLO = say('250-mx.served.example\n250 PIPELINING');
  const script = mailServer({
    EHLO,
    RCPT: (line) => say(++recipients > 5 ? '450 4.7.1 Error: too many recipients from 192.0.2.1' : mailText(line)),
  });
  const greeting = say('220 mx.served.example ESMTP Postfix');
  const server = await startScriptedServer([{ ...script, greeting }]);
  started.push(server);
  const limits = { ...PATIENT, sittingMs: 3_000 };
  const deadline = Date.now() + limits.sittingMs;
  await probeLeg({ ...orderFor(server.port), limits, deadline });
  expect(server.heard.length).toBeLessThanOrEqual(20);
});

describe('a server that ends a session at the second error', () => {
  const two = (script: Script) =>
    perSession(() => {
      let errors = 0;
      return (line) => {
        const act = script.answer(line, 1);
        if (act.kind !== 'say' || !/^[45]/.test(act.text)) return undefined;
        return ++errors < 2 ? act : { kind: 'say-and-close', text: '421 4.7.0 Error: too many errors\n' };
      };
    }, script);

  test('and relays for bounces only is suspected for a message that it took', async () => {
    let from = '';
    const bounces = mailServer({
      MAIL: (line) => {
        from = line;
        return say('250 Ok');
      },
      RCPT: (line) => say(from.endsWith('<>') && !line.includes('nobody') ? '250 Ok' : mailText(line)),
    });
    expect(judgeLeg((await scan(two(bounces))).leg)).toMatchObject({ verdict: 'suspected', reason: 'message-accepted' });
  });

  test('and relays for nobody is closed, every test answered', async () => {
    const { leg } = await scan(two(mailServer()));
    expect(judgeLeg(leg)).toMatchObject({ verdict: 'closed', reason: 'all-refused' });
    done(leg);
  });
});

const mailText = (line: string) => (line.includes('<postmaster@') ? '250 Ok' : '554 5.7.1 Relay access denied');

test('a server without a postmaster is closed when it tells that apart from what it does not relay', async () => {
  const bare = mailServer({ RCPT: (line) => say(line.includes('<postmaster@') ? '550 5.1.1 User unknown' : '550 5.7.1 Relaying denied') });
  const { leg } = await scan(bare);
  expect(judgeLeg(leg)).toMatchObject({ verdict: 'closed', reason: 'all-refused' });
});

describe('a server that closes the connection at a second @', () => {
  const isOdd = (line: string) => /@[^@]*@/.test(line.replace(/^RCPT TO:<@/, ''));
  const closing = (script: Script): Script => ({
    ...script,
    answer: (line, before) => (line.startsWith('RCPT') && isOdd(line) ? { kind: 'close' } : script.answer(line, before)),
  });

  test('has refused that by closing twice, and the rest in words', async () => {
    const { leg, sessions } = await scan(closing(mailServer()));
    expect(judgeLeg(leg)).toMatchObject({ verdict: 'closed', reason: 'all-refused' });
    done(leg);
    const closed = leg.tests.filter(({ closings = 0 }) => closings > 0);
    expect(closed.length).toBeGreaterThan(0);
    for (const { closings, outcome } of closed) expect([closings, outcome]).toEqual([2, 'refused']);
    // The second time it is asked for nothing else that could be why.
    const asked = sessions.filter((lines) => isOdd(lines.at(-1) ?? ''));
    expect(asked).toHaveLength(2 * closed.length);
  });

  test('and relays has taken a message before it is asked for anything odd', async () => {
    const { leg, heard } = await scan(closing(relaying));
    expect(judgeLeg(leg)).toMatchObject({ verdict: 'suspected', reason: 'message-accepted' });
    expect(heard.indexOf('DATA')).toBeLessThan(heard.findIndex((line) => line.startsWith('RCPT') && isOdd(line)));
  });
});

test('a server that takes no sender after a null one is closed, every test answered, in hardly more sessions', async () => {
  const spent = perSession(() => {
    let isSpent = false;
    return (line) => {
      if (isSpent && line.startsWith('MAIL')) return say('503 5.5.1 Sender already specified');
      isSpent ||= line === 'MAIL FROM:<>';
      return undefined;
    };
  });
  const { leg, sessions } = await scan(spent);
  expect(judgeLeg(leg)).toMatchObject({ verdict: 'closed', reason: 'all-refused' });
  done(leg);
  const nulls = leg.tests.filter(({ from }) => from === '<>').length;
  expect(sessions.length).toBeLessThanOrEqual((await scan(mailServer())).sessions.length + nulls + 1);
});

test.each([
  ['answers RSET with 500, and closes', { kind: 'say-and-close', text: '500 5.5.1 What?\n' }],
  ['closes at RSET', { kind: 'close' }],
  ['answers RSET with 502', say('502 5.5.1 Not here')],
] as const)('a server that %s is asked one transaction a session, and carried through', async (_, act) => {
  const closed = await scan(mailServer({ RSET: act }));
  expect(judgeLeg(closed.leg)).toMatchObject({ verdict: 'closed', reason: 'all-refused' });
  done(closed.leg);
  expect(closed.heard.filter((line) => line === 'RSET')).toHaveLength(1);
  const open = await scan({ ...relaying, answer: (line, before) => (line === 'RSET' ? act : relaying.answer(line, before)) });
  expect(judgeLeg(open.leg)).toMatchObject({ verdict: 'suspected', reason: 'message-accepted' });
});

test('TLS that no settings set up is called broken in the second sitting, and leaves a closed plain leg closed', async () => {
  const offering = mailServer({ EHLO: say('250-mx.served.example\n250 STARTTLS') });
  const broken: Script = {
    ...offering,
    answer: (line, before) => {
      if (line === 'STARTTLS') return say('220 2.0.0 Go ahead');
      return line.startsWith('EHLO') ? offering.answer(line, before) : { kind: 'say-and-close', text: 'what?\n' };
    },
  };
  const plain = { ...(await scan(offering)).leg, port: 25 };
  const { leg, sittings } = await scan(broken, PATIENT, { transport: 'starttls' });
  expect([sittings, leg.brokenTls?.sittings]).toEqual([2, 2]);
  const inside = { ...leg, port: 25 };
  const once = { ...inside, brokenTls: { sittings: 1, why: '' } };
  expect(judgeHost([plain, once], [])).toMatchObject({ verdict: 'inconclusive', reason: 'tls-failed' });
  expect(judgeHost([plain, inside], [])).toMatchObject({ verdict: 'closed', reason: 'all-refused' });
});

test('a server that puts off every foreign recipient for ever does not relay, once its sittings are used up', async () => {
  const deferring = mailServer({ RCPT: (line) => say(line.includes('<postmaster@') ? '250 Ok' : '451 4.3.0 Try again') });
  const { leg, sittings, heard } = await scan(deferring);
  expect(sittings).toBe(10);
  expect(judgeLeg(leg)).toMatchObject({ verdict: 'inconclusive' });
  expect(ended([leg], 'sittings-used-up').map((each) => judgeLeg(each))).toMatchObject([{ verdict: 'closed', reason: 'always-deferred' }]);
  // With the same triplet each time, for a server that greylists to know it again.
  const plain = heard.filter((line) => line.includes('-plain@'));
  expect(plain).toHaveLength(10);
  expect(new Set(plain).size).toBe(1);
});
