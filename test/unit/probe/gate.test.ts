import { afterEach, expect, test } from 'vitest';
import { type GateServices, openGate } from '../../../functions/probe/gate.ts';
import { parseAddress } from '../../../shared/domain/address.ts';
import { secretsFrom } from '../../../shared/runtime/secrets.ts';
import { NOON, sampleHost } from '../../support/samples.ts';

const ADDRESS = parseAddress('185.1.1.1') ?? expect.fail();
let now = NOON;
let close = () => {};
afterEach(() => {
  close();
  now = NOON;
});

/** A gate on a table that knows this and nothing else. */
async function gateOn(known: Partial<GateServices['store']>) {
  const store: GateServices['store'] = {
    neverList: async () => [],
    pausesOf: async () => [],
    findPresence: async () => undefined,
    findHost: async () => undefined,
    ...known,
  };
  const secrets = secretsFrom('a secret of this deployment, long enough');
  const opened = await openGate({ store, secrets, clock: () => now, dnsServers: ['127.0.0.1'], onError: () => {} });
  close = opened.close;
  return opened.gate;
}

test('hosts of a batch that look again share their answers for five seconds', async () => {
  const gate = await gateOn({});
  const first = gate.lookAgain();
  now += 5_000;
  expect(gate.lookAgain()).toBe(first);
  now += 1;
  const second = gate.lookAgain();
  expect(second).not.toBe(first);
  now += 5_000;
  expect(gate.lookAgain()).toBe(second);
});

test('an address speaks for the scan that it has asked for, as long as that holds', async () => {
  const asked = { hostId: 'host', scanId: 'scan', address: ADDRESS.text, until: NOON + 1 };
  const findPresence = async (hostId: string, scanId: string) => (hostId === 'host' && scanId === 'scan' ? asked : undefined);
  const gate = await gateOn({ findPresence });
  const host = { ...sampleHost(), id: 'host' };
  expect(await gate.isThere(host, 'scan', ADDRESS)).toBe(true);
  expect(await gate.isThere(host, 'another', ADDRESS)).toBe(false);
  now += 1;
  expect(await gate.isThere(host, 'scan', ADDRESS)).toBe(false);
});

test('a host is registered as long as the table has it', async () => {
  const host = sampleHost();
  const gate = await gateOn({ findHost: async (accountId, id) => (accountId === host.accountId && id === host.id ? host : undefined) });
  expect(await gate.isRegistered(host)).toBe(true);
  expect(await gate.isRegistered(sampleHost())).toBe(false);
});

test('the addresses that are paused now are told', async () => {
  const gate = await gateOn({
    pausesOf: async (of, at) => (at === NOON ? of : []).map((address) => ({ address, since: NOON, until: NOON + 1 })),
  });
  expect(await gate.pausedAmong(['185.1.1.1', '185.1.1.2'])).toEqual(['185.1.1.1', '185.1.1.2']);
  now += 1;
  expect(await gate.pausedAmong(['185.1.1.1'])).toEqual([]);
});
