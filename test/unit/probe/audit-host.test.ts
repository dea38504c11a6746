import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type AuditOrder, type AuditRules, auditHost, castFor, mutePorts } from '../../../functions/probe/audit-host.ts';
import { type Finding, judgementOf } from '../../../functions/probe/finding.ts';
import { parseAddress } from '../../../shared/domain/address.ts';
import type { LegCosts } from '../../../shared/domain/scan.ts';
import { judgeLeg } from '../../../shared/domain/verdict.ts';
import { PROBE_LIMITS } from '../../../shared/network/leg-session.ts';
import { ANY_TURN, gateTo } from '../../support/gate.ts';
import { type LeapingTime, startLeapingTime } from '../../support/leaping-time.ts';
import { sampleHost, sampleLeg } from '../../support/samples.ts';
import { mailServer, type Script, type ScriptedServer, say, startScriptedServer } from '../../support/scripted-smtp-server.ts';
import { startTlsMailServer } from '../../support/tls-mail-server.ts';

let time: LeapingTime;
beforeEach(() => {
  time = startLeapingTime();
});
const started: ScriptedServer[] = [];
afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(started.splice(0).map((server) => server.stop()));
});

/** Audits one host with these servers at its ports, in their order. */
async function audit(scripts: readonly Script[], sittingMs: number, order: Partial<AuditOrder> = {}) {
  for (const script of scripts) started.push(await startScriptedServer([script], undefined, time.onSilence));
  const host = sampleHost({ name: '127.0.0.1', ports: started.map((server) => server.port), servedDomains: ['served.example'] });
  return auditHost(host, { scope: 'full', takeTurn: ANY_TURN, expectCanary: async () => undefined, ...order }, RULES(sittingMs));
}

const RULES = (sittingMs: number): AuditRules => ({
  gate: gateTo(['127.0.0.0/8'], { now: time.clock }),
  families: [4, 6],
  ehloName: 'probe.example',
  canaryDomain: 'canary.example',
  optOutAddress: 'postmaster@probe.example',
  limits: { ...PROBE_LIMITS, sittingMs },
});

const mailServerRcpt = (line: string) => (line.includes('<postmaster@') ? '250 2.1.5 Ok' : '554 5.7.1 Relay access denied');

const hangs = mailServer({ EHLO: { kind: 'silence' } });

test('a port that uses up our time is gone on with after those that we never got to', async () => {
  const first = await audit([hangs, mailServer()], 1_000);
  expect(first.legs.map((leg) => leg.contact)).toEqual(['answered', 'out-of-time']);
  const servers = [...started];
  const host = sampleHost({ name: '127.0.0.1', ports: servers.map(({ port }) => port), servedDomains: ['served.example'] });
  const { legs } = await auditHost(host, { scope: 'full', takeTurn: ANY_TURN, before: first.legs }, RULES(60_000));
  expect(legs.map((leg) => [leg.port, judgeLeg(leg).reason])).toEqual([
    [servers[0]?.port, 'out-of-time'],
    [servers[1]?.port, 'all-refused'],
  ]);
});

test('a port that is not there costs the next one none of its time', async () => {
  const gone = await startScriptedServer([mailServer()]);
  await gone.stop();
  const there = await startScriptedServer([mailServer()]);
  started.push(there);
  const host = sampleHost({ name: '127.0.0.1', ports: [gone.port, there.port], servedDomains: ['served.example'] });
  const judgement = judgementOf(await auditHost(host, { scope: 'full', takeTurn: ANY_TURN }, RULES(5_000)), []);
  expect(judgement).toMatchObject({ verdict: 'closed', completed: judgement.planned });
});

test('a port that was not done in our time keeps the host from closed', async () => {
  const judgement = judgementOf(await audit([mailServer(), hangs], 3_000), []);
  expect(judgement).toMatchObject({ verdict: 'inconclusive', reason: 'out-of-time' });
});

test('a port that was never got to says nothing of whether our way out is open', () => {
  const never = { ...sampleLeg(), contact: 'out-of-time' as const };
  expect(mutePorts({ legs: [never] })).toEqual([25]);
  expect(mutePorts({ legs: [{ ...never, contact: 'connection-refused' }] })).toEqual([]);
});

const EMPTY: LegCosts = { connections: 0, commands: 0, roundTrips: 0, refusals: 0 };

