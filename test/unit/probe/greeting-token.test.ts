import { afterEach, describe, expect, test } from 'vitest';
import { type AuditOrder, auditHost } from '../../../functions/probe/audit-host.ts';
import type { LegEvidence } from '../../../shared/domain/scan.ts';
import { probeLeg } from '../../../shared/network/probe.ts';
import { takeOverDials, type Wire } from '../../support/adversary-net.ts';
import { ANY_TURN, gateTo, permitted } from '../../support/gate.ts';
import { sampleHost } from '../../support/samples.ts';
import { mailServer, type Script, type ScriptedServer, say, startScriptedServer } from '../../support/scripted-smtp-server.ts';

const TOKEN = `ra1-${'a'.repeat(24)}`;
const OTHER = `ra1-${'b'.repeat(24)}`;
const LIMITS = { connectMs: 5_000, replyMs: 300, sessionMs: 20_000, sittingMs: 20_000, pauseMs: 1 };
const OURS = 'probe.example';

const started: ScriptedServer[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.stop()));
});

/** Probes a server that only its greeting can prove to be the account's. */
async function probe(script: Script, port?: number) {
  const server = await startScriptedServer([script]);
  started.push(server);
  if (port !== undefined) await server.stop();
  const leg = await probeLeg({
    target: { ...permitted('127.0.0.1'), token: TOKEN },
    port: port ?? server.port,
    transport: 'plain',
    cast: {
      ourDomain: OURS,
      senderDomain: OURS,
      canaryDomain: 'canary.example',
      hostName: 'mx.served.example',
      addressLiteral: '[127.0.0.1]',
      servedDomains: ['served.example'],
      localPart: 'relay-audit-01234567',
      srsDay: 20_000,
    },
    scope: ['plain'],
    limits: LIMITS,
    deadline: Date.now() + LIMITS.sittingMs,
    optOutAddress: 'postmaster@probe.example',
    isVetoed: () => false,
  });
  return { leg, heard: server.heard };
}

const ehlo = (...lines: readonly string[]) =>
  mailServer({ EHLO: say(lines.map((line, index) => `250${index < lines.length - 1 ? '-' : ' '}${line}`).join('\n')) });
const greeting = (text: string) => mailServer({}, { greeting: say(text) });

describe('a server that shows the token is probed', () => {
  test.each<[string, Script]>([
    ['in its greeting', greeting(`220 mx.served.example ESMTP ${TOKEN}`)],
    ['in capitals', greeting(`220 mx.served.example ESMTP ${TOKEN.toUpperCase()}`)],
    ['in the first of several lines', greeting(`220-mx.served.example ESMTP ${TOKEN}\n220 no spam`)],
    ['in the last of several lines', greeting(`220-mx.served.example ESMTP\n220-welcome\n220 ${TOKEN}`)],
    ['as an EHLO keyword', ehlo('mx.served.example', '8BITMIME', TOKEN)],
    ['as an EHLO keyword in capitals', ehlo('mx.served.example', TOKEN.toUpperCase(), 'SIZE 100')],
    ['as the parameter of an EHLO keyword', ehlo('mx.served.example', `XPROOF ${TOKEN}`)],
  ])('%s', async (_, script) => {
    const { leg, heard } = await probe(script);
    expect(leg.contact).toBe('answered');
    expect(leg.tests).toMatchObject([{ test: 'plain', outcome: 'refused', stage: 'rcpt' }]);
    expect(heard.flat().some((line) => line.startsWith('RCPT TO:'))).toBe(true);
    expect(heard.flat().filter((line) => /ra1-/i.test(line))).toEqual([]);
  });
});

const LEFT_ALONE: Omit<LegEvidence, 'port'> = {
  address: '127.0.0.1',
  transport: 'plain',
  contact: 'unproven',
  costs: { connections: 0, commands: 0, roundTrips: 0, refusals: 0 },
  tests: [],
  controls: [],
  transcript: [],
};
const POLITE = [[`EHLO ${OURS}`, 'QUIT']];

