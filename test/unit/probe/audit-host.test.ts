import { afterEach, expect, test } from 'vitest';
import { auditHost, mutePorts } from '../../../functions/probe/audit-host.ts';
import { parseNetwork } from '../../../shared/domain/address.ts';
import { PROBE_LIMITS } from '../../../shared/network/probe.ts';
import { CLOSED, sampleHost, sampleLeg } from '../../support/samples.ts';
import { mailServer, type Script, type ScriptedServer, say, startScriptedServer } from '../../support/scripted-smtp-server.ts';

const LOOPBACK = parseNetwork('127.0.0.0/8');

const started: ScriptedServer[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.stop()));
});

/** Audits one host with these servers at its ports, in their order. */
async function audit(scripts: readonly Script[], sittingMs: number) {
  for (const script of scripts) started.push(await startScriptedServer([script]));
  const host = sampleHost({ name: '127.0.0.1', ports: started.map((server) => server.port), servedDomains: ['served.example'] });
  return auditHost(host, {
    resolve: async () => ({ kind: 'absent' }),
    operatorNetworks: LOOPBACK === undefined ? [] : [LOOPBACK],
    ehloName: 'probe.example',
    canaryDomain: 'canary.example',
    limits: { ...PROBE_LIMITS, sittingMs },
  });
}

const hangs = mailServer({ EHLO: { kind: 'silence' } });

test('a port that uses up its time leaves the next port its share', async () => {
  const { judgement, legs } = await audit([hangs, mailServer({ RCPT: say('250 Ok') })], 3_000);
  expect(legs.map((leg) => leg.stopped)).toEqual(['out-of-time', undefined]);
  expect(judgement.verdict).toBe('suspected');
});

test('a port that was not done in our time keeps the host from closed', async () => {
  const { judgement } = await audit([mailServer(), hangs], 3_000);
  expect(judgement).toMatchObject({ verdict: 'inconclusive', reason: 'out-of-time' });
});

test('a port that was never got to says nothing of whether our way out is open', () => {
  const never = { ...sampleLeg(), contact: 'out-of-time' as const };
  expect(mutePorts({ judgement: CLOSED, legs: [never] })).toEqual([25]);
  expect(mutePorts({ judgement: CLOSED, legs: [{ ...never, contact: 'connection-refused' }] })).toEqual([]);
});
