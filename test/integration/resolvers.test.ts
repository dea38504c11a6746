import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { hasMta, needsMta } from '../support/mta/namespace.ts';

const FLOW = fileURLToPath(new URL('../support/resolvers-flow.ts', import.meta.url));
const NEEDED = ['nsd', 'unbound', 'named'] as const;

// The public addresses exist on the loopback of this network alone; nothing can leave it. BIND listens only where it sees an address.
const IN_A_NETWORK = 'ip link set lo up && ip addr add 192.88.98.0/24 dev lo && ip addr add 192.88.98.62/32 dev lo && exec "$@"';

type Row = {
  readonly what: string;
  readonly host: string;
  readonly standing: 'consent' | 'no-consent' | 'dns-trouble' | 'no address';
  /** The question that the first finding is about. */
  readonly asked?: string;
  /** What came, where both resolvers say the same, or each its own; nothing where there is no finding. */
  readonly found?: string | { readonly unbound?: string; readonly named?: string };
};

const place = (host: string) => `TXT _relay-audit.${host}`;

const PROVEN: readonly Row[] = [
  { what: 'a record', host: 'mx.plain.example', standing: 'consent' },
  { what: 'a record among others that need TCP', host: 'mx.long.example', standing: 'consent' },
  { what: 'a CNAME from zone to zone', host: 'mx.chain.example', standing: 'consent' },
  { what: 'a record in a reverse zone that RFC 2317 hands over', host: 'mx.classless.example', standing: 'consent' },
  { what: 'a record below a name that its server denies', host: 'mx.deep.between.example', standing: 'consent' },
  ...['servfail', 'notimp', 'silent'].map((said): Row => {
    const host = `mx.six-${said}.example`;
    const found = said === 'silent' ? 'no answer' : 'SERVFAIL';
    return { what: `a record of a name whose AAAA gets ${said}`, host, standing: 'consent', asked: `AAAA ${host}`, found };
  }),
];

const UNANSWERED: readonly Row[] = [
  ...['bogus', 'notimp', 'cut'].map((zone): Row => {
    const host = `mx.${zone}.example`;
    const what = { bogus: 'a forged record in a signed zone', notimp: 'NOTIMP for TXT', cut: 'an answer cut short, with TCP refused' }[
      zone
    ];
    return { what: what ?? '', host, standing: 'dns-trouble', asked: place(host), found: 'SERVFAIL' };
  }),
  ...['garbled', 'empty'].map((zone): Row => {
    const host = `mx.${zone}.example`;
    const what = `a TXT record ${zone === 'empty' ? 'without a string' : 'with a string that is longer than itself'}`;
    // Unbound passes on what BIND does not take.
    return { what, host, standing: 'dns-trouble', asked: place(host), found: { unbound: 'unreadable answer', named: 'SERVFAIL' } };
  }),
  ...['refused', 'expired', 'stripped'].map((zone): Row => {
    const host = `mx.${zone}.example`;
    const what = { refused: 'a server that does not hold its zone', expired: 'signatures of long ago', stripped: 'no signatures' }[zone];
    return { what: what ?? '', host, standing: 'no address', asked: `A ${host}`, found: 'SERVFAIL' };
  }),
  { what: 'a loop of CNAMEs', host: 'loop.chain.example', standing: 'dns-trouble', asked: place('loop.chain.example'), found: 'SERVFAIL' },
  ...[
    ['refused', 20, 'is delegated to a server that does not hold it'],
    ['silent', 21, 'is delegated to an address where nobody answers'],
    ['unrouted', 22, 'is delegated to an address that nothing leads to'],
    ['upward', 23, 'is delegated to a server that sends back to where it came from'],
  ].map(([zone, last, what]): Row => {
    const host = `${zone}.lame.example`;
    const found = zone === 'silent' ? 'no answer' : 'SERVFAIL';
    return { what: `a reverse zone that ${what}`, host, standing: 'dns-trouble', asked: `PTR ${last}.98.88.192.in-addr.arpa`, found };
  }),
];

const LATER = ['mx.added.example', 'mx.half.example', 'mx.signed.example', 'mx.vetoed.example', 'mx.delegated.example', 'a.signed.example'];
const ABSENT: readonly Row[] = LATER.slice(0, 3).map((host) => ({
  what: `no record yet at ${host}`,
  host,
  standing: 'no-consent',
  asked: place(host),
  found: 'no record',
}));

const REMEMBERED = / tells resolvers to remember for \d+ (minutes|hours) that there is no record/;
const DIFFERENT = ['long.chain.example', 'mx.vetoed.example', 'mx.bare.example', 'mx.delegated.example'];
const ROWS = [...PROVEN, ...UNANSWERED, ...ABSENT];

