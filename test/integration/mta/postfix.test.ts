import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, type RunningService, startLocalService, temporaryFolder } from '../../support/local-service.ts';
import { hasMta, type Namespace, needsMta, openNamespace } from '../../support/mta/namespace.ts';
import { type Postfix, startPostfix } from '../../support/mta/postfix.ts';

const OWNER = 'owner@relay-audit.example'; // the account's own address, which needs no confirmation
const CLOSED = 2;
const OPEN = 3;
const EDITED = 4;

// Needs root and Debian's package, which `.ci/run` has; `npm test` goes without where they are missing.
describe.skipIf(!hasMta('postfix'))(`Debian’s Postfix, seen from outside (${needsMta('postfix')})`, () => {
  let namespace: Namespace;
  let servers: Postfix[];
  let service: RunningService;

  beforeAll(async () => {
    namespace = openNamespace(71);
    servers = await Promise.all([
      startPostfix(namespace, CLOSED),
      startPostfix(namespace, OPEN, { mynetworks: '0.0.0.0/0' }),
      startPostfix(namespace, EDITED, { mynetworks: '0.0.0.0/0' }),
    ]);
    const args = ['--port', '0', '--data', join(temporaryFolder(), 'data'), '--no-demo'];
    service = await startLocalService(args, {
      OPERATOR_NETWORKS: namespace.networks.join(','),
      CANARY_DOMAIN: 'canary.example',
      CANARY_LISTEN: `${namespace.ourAddress}:25`,
    });
  });

  afterAll(async () => {
    await service?.stop();
    await Promise.all((servers ?? []).map((server) => server.stop()));
    namespace?.close();
  });

  async function register(n: number): Promise<string> {
    const body = { name: namespace.address(n), period: 'week', servedDomains: ['served.example'], alertRecipients: [OWNER] };
    const { status, body: host } = await service.call('POST', '/v1/hosts', body);
    expect(status).toBe(201);
    return host.id;
  }

  const untilRelayState = (id: string, state: string) =>
    eventually(
      async () => ((await service.call('GET', `/v1/hosts/${id}`)).body.relayState === state ? true : undefined),
      `${id} is ${state}`,
      60_000,
    );

  const scansOf = async (id: string) => (await service.call('GET', `/v1/hosts/${id}/scans`)).body.items;

  test('with Debian’s defaults it is closed: every foreign recipient was refused, and its postmaster accepted', async () => {
    const id = await register(CLOSED);
    await untilRelayState(id, 'closed');
    const [summary] = await scansOf(id);
    expect(summary).toMatchObject({ verdict: 'closed', reason: 'all-refused', fullTable: true });
    expect(summary.testsCompleted).toBe(summary.testsPlanned);
    const { legs } = (await service.call('GET', `/v1/hosts/${id}/scans/${summary.id}`)).body;
    expect(legs[0].software).toEqual({ mta: 'postfix', from: 'greeting' });
    expect(legs[0].costs.connections).toBeLessThanOrEqual(9); // nine envelopes of the table in each
    expect(legs[0].controls).toMatchObject([{ test: 'control-postmaster', outcome: 'accepted' }]);
    expect(legs[0].tests[0]).toMatchObject({ outcome: 'refused', reply: expect.stringContaining('Relay access denied') });
  }, 90_000);

  test('with mynetworks = 0.0.0.0/0 it is an open relay by one scan, proven by a message that came back', async () => {
    const id = await register(OPEN);
    await untilRelayState(id, 'open');
    const changes = (await service.call('GET', `/v1/hosts/${id}/changes`)).body.items;
    expect(changes.at(-1)).toMatchObject({ from: 'unknown', to: 'open' });
    const [first] = (await scansOf(id)).toReversed();
    const scan = (await service.call('GET', `/v1/hosts/${id}/scans/${first.id}`)).body;
    expect(scan).toMatchObject({ kind: 'first', verdict: 'open', reason: 'canary-arrived' });
    expect(scan.arrivals[0].path[0]).toMatchObject({ address: namespace.address(OPEN) });
  }, 90_000);

  test('first open, then closed by editing its configuration, it is mailed about once each way', async () => {
    const id = await register(EDITED);
    await untilRelayState(id, 'open');
    await servers[2]?.edit({ mynetworks: '127.0.0.0/8' });
    await service.call('POST', `/v1/hosts/${id}/scans`);
    await untilRelayState(id, 'closed');
    const about = async () => (await service.mails()).filter((mail) => mail.body.text.includes(id));
    const mails = await eventually(async () => ((await about()).length >= 2 ? await about() : undefined), 'two mails');
    expect(mails.find((mail) => mail.subject.endsWith('open relay'))?.body.text).toContain('smtpd_relay_restrictions = permit_mynetworks');
    const name = namespace.address(EDITED);
    expect(mails.map((mail) => mail.subject).toSorted()).toEqual([`${name} is an open relay`, `${name} is closed again`].toSorted());
    expect(mails.map((mail) => mail.destination.to)).toEqual([[OWNER], [OWNER]]);
    // One more scan in the same state owes nobody a mail.
    const before = (await scansOf(id)).length;
    await service.call('POST', `/v1/hosts/${id}/scans`);
    await eventually(async () => ((await scansOf(id)).length > before ? true : undefined), 'another scan');
    expect(await about()).toHaveLength(2);
  }, 180_000);
});