test('a core provokes at most four refusals of an address, whatever turn it is', async () => {
  for (const rotation of [0, 1, 2, 3, 40]) {
    const finding = await audit([mailServer(), mailServer()], 10_000, { scope: { rotation } });
    const { legs } = finding;
    const judgement = judgementOf(finding, []);
    expect(judgement.verdict).toBe('closed');
    expect(legs.reduce((sum, leg) => sum + leg.costs.refusals, 0)).toBeLessThanOrEqual(4);
    await Promise.all(started.splice(0).map((server) => server.stop()));
  }
});

test('a later sitting asks only what the earlier ones left', async () => {
  const greylists = mailServer({ RCPT: (line) => say(line.includes('-plain@') ? '450 4.7.1 Greylisted' : mailServerRcpt(line)) });
  const first = await audit([greylists], 10_000);
  expect(judgementOf(first, [])).toMatchObject({ verdict: 'inconclusive', reason: 'greylisted' });
  await started.pop()?.stop();
  const port = first.legs[0]?.port ?? 0;
  const later = await startScriptedServer([mailServer()]);
  started.push(later);
  const before = first.legs.map((leg) => ({ ...leg, port: leg.port === port ? later.port : leg.port }));
  const second = await auditHost(
    sampleHost({ name: '127.0.0.1', ports: [later.port], servedDomains: ['served.example'] }),
    { scope: 'full', takeTurn: ANY_TURN, expectCanary: async () => undefined, before },
    RULES(10_000),
  );
  expect(judgementOf(second, [])).toMatchObject({ verdict: 'closed', completed: judgementOf(second, []).planned });
  expect(later.heard.flat().filter((line) => line.startsWith('RCPT') && !line.includes('<postmaster@'))).toHaveLength(1);
  expect(second.legs[0]?.costs.connections).toBeGreaterThan(first.legs[0]?.costs.connections ?? 0);
});

test('a later sitting asks anew what was asked with a domain that the owner has taken off since', async () => {
  const first = await audit([mailServer()], 10_000);
  const unfinished = first.legs.map((leg) => ({
    ...leg,
    tests: leg.tests.map((each, i) => (i === 0 ? { ...each, outcome: 'deferred' as const } : each)),
  }));
  const server = started[0];
  const before = server?.heard.length ?? 0;
  const host = sampleHost({ name: '127.0.0.1', ports: [server?.port ?? 0], servedDomains: ['new.example'] });
  await auditHost(host, { scope: 'full', takeTurn: ANY_TURN, expectCanary: async () => undefined, before: unfinished }, RULES(10_000));
  const said = server?.heard.slice(before).flat() ?? [];
  expect(said).toContain('MAIL FROM:<relay-audit@new.example>');
  expect(said.join(' ')).not.toContain('@served.example');
});

test('an address of a family that we have no way out over is not dialled, and is said to be untested', async () => {
  const finding = await auditHost(
    sampleHost({ name: '127.0.0.1', ports: [25] }),
    { scope: 'full', takeTurn: ANY_TURN, expectCanary: async () => undefined },
    { ...RULES(1_000), families: [6] },
  );
  expect(judgementOf(finding, [])).toMatchObject({ verdict: 'untestable', reason: 'no-ipv6-here' });
  expect(finding.legs).toMatchObject([{ contact: 'no-ipv6-here', costs: EMPTY, transcript: [] }]);
});

describe('a port that is silent after another refused us', () => {
  async function auditBoth(first: Script): Promise<Finding> {
    started.push(await startScriptedServer([first]));
    const gone = await startScriptedServer([mailServer()]);
    await gone.stop();
    const host = sampleHost({ name: '127.0.0.1', ports: [started[0]?.port ?? 0, gone.port], servedDomains: ['served.example'] });
    return auditHost(host, { scope: 'full', takeTurn: ANY_TURN, expectCanary: async () => undefined }, RULES(10_000));
  }

  test('is absent when that other still takes connections', async () => {
    const finding = await auditBoth(mailServer());
    const { legs } = finding;
    const judgement = judgementOf(finding, []);
    expect(legs.map((leg) => judgeLeg(leg).verdict)).toEqual(['closed', 'unreachable']);
    expect(judgement.verdict).toBe('closed');
  });
});