describe('a server that does not show it hears EHLO and QUIT at most, and nothing is told of it', () => {
  test.each<[string, Script, string[][]]>([
    ['a common server', mailServer(), POLITE],
    ["one with another account's token", greeting(`220 mx ESMTP ${OTHER}`), POLITE],
    ['one with the token as a part of a word', greeting(`220 mx ESMTP x${TOKEN} ${TOKEN}.example`), POLITE],
    ['one with the token over two lines', greeting(`220-mx ${TOKEN.slice(0, 14)}\n220 ${TOKEN.slice(14)}`), POLITE],
    ['one with the token in the first line of its EHLO answer, where names are echoed', ehlo(TOKEN, '8BITMIME'), POLITE],
    ['one that refuses EHLO with the token', mailServer({ EHLO: say(`550-no\n550 ${TOKEN}`) }), POLITE],
    ['one that does not know EHLO', mailServer({ EHLO: say('502 what?') }), POLITE],
    ['one that refuses us with the token', greeting(`554-go away\n554 ${TOKEN}`), [['QUIT']]],
    ['one that is too busy', greeting('421 later'), [['QUIT']]],
    ['one that closes at EHLO', mailServer({ EHLO: { kind: 'close' } }), [[`EHLO ${OURS}`]]],
    ['one that is silent at EHLO', mailServer({ EHLO: { kind: 'silence' } }), [[`EHLO ${OURS}`]]],
    ['one that closes at once', mailServer({}, { greeting: { kind: 'close' } }), [[]]],
    ['one that never greets', mailServer({}, { greeting: { kind: 'silence' } }), [[]]],
    ['one that speaks no SMTP', greeting('HTTP/1.1 400 Bad Request'), [[]]],
    ['one that shows the token at QUIT', mailServer({ QUIT: { kind: 'say-and-close', text: `221 ${TOKEN}\n` } }), POLITE],
    ['one that relays for anybody', mailServer({ RCPT: say('250 Ok') }), POLITE],
  ])('%s', async (_, script, heard) => {
    const probed = await probe(script);
    const { port, ...leg } = probed.leg;
    expect(leg).toEqual(LEFT_ALONE);
    expect(probed.heard).toEqual(heard);
  });

  test('one that refuses the connection', async () => {
    const { port, ...leg } = (await probe(mailServer(), 1)).leg;
    expect(leg).toEqual(LEFT_ALONE);
  });
});

describe('a server that echoes what it is told proves nothing, since our side never says the token', () => {
  test.each<[string, Script]>([
    ['the name in EHLO', mailServer({ EHLO: (line) => say(`250-hello ${line}\n250-${line.slice('EHLO '.length)}\n250 8BITMIME`) })],
    ['every line', { greeting: say('220 mx ESMTP echo'), answer: (line) => say(`250-${line}\n250 ${line}`) }],
    ['what it does not know', { greeting: say('220 mx ESMTP'), answer: (line) => say(`500 unknown command ${line}`) }],
  ])('%s', async (_, script) => {
    const { leg, heard } = await probe(script);
    expect(leg.contact).toBe('unproven');
    expect(heard.flat().every((line) => line === `EHLO ${OURS}` || line === 'QUIT')).toBe(true);
  });
});

const ADDRESS = '185.1.1.1';

/** A server without a wire: what it greets with, and whether it puts recipients off. */
function wire(word: string, rcpt = '554 5.7.1 Relay access denied'): Wire {
  return {
    greeting: `220 mx ESMTP ${word}\r\n`,
    answer: (line) =>
      line.startsWith('EHLO')
        ? '250-mx\r\n250 8BITMIME\r\n'
        : line.startsWith('RCPT')
          ? `${rcpt}\r\n`
          : line === 'QUIT'
            ? '221 bye\r\n'
            : '250 ok\r\n',
  };
}

