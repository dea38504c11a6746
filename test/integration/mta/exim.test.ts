import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { auditHost, type Finding } from '../../../functions/probe/audit-host.ts';
import { parseNetwork } from '../../../shared/domain/address.ts';
import type { Reason } from '../../../shared/domain/reason.ts';
import { PROBE_LIMITS } from '../../../shared/network/probe.ts';
import { type EximSettings, startExim } from '../../support/mta/exim.ts';
import { hasMta, type Namespace, openNamespace } from '../../support/mta/namespace.ts';
import { sampleHost } from '../../support/samples.ts';

// A rule of the administrator's, put before all of Debian's.
const firstRcptRule = (rule: string) => (text: string) =>
  text.replace(/^acl_check_rcpt:\n/m, `acl_check_rcpt:\n\n  ${rule}\n         domains = ! +local_domains\n`);

type Case = { readonly rule: string; readonly settings: EximSettings; readonly reason: Reason; readonly accepted: readonly string[] };

const RELAYS: readonly Case[] = [
  {
    // Debian lets relaying hosts in before it looks whether a local user exists, so at this stage it may be a catch-all.
    rule: 'for the whole world',
    settings: { relayNets: '0.0.0.0/0' },
    reason: 'accepts-everything',
    accepted: ['plain', 'null-sender', 'server-sender', 'served-sender', 'localhost-sender', 'route-server'],
  },
  {
    rule: 'for senders at the served domain only',
    settings: { edit: firstRcptRule('accept senders = *@served.example') },
    reason: 'recipient-accepted',
    accepted: ['served-sender'],
  },
  {
    rule: 'for the null sender only',
    settings: { edit: firstRcptRule('accept senders = :') },
    reason: 'recipient-accepted',
    accepted: ['null-sender'],
  },
  {
    rule: 'for senders at localhost only',
    settings: { edit: firstRcptRule('accept senders = *@localhost') },
    reason: 'recipient-accepted',
    accepted: ['localhost-sender'],
  },
];

// Needs root and Debian's package, which `.ci/run` has; `npm test` goes without where they are missing.
describe.skipIf(!hasMta('exim'))('Debian’s Exim, seen from outside', () => {
  let namespace: Namespace;
  const stops: (() => Promise<void>)[] = [];

  beforeAll(() => {
    namespace = openNamespace(72);
  });
  afterAll(async () => {
    await Promise.all(stops.map((stop) => stop()));
    namespace?.close();
  });

  async function audit(n: number, settings: EximSettings): Promise<Finding> {
    const exim = await startExim(namespace, n, settings);
    stops.push(exim.stop);
    const own = parseNetwork(namespace.network);
    return auditHost(sampleHost({ name: exim.address, servedDomains: ['served.example'] }), {
      resolve: async () => ({ kind: 'absent' }),
      operatorNetworks: own === undefined ? [] : [own],
      ehloName: 'probe.example',
      canaryDomain: 'canary.example',
      limits: PROBE_LIMITS,
    });
  }

  test('with Debian’s defaults it is closed, every test completed within the limits it sets', async () => {
    const { judgement, legs } = await audit(2, {});
    expect(judgement).toEqual({ verdict: 'closed', reason: 'all-refused', completed: 19, planned: 19 });
    expect(legs[0]?.software).toMatchObject({ mta: 'exim', version: '4.96' });
    expect(legs[0]?.transcript.join('\n')).not.toMatch(/^S: (421|5\d\d .*too many)/im);
  });

  test.each(RELAYS.map((each, index) => [each.rule, each, index + 3] as const))(
    'relaying %s, it answers as an open relay',
    async (_, { settings, reason, accepted }, n) => {
      const { judgement, legs } = await audit(n, settings);
      expect(judgement).toMatchObject({ verdict: 'suspected', reason });
      const found = legs[0]?.tests.filter((each) => each.outcome === 'accepted').map((each) => each.test);
      expect(found).toEqual(expect.arrayContaining([...accepted]));
    },
  );
});