test('a port that was closed to us by a ban, with the one before it, is not absent', async () => {
  const relaying = await startScriptedServer([mailServer({ RCPT: say('250 Ok') })]);
  await relaying.stop();
  // It answers all of its tests, and then its port is gone.
  const banning = await startScriptedServer([
    { ...mailServer({}, { greeting: say('220 mx.served.example ESMTP Haraka/3') }), stopsListeningAt: 100 },
  ]);
  started.push(banning);
  const host = sampleHost({ name: '127.0.0.1', ports: [banning.port, relaying.port], servedDomains: ['served.example'] });
  const order = { scope: 'full', takeTurn: ANY_TURN, expectCanary: async () => undefined } as const;
  const first = await auditHost(host, order, RULES(10_000));
  expect(first.legs[0]).toMatchObject({ contact: 'answered' });
  expect(judgementOf(first, [])).toMatchObject({ verdict: 'inconclusive', reason: 'fell-silent' });
  const second = await auditHost(host, { ...order, before: first.legs }, RULES(10_000));
  expect(judgementOf(second, [])).toMatchObject({ verdict: 'untestable', reason: 'probably-banned' });
});

test.each([
  ['is used while its domain is proven', ['example.net'], 'office@example.net'],
  ['leaves its place to postmaster while only another domain is proven', ['example.org'], undefined],
  ['leaves its place to postmaster while none is', [], undefined],
])('the control mailbox that an owner named %s', (_, proven, used) => {
  const host = sampleHost({ servedDomains: ['example.org', 'example.net'], controlMailbox: 'office@example.net' });
  const address = parseAddress('192.0.2.1') ?? expect.fail();
  expect(castFor(host, address, proven, RULES(1))).toMatchObject({ servedDomains: proven, controlMailbox: used });
});

describe('a port beside one that takes long', () => {
  // The first port says nothing for all of our time; the second is asked after `connectMs` whether it is there.
  async function auditBeside(port: number, order: Partial<AuditOrder> = {}) {
    vi.useRealTimers(); // time that leaps would leap past the second port
    const slow = await startScriptedServer([hangs]);
    started.push(slow);
    const host = sampleHost({ name: '127.0.0.1', ports: [slow.port, port], servedDomains: ['served.example'] });
    const rules = { ...RULES(1_500), gate: gateTo(['127.0.0.0/8']) };
    const finding = await auditHost(
      host,
      { scope: 'full', takeTurn: ANY_TURN, ...order },
      { ...rules, limits: { ...rules.limits, connectMs: 1_000 } },
    );
    return finding.legs.map(({ contact }) => contact);
  }

  test('is told absent where nothing is there, though our time ran out', async () => {
    const gone = await startScriptedServer([mailServer()]);
    await gone.stop();
    expect(await auditBeside(gone.port)).toEqual(['answered', 'connection-refused']);
  });

  test('is asked by a connection without a word where something is, and gone on with later', async () => {
    const there = await startScriptedServer([mailServer()]);
    started.push(there);
    expect(await auditBeside(there.port)).toEqual(['answered', 'out-of-time']);
    await there.idle();
    expect(there.heard).toEqual([[]]);
  });

  test('is not asked again when an earlier sitting has seen it', async () => {
    const there = await startScriptedServer([mailServer()]);
    started.push(there);
    const leg = { ...sampleLeg(), address: '127.0.0.1', port: there.port };
    expect(await auditBeside(there.port, { before: [leg] })).toEqual(['answered', 'answered']);
    expect(there.heard).toEqual([]);
  });
});

test('a server that offers STARTTLS is asked inside it too, and may accept there what it refuses outside', async () => {
  vi.useRealTimers(); // nobody is silent here, so nothing would move them
  const inside = await startTlsMailServer();
  try {
    const host = sampleHost({ name: '127.0.0.1', ports: [inside.port], servedDomains: ['served.example'] });
    const { legs } = await auditHost(host, { scope: 'full', takeTurn: ANY_TURN }, { ...RULES(10_000), gate: gateTo(['127.0.0.0/8']) });
    const ofPlain = legs.map(({ transport, tests }) => [transport, tests.find(({ test }) => test === 'plain')?.outcome]);
    expect(ofPlain).toEqual([
      ['plain', 'refused'],
      ['starttls', 'accepted'],
    ]);
  } finally {
    await inside.stop();
  }
});