/** Audits an address by its greeting; says how many looks were taken and given back. */
async function audit(servers: Record<number, Wire | undefined>, before?: readonly LegEvidence[]) {
  const heard: string[] = [];
  const looks = { taken: 0, givenBack: 0 };
  const putBack = takeOverDials((_, port) => {
    heard.push(`dial ${port}`);
    const server = servers[port];
    if (server === undefined) return undefined;
    const answer = (line: string) => {
      heard.push(line);
      return server.answer(line);
    };
    return { ...server, answer };
  });
  const gate = gateTo([], {
    tokenOf: () => TOKEN,
    mayLookAtGreeting: async () => ++looks.taken > 0,
    greetingProved: async () => void looks.givenBack++,
  });
  const rules = {
    gate,
    families: [4, 6] as const,
    ehloName: OURS,
    canaryDomain: 'canary.example',
    optOutAddress: 'a@probe.example',
    limits: LIMITS,
  };
  const order: AuditOrder = { scope: 'full', takeTurn: ANY_TURN, before };
  try {
    const { legs, judgement } = await auditHost(sampleHost({ name: ADDRESS, ports: Object.keys(servers).map(Number) }), order, rules);
    return { legs, judgement, heard, looks };
  } finally {
    putBack();
  }
}

describe('a look at the greeting', () => {
  test('is given back when the token was there', async () => {
    const { looks, judgement } = await audit({ 25: wire(TOKEN) });
    expect(judgement.verdict).toBe('closed');
    expect(looks).toEqual({ taken: 1, givenBack: 1 });
  });

  test('is given back once, however many ports show the token', async () => {
    expect((await audit({ 25: wire(TOKEN), 587: wire(TOKEN) })).looks).toEqual({ taken: 1, givenBack: 1 });
  });

  test.each<[string, Wire | undefined]>([
    ['the token was not there', wire('')],
    ['nobody answered', undefined],
  ])('is used up when %s, and the other ports are left alone', async (_, server) => {
    const { looks, heard, legs, judgement } = await audit({ 25: server, 587: wire(TOKEN) });
    expect(looks).toEqual({ taken: 1, givenBack: 0 });
    expect(heard.filter((line) => line.startsWith('dial'))).toEqual(['dial 25']);
    expect(legs.map(({ contact }) => contact)).toEqual(['unproven', 'unproven']);
    expect(judgement.reason).toBe('no-consent');
  });

  test('shows nothing of another port: that must show the token itself', async () => {
    const { legs, heard } = await audit({ 25: wire(TOKEN), 587: wire('') });
    expect(legs.map(({ port, contact }) => [port, contact])).toEqual([
      [25, 'answered'],
      [587, 'unproven'],
    ]);
    expect(heard.slice(heard.indexOf('dial 587'))).toEqual(['dial 587', `EHLO ${OURS}`, 'QUIT']);
  });
});

describe('in a later sitting of a scan', () => {
  test('a server that shows the token no more is left alone, and nothing of it is told', async () => {
    const first = await audit({ 25: wire(TOKEN, '451 4.3.0 later') });
    expect(first.judgement.reason).toBe('deferred');
    const { legs, heard, looks } = await audit({ 25: wire('moved') }, first.legs);
    expect(new Set(heard)).toEqual(new Set(['dial 25', `EHLO ${OURS}`, 'QUIT']));
    expect(legs).toMatchObject([{ ...LEFT_ALONE, address: ADDRESS }]);
    expect(looks).toEqual({ taken: 1, givenBack: 0 });
  });

  test('what an earlier one settled gives no look back', async () => {
    const first = await audit({ 25: wire(TOKEN), 587: wire(TOKEN, '451 4.3.0 later') });
    const { heard, looks } = await audit({ 25: wire('moved'), 587: wire('moved') }, first.legs);
    expect(heard).not.toContain('dial 25');
    expect(looks).toEqual({ taken: 1, givenBack: 0 });
  });

  test('what is shown in this one gives its look back, whichever port it is', async () => {
    const first = await audit({ 25: wire(TOKEN), 587: wire(TOKEN, '451 4.3.0 later') });
    const { judgement, looks } = await audit({ 25: wire(TOKEN), 587: wire(TOKEN) }, first.legs);
    expect(judgement.verdict).toBe('closed');
    expect(looks).toEqual({ taken: 1, givenBack: 1 });
  });
});
