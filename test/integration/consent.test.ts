import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { hasDns } from '../support/dns/server.ts';
import { needsMta } from '../support/mta/namespace.ts';

const FLOW = fileURLToPath(new URL('../support/consent-flow.ts', import.meta.url));

// The public addresses exist on the loopback of this network alone; nothing can leave it.
const IN_A_NETWORK = 'ip link set lo up && ip addr add 192.88.98.1/32 dev lo && ip addr add 192.88.98.2/32 dev lo && exec "$@"';

describe.skipIf(!hasDns())(`P1: no probe without live consent, by a real name server (${needsMta('nsd')})`, () => {
  // biome-ignore lint/suspicious/noExplicitAny: answers of every shape
  let seen: any;

  beforeAll(async () => {
    const command = [process.execPath, '--disable-warning=ExperimentalWarning', FLOW];
    const { stdout } = await promisify(execFile)('unshare', ['--net', 'sh', '-c', IN_A_NETWORK, 'sh', ...command], { timeout: 170_000 });
    seen = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  }, 180_000);

  test('a newcomer gets from an account to the first verdict in under ten calls', () => {
    expect(seen.statuses).toEqual([202, 201, 200, 201, 200, 200]);
    expect(seen.newcomerCalls).toBeLessThan(10);
    expect(seen.first).toMatchObject({ verdict: 'closed' });
    expect(seen.first.completed).toBe(seen.first.planned);
  });

  test('before the proof stands nothing is sent, and the answer says which record is missing', () => {
    expect(seen.packets.beforeProof).toBe(0);
    expect(seen.before).toMatchObject({ complete: false, name: { proven: false } });
    expect(seen.before.add[0].record).toBe(`_relay-audit.mx.customer.example. IN TXT "${seen.before.token}"`);
    expect(seen.checked).toMatchObject({
      complete: true,
      name: { proven: true },
      addresses: [{ standing: 'proven', proofs: ['reverse-dns'] }],
    });
  });

  test('an account that asks about its domain is shown the server to register', () => {
    expect(seen.proposal.servers).toMatchObject([{ name: 'mx.customer.example', role: 'mx', auditable: true }]);
  });

  test('a proof that is gone is gone at the next scan', () => {
    expect(seen.packets.duringFirst).toBeGreaterThan(0);
    expect(seen.lost).toMatchObject({ verdict: 'untestable', reason: 'no-consent' });
  });

  test('a veto beats the proof beside it', () => {
    expect(seen.vetoed).toMatchObject({ verdict: 'untestable', reason: 'vetoed' });
    expect(seen.packets.afterVeto).toBe(0);
  });

  test('a name that points at a stranger’s server shows no consent of the stranger, who gets no packet', () => {
    expect(seen.stranger).toMatchObject({ verdict: 'untestable', reason: 'no-consent' });
    expect(seen.strangerWaits).toMatchObject([{ kind: 'first', waitsFor: { what: 'dns' } }]);
    expect(seen.packets.toStranger).toBe(0);
  });
});
