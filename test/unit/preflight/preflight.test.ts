import type { Answer } from 'dns-packet';
import { afterEach, expect, test } from 'vitest';
import { preflight } from '../../../functions/preflight/preflight.ts';
import { newResolver } from '../../../shared/network/lookups.ts';
import { type ScriptedDns, startScriptedDns } from '../../support/scripted-dns-server.ts';

const RULES = { ehloName: 'probe.example', canaryDomain: 'canary.example', egressAddress: '203.0.113.9', blocklists: [] };

const says = (...answers: readonly Answer[]) => ({ answers });
const mx = (name: string): Answer => ({ type: 'MX', name, ttl: 60, data: { exchange: 'in.example', preference: 10 } });
const txt = (name: string, data: string): Answer => ({ type: 'TXT', name, ttl: 60, data });

// The scripted server answers whatever type is asked with all that it knows of a name.
const ZONE = {
  'probe.example': says({ type: 'A', name: 'probe.example', ttl: 60, data: '203.0.113.9' }),
  '9.113.0.203.in-addr.arpa': says({ type: 'PTR', name: '9.113.0.203.in-addr.arpa', ttl: 60, data: 'probe.example' }),
  'canary.example': says(mx('canary.example'), txt('canary.example', 'v=spf1 -all')),
  'served.example.canary.example': says(mx('served.example.canary.example')),
  'bounces.canary.example': says(mx('bounces.canary.example'), txt('bounces.canary.example', 'v=spf1 ip4:203.0.113.9 -all')),
};

let dns: ScriptedDns;
afterEach(() => dns.stop());

async function faultsOf(zone: Parameters<typeof startScriptedDns>[0]): Promise<string[]> {
  dns = await startScriptedDns(zone);
  const faults = await preflight(RULES, newResolver([dns.address]));
  return faults.map(({ check }) => check);
}

test('with all records in place there is no fault', async () => {
  expect(await faultsOf(ZONE)).toEqual([]);
});

test.each([
  ['served.example.canary.example', ['below-canary-mx']],
  ['bounces.canary.example', ['bounces-mx', 'bounces-spf']],
  ['canary.example', ['canary-mx', 'canary-spf']],
])('without the records of %s mail would not come back, or our sender not be believed: %j', async (name, faults) => {
  const { [name as keyof typeof ZONE]: _missing, ...rest } = ZONE;
  expect(await faultsOf(rest)).toEqual(faults);
});

test('an SPF record of our sender that does not name the egress address is a fault', async () => {
  const bounces = says(mx('bounces.canary.example'), txt('bounces.canary.example', 'v=spf1 ip4:203.0.113.8 -all'));
  expect(await faultsOf({ ...ZONE, 'bounces.canary.example': bounces })).toEqual(['bounces-spf']);
});
