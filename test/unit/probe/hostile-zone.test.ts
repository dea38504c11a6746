import { expect, test, vi } from 'vitest';
import { permitHost } from '../../../functions/probe/permit-host.ts';
import { dnsLookups, sharedLookups } from '../../../shared/network/lookups.ts';
import { ANY_TURN, gateTo } from '../../support/gate.ts';
import { sampleHost } from '../../support/samples.ts';
import { type Saying, startScriptedDns } from '../../support/scripted-dns-server.ts';

const TOKEN = `ra1-${'a'.repeat(24)}`;
const GOOD = Array.from({ length: 49 }, (_, n) => ({
  name: `good${n}.org`,
  address: `185.1.${n}.1`,
  reverse: `1.${n}.1.185.in-addr.arpa`,
}));

test.each<[string, readonly number[]]>([
  ['without data', []],
  ['with a string longer than itself', [50, 65, 66]],
])(
  'a stranger whose TXT record is malformed, %s, puts off nobody in the batch, whoever owns the address that its name leads to',
  async (_, bytes) => {
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const { promise: badHeld, resolve: releaseBad } = Promise.withResolvers<void>();
    const addressed = (name: string, data: string): Saying => ({ answers: [{ type: 'A', name, ttl: 60, data }] });
    const proof = (name: string): [string, Saying] => [name, { answers: [{ type: 'TXT', name, ttl: 60, data: [TOKEN] }], held }];
    const place = '_relay-audit.bad.org';
    const malformed = { type: 'UNKNOWN_16', name: place, ttl: 60, data: Buffer.from(bytes) } as never;
    const server = await startScriptedDns({
      'bad.org': addressed('bad.org', GOOD[0]?.address ?? ''),
      [place]: { answers: [malformed], held: badHeld },
      ...Object.fromEntries(
        GOOD.flatMap(({ name, address, reverse }) => [
          [name, addressed(name, address)],
          proof(`_relay-audit.${name}`),
          proof(`_relay-audit.${reverse}`),
        ]),
      ),
    });
    try {
      const lookups = sharedLookups(dnsLookups([server.address]), 1e6);
      const stands = async (name: string) => {
        const permission = await permitHost(sampleHost({ name }), [4], ANY_TURN, gateTo([], { lookups, tokenOf: () => TOKEN }));
        return 'untested' in permission ? permission.untested : permission.ways.map(({ refused }) => refused ?? 'permitted').join();
      };
      const bad = stands('bad.org');
      const good = GOOD.map(({ name }) => stands(name));
      await vi.waitFor(() => expect(server.asked.filter((each) => each.startsWith('TXT _relay-audit.'))).toHaveLength(2 * GOOD.length + 1));
      releaseBad();
      expect(await lookups.texts(place)).toMatchObject({ kind: 'trouble', why: 'unreadable answer' });
      release();
      expect(await Promise.all(good)).toEqual(GOOD.map(() => 'permitted'));
      expect(await bad).toBe('dns-trouble');
    } finally {
      await server.stop();
    }
  },
);