describe.skipIf(!NEEDED.every(hasMta))(`consent as two real resolvers let it be seen (${needsMta(...NEEDED)})`, () => {
  // biome-ignore lint/suspicious/noExplicitAny: facts of every shape
  let seen: any;

  beforeAll(async () => {
    const hosts = [...ROWS.map(({ host }) => host), ...DIFFERENT];
    const command = [process.execPath, '--disable-warning=ExperimentalWarning', FLOW, hosts.join(','), LATER.join(',')];
    const { stdout } = await promisify(execFile)('unshare', ['--net', 'sh', '-c', IN_A_NETWORK, 'sh', ...command], { timeout: 170_000 });
    seen = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  }, 180_000);

  describe.each(['unbound', 'named'] as const)('through %s', (resolver) => {
    test.each(ROWS)('$what: $standing', ({ host, standing, asked, found }) => {
      const [first] = seen[resolver][host].findings;
      const said = typeof found === 'object' ? found[resolver] : found;
      expect(seen[resolver][host].standing).toBe(standing);
      expect(first?.asked).toBe(asked);
      expect(first?.found.replace(/ \(.*\)$/, '')).toBe(said);
    });

    test('a record that is added after a look counts at once, though the resolver remembers that there was none', () => {
      const again = seen[resolver]['mx.added.example again'];
      expect(again).toMatchObject({ standing: 'consent', findings: [] });
      // The resolver has said once more that there is no record.
      expect(again.place).toMatchObject({ rememberedMs: expect.any(Number), servers: [{ server: 'ns.host.example', saying: 'token' }] });
    });

    test('so it does where another server of the zone does not hold it', () => {
      const again = seen[resolver]['mx.half.example again'];
      expect(again).toMatchObject({ standing: 'consent', findings: [] });
      expect(again.place.servers).toMatchObject([{ saying: 'token' }, { server: 'refusing.host.example', saying: 'silent' }]);
    });

    test('so does a CNAME that is added after a look and leads to a record in another zone', () => {
      expect(seen[resolver]['mx.delegated.example'].standing).toBe('no-consent');
      expect(seen[resolver]['mx.delegated.example again'].standing).toBe('consent');
    });

    test('an address without reverse DNS is told for how long that is remembered', () => {
      const { standing, findings } = seen[resolver]['mx.bare.example'];
      expect(standing).toBe('no-consent');
      expect(findings[0]).toMatchObject({ kind: 'no-reverse-dns', means: expect.stringMatching(REMEMBERED) });
    });

    test('in a signed zone it does not, and the finding says for how long', () => {
      const { standing, findings } = seen[resolver]['mx.signed.example again'];
      expect(standing).toBe('no-consent');
      expect(findings[0].means).toMatch(REMEMBERED);
    });

    test('nor does a name that nobody asked for before: the resolver remembers that there was none between its neighbours', () => {
      const { standing, findings } = seen[resolver]['a.signed.example again'];
      expect(standing).toBe('no address');
      expect(findings[0]).toMatchObject({ kind: 'no-address', means: expect.stringMatching(REMEMBERED) });
    });

    test('a veto at a place that had no record, beside a proof, waits until the resolver forgets that', () => {
      expect(seen[resolver]['mx.vetoed.example'].standing).toBe('consent');
      expect(seen[resolver]['mx.vetoed.example again'].standing).toBe('consent');
    });
  });

  test('of a zone that has absences remembered for a day, Unbound remembers them for one hour and BIND for three', () => {
    const remembered = (resolver: string) => seen[resolver]['mx.added.example'].place.rememberedMs;
    expect(remembered('unbound')).toBe(3_600_000);
    expect(remembered('named')).toBe(10_800_000);
  });

  test('in a signed zone BIND goes by the time that the zone gives, without a limit of its own', () => {
    expect(seen.named['mx.signed.example'].place.rememberedMs).toBe(86_400_000);
  });

  test('a chain of fourteen CNAMEs from zone to zone is followed by Unbound, and too long for BIND', () => {
    const long = 'long.chain.example';
    expect(seen.unbound[long].standing).toBe('consent');
    expect(seen.named[long]).toMatchObject({
      standing: 'dns-trouble',
      findings: [{ asked: place(long), found: expect.stringContaining('SERVFAIL') }],
    });
  });

  test('Unbound says that DNSSEC is why, where it explains its failures', () => {
    for (const zone of ['bogus', 'expired', 'stripped'])
      expect(seen.unbound[`mx.${zone}.example`].findings[0].found).toMatch(/^SERVFAIL \(DNSSEC: its (signatures|key) /);
  });
});
