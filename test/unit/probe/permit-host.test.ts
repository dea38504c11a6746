import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { askingAtDial } from '../../../functions/probe/at-the-dial.ts';
import { type AuditRules, auditHost } from '../../../functions/probe/audit-host.ts';
import { judgementOf } from '../../../functions/probe/finding.ts';
import { type Gate, permitHost, type TakeTurn } from '../../../functions/probe/permit-host.ts';
import { type Address, parseAddress, parseNetwork, reverseName } from '../../../shared/domain/address.ts';
import { NAMES_LIMIT } from '../../../shared/domain/look-bounds.ts';
import type { Lookups } from '../../../shared/network/lookups.ts';
import { takeOverDials, type Wire } from '../../support/adversary-net.ts';
import { ANY_TURN, gateTo, lookupsTo } from '../../support/gate.ts';
import { NOON, sampleHost } from '../../support/samples.ts';

const TOKEN = `ra1-${'a'.repeat(24)}`;
const [OWN, OTHERS, THIRD, PRIVATE] = ['185.1.1.1', '185.2.2.2', '185.3.3.3', '10.0.0.1'] as const;
const SIX = '2a02:1::1';
const REVERSE_SIX = '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.2.0.a.2.ip6.arpa';
const REVERSE = { [OWN]: '1.1.1.185.in-addr.arpa', [OTHERS]: '2.2.2.185.in-addr.arpa' };

/** A gate for one account and a name that leads to these addresses; `texts` are what `_relay-audit` says at names. */
function gate(addresses: readonly string[], texts: Record<string, string | 'trouble'>, more: Partial<Gate> = {}): Gate {
  return gateTo([], {
    lookups: {
      ...lookupsTo(...addresses),
      texts: async (place) => {
        const text = texts[place.replace('_relay-audit.', '')];
        if (text === 'trouble') return { kind: 'trouble', why: 'no answer' };
        return text === undefined ? { kind: 'absent' } : { kind: 'found', values: [text] };
      },
    },
    tokenOf: (accountId) => (accountId === 'account1' ? TOKEN : undefined),
    ...more,
  });
}

const NAME = { 'example.org': TOKEN };
const STRANGERS = Array.from({ length: 30 }, (_, index) => `185.5.5.${index}`);
const PROVEN = { ...NAME, [REVERSE[OWN]]: TOKEN };

// The address of others has a name more than are asked.
function crowded({ lookups, ...rest }: Gate): Gate {
  const values = Array.from({ length: NAMES_LIMIT + 1 }, (_, n) => `n${n}.hoster.net`);
  const names: Gate['lookups']['names'] = async ({ text }) => (text === OTHERS ? { kind: 'found', values } : { kind: 'absent' });
  return { ...rest, lookups: { ...lookups, names } };
}

/** Permits `mail.example.org`, or another host, and says in words what came of each address; a finding as its reason. */
async function permits(given: Gate, { families = [4, 6] as (4 | 6)[], takeTurn = ANY_TURN as TakeTurn, name = 'mail.example.org' } = {}) {
  const permission = await permitHost(sampleHost({ name }), families, takeTurn, given);
  if ('untested' in permission) return permission.untested;
  return permission.ways.map(({ address, refused }) => `${address.text} ${refused ?? 'proven'}`);
}

describe('a host', () => {
  test.each<[string, Gate, string | readonly string[]]>([
    ['is permitted where both sides speak', gate([OWN], PROVEN), [`${OWN} proven`]],
    ['without any proof has no consent', gate([OWN], {}), 'no-consent'],
    ['whose name alone speaks has no consent', gate([OWN], NAME), 'no-consent'],
    ['of which one address consents leaves the other alone', gate([OWN, OTHERS], PROVEN), [`${OWN} proven`, `${OTHERS} unproven`]],
    [
      'of whose IPv6 DNS is silent is permitted at its IPv4, which is proven whole',
      gate([OWN, SIX], { ...PROVEN, [REVERSE_SIX]: 'trouble' }),
      [`${OWN} proven`, `${SIX} unproven`],
    ],
    [
      'of whose IPv6 DNS is silent waits while an address of its IPv4 is not proven',
      gate([OWN, OTHERS, SIX], { ...PROVEN, [REVERSE_SIX]: 'trouble' }),
      'dns-trouble',
    ],
    [
      'waits while DNS is silent of one of two addresses of a family',
      gate([OWN, OTHERS], { ...PROVEN, [REVERSE[OTHERS]]: 'trouble' }),
      'dns-trouble',
    ],
    [
      'of which one address has too many names says so of that one',
      crowded(gate([OWN, OTHERS], PROVEN)),
      [`${OWN} proven`, `${OTHERS} too-many-lookups`],
    ],
    ['with one bad address is refused', gate([OWN, PRIVATE], PROVEN), 'forbidden-address'],
    ['with silence at one place is in trouble', gate([OWN, OTHERS], { ...PROVEN, [REVERSE[OTHERS]]: 'trouble' }), 'dns-trouble'],
    ['without an address has none', gate([], PROVEN), 'no-address'],
    ['vetoed in DNS is vetoed', gate([OWN], { ...PROVEN, 'mail.example.org': 'deny' }), 'vetoed'],
    [
      'vetoed at one address in DNS leaves that alone',
      gate([OWN, OTHERS], { ...PROVEN, [REVERSE[OTHERS]]: 'deny' }),
      [`${OWN} proven`, `${OTHERS} vetoed`],
    ],
    ['on the never-list by its name is vetoed', gate([OWN], PROVEN, { isVetoed: (target) => target === 'mail.example.org' }), 'vetoed'],
    ['on the never-list by its address is vetoed', gate([OWN], PROVEN, { isVetoed: (target) => target === OWN }), 'vetoed'],
    ['that is paused is vetoed', gate([OWN], PROVEN, { pausedAmong: async () => [OWN] }), 'vetoed'],
  ])('%s', async (_, given, permission) => {
    expect(await permits(given)).toEqual(permission);
  });

  test.each<[string, Gate, readonly string[] | undefined]>([
    ['alone', gate([OWN], PROVEN, { pausedAmong: async () => [OWN] }), [OWN]],
    ['beside another', gate([OWN, OTHERS], { ...PROVEN, [REVERSE[OTHERS]]: TOKEN }, { pausedAmong: async () => [OTHERS] }), [OTHERS]],
    ['whatever else is paused', gate([OWN, OTHERS], PROVEN, { pausedAmong: async () => [OWN, OTHERS] }), [OWN]],
    ['not where nothing is proven', gate([OWN, OTHERS], NAME, { pausedAmong: async () => [OWN, OTHERS] }), undefined],
    ['not where DNS forbids it', gate([OWN], { ...PROVEN, 'mail.example.org': 'deny' }, { pausedAmong: async () => [OWN] }), undefined],
    [
      'not where the operator forbids it, who lifts nothing',
      gate([OWN], PROVEN, { pausedAmong: async () => [OWN], isVetoed: () => true }),
      undefined,
    ],
    ['not where nothing is paused', gate([OWN], PROVEN), undefined],
  ])('is told which of the addresses that it has proven are paused: %s', async (_, given, paused) => {
    expect((await permitHost(sampleHost(), [4, 6], ANY_TURN, given)).paused).toEqual(paused);
  });

  test('of a large pool is asked about at eight addresses, and refused for a bad one wherever it stands', async () => {
    const pool = Array.from({ length: 12 }, (_, index) => `185.4.4.${index}`);
    const spoken = { ...NAME, '0.4.4.185.in-addr.arpa': TOKEN };
    expect(await permits(gate(pool, spoken))).toHaveLength(8);
    expect(await permits(gate([...pool, PRIVATE], spoken))).toBe('forbidden-address');
  });

  test('given as an address is proven in its reverse zone, or not at all', async () => {
    expect(await permits(gate([], {}), { name: OWN })).toBe('no-consent');
    expect(await permits(gate([], PROVEN), { name: OWN })).toEqual([`${OWN} proven`]);
  });

  test('is judged by the token of its own account', async () => {
    const host = { ...sampleHost(), accountId: 'account2' };
    const permission = await permitHost(host, [4], ANY_TURN, gate([OWN], PROVEN, { tokenOf: () => `ra1-${'b'.repeat(24)}` }));
    expect(permission).toMatchObject({ untested: 'no-consent' });
  });

  test('whose addresses cannot be looked up is in trouble', async () => {
    const { lookups, ...rest } = gate([OWN], PROVEN);
    const broken = { ...rest, lookups: { ...lookups, addresses: async () => ({ kind: 'trouble', why: 'SERVFAIL' }) as const } };
    expect(await permits(broken)).toBe('dns-trouble');
  });
});

describe("the DNS of a stranger's host", () => {
  // Every name has these addresses, and every address the deep names that `names` makes for it; what is asked is noted.
  const sprawling = (addresses: readonly string[], names: (address: string) => readonly string[]) => {
    const asked: string[] = [];
    const found = <T>(question: string, values: readonly T[]) => {
      asked.push(question);
      return values.length === 0 ? ({ kind: 'absent' } as const) : ({ kind: 'found', values } as const);
    };
    const given = gate(addresses, PROVEN, {
      lookups: {
        ...lookupsTo(),
        addresses: async (name) =>
          found(
            `A ${name}`,
            addresses.flatMap((text) => parseAddress(text) ?? []),
          ),
        texts: async (place) => found(`TXT ${place}`, place === '_relay-audit.example.org' ? [TOKEN] : []),
        names: async ({ text }) => found(`PTR ${text}`, names(text)),
      },
    });
    return { given, asked };
  };
  const pool = (many: number) => Array.from({ length: many }, (_, n) => `185.${Math.floor(n / 250)}.5.${n % 250}`);
  const deep = (many: number) => (address: string) =>
    Array.from({ length: many }, (_, n) => `a.b.c.d.e.n${n}.${address.replaceAll('.', '-')}.net`);

  test('with 4,000 addresses is one question and no consent', async () => {
    const { given, asked } = sprawling(pool(4_000), () => []);
    expect(await permits(given)).toBe('too-many-lookups');
    expect(asked).toEqual(['A mail.example.org']);
  });

  test('with deep names at every address is at most 200 questions and no consent', async () => {
    const { given, asked } = sprawling(pool(100), deep(5));
    expect(await permits(given)).toBe('too-many-lookups');
    expect(asked.length).toBeLessThanOrEqual(200);
  });

  test('that asks for no more than is asked is as any other', async () => {
    const { given, asked } = sprawling(pool(100), deep(1));
    expect(await permits(given)).toBe('no-consent');
    expect(new Set(asked).size).toBe(asked.length);
  });
});

describe("the operator's vetoes and networks", () => {
  const operatorNetworks = ['185.9.9.0/24', '127.0.0.0/8'].flatMap((text) => parseNetwork(text) ?? []);

  test('an address of the operator needs no proof, and a bad address beside it refuses the host still', async () => {
    expect(await permits(gate(['127.0.0.1'], {}, { operatorNetworks }))).toEqual(['127.0.0.1 proven']);
    expect(await permits(gate(['127.0.0.1', PRIVATE], {}, { operatorNetworks }))).toBe('forbidden-address');
  });

  test.each<[string, Partial<Gate>]>([
    ['the never-list', { isVetoed: (target) => target === '127.0.0.1' }],
    ['a pause', { pausedAmong: async (addresses) => addresses }],
  ])('%s holds in them too', async (_, more) => {
    expect(await permits(gate(['127.0.0.1'], {}, { operatorNetworks, ...more }))).toBe('vetoed');
  });

  test("served domains are asked about without a proof only where every address is the operator's", async () => {
    const domains = async (addresses: readonly string[]) => {
      const given = gate(addresses, PROVEN, { operatorNetworks });
      const permission = await permitHost(sampleHost({ servedDomains: ['foreign.com', 'example.org'] }), [4], ANY_TURN, given);
      return 'untested' in permission ? permission.untested : permission.servedDomains;
    };
    expect(await domains(['185.9.9.9'])).toEqual(['foreign.com', 'example.org']);
    expect(await domains(['185.9.9.9', OWN])).toEqual(['example.org']);
  });
});

describe('turns', () => {
  const noting = (refused: readonly string[] = []) => {
    const asked: string[] = [];
    const takeTurn: TakeTurn = async (address) => {
      asked.push(address);
      return refused.includes(address) ? { granted: false, retryAt: NOON + 7 } : { granted: true };
    };
    return { asked, takeTurn };
  };

  test('an address whose turn is refused puts the scan off, and says until when', async () => {
    const { takeTurn } = noting([OWN]);
    const finding = await permitHost(sampleHost(), [4], takeTurn, gate([OWN], PROVEN));
    expect(finding).toMatchObject({ untested: 'address-busy', retryAt: NOON + 7, legs: [] });
  });

  test('no turn is taken where nothing would be sent', async () => {
    const { asked, takeTurn } = noting();
    const six = '2a02:1::1';
    const reverseSix = reverseName(parseAddress(six) as Address);
    const texts = { ...PROVEN, [REVERSE[OTHERS]]: 'deny', '3.3.3.185.in-addr.arpa': TOKEN, [reverseSix]: TOKEN };
    const given = gate([OWN, OTHERS, THIRD, six], texts, { isVetoed: (target: string) => target === THIRD });
    const way = await permits(given, { families: [4], takeTurn });
    expect(way).toEqual([`${OWN} proven`, `${OTHERS} vetoed`, `${THIRD} vetoed`, `${six} proven`]);
    expect(asked).toEqual([OWN]);
  });

  // Who has not proven an address must learn nothing from it, and take nothing of it, whoever else has it.
  test.each<[string, readonly string[]]>([
    ['nobody has', []],
    ['another scan has', [OWN]],
  ])('an unproven address that %s takes no turn, is asked about no pause, and ends in the same words', async (_, busy) => {
    const { asked, takeTurn } = noting(busy);
    const pausedAmong = async (addresses: readonly string[]) => {
      asked.push(`pauses of ${addresses}`);
      return addresses;
    };
    const isVetoed = (target: string) => asked.push(`never-list ${target}`) > 0;
    for (const texts of [{}, NAME, { [REVERSE[OWN]]: TOKEN }] as Record<string, string>[]) {
      const finding = await permitHost(sampleHost(), [4], takeTurn, gate([OWN], texts, { pausedAmong, isVetoed }));
      expect(finding).toEqual({ untested: 'no-consent', legs: [] });
    }
    expect(asked).toEqual([]);
  });
});

const LIMITS = { connectMs: 1_000, replyMs: 1_000, sessionMs: 5_000, sittingMs: 5_000, pauseMs: 0 };

function rulesOf(given: Gate): AuditRules {
  return {
    gate: given,
    families: [4, 6],
    ehloName: 'probe.example',
    canaryDomain: 'canary.example',
    optOutAddress: 'postmaster@probe.example',
    limits: LIMITS,
  };
}

describe('what is dialled', () => {
  let putBack = () => {};
  afterEach(() => putBack());
  const audit = async (given: Gate, ports = [25]) => {
    const dialled: string[] = [];
    putBack = takeOverDials((address, port) => void dialled.push(`${address}:${port}`));
    const finding = await auditHost(sampleHost({ ports }), { scope: 'full', takeTurn: ANY_TURN }, rulesOf(given));
    return { dialled, finding, contacts: finding.legs.map(({ address, contact }) => `${address} ${contact}`) };
  };

  test('is the address with consent alone; the one beside it is left alone', async () => {
    const { dialled, contacts } = await audit(gate([OWN, OTHERS], PROVEN));
    expect(dialled).toEqual([`${OWN}:25`]);
    expect(contacts).toEqual([`${OWN} connection-refused`, `${OTHERS} unproven`]);
  });

  test.each<[string, Gate]>([
    ['without consent', gate([OWN], {})],
    ['that leads to strangers’ addresses', gate(STRANGERS, NAME)],
    ['beside a bad address', gate([OWN, PRIVATE], PROVEN)],
    ['vetoed', gate([OWN], { ...PROVEN, 'example.org': 'deny' })],
    ['in DNS trouble', gate([OWN], { ...PROVEN, 'mail.example.org': 'trouble' })],
  ])('is nothing of a host %s', async (_, given) => {
    const { dialled, finding } = await audit(given);
    expect(dialled).toEqual([]);
    expect(finding.legs).toEqual([]);
  });

  test('is nothing of an address that is paused, which the finding names', async () => {
    const texts = { ...PROVEN, [REVERSE[OTHERS]]: TOKEN };
    const { dialled, finding } = await audit(gate([OWN, OTHERS], texts, { pausedAmong: async () => [OTHERS] }));
    expect(new Set(dialled)).toEqual(new Set([`${OWN}:25`]));
    expect(finding.paused).toEqual([OTHERS]);
  });

  test.each(STRANGERS.slice(0, 3))('is nothing of a stranger’s address that is registered as it stands: %s', async (address) => {
    const dialled: string[] = [];
    putBack = takeOverDials((each) => void dialled.push(each));
    await auditHost(sampleHost({ name: address }), { scope: 'full', takeTurn: ANY_TURN }, rulesOf(gate([], NAME)));
    expect(dialled).toEqual([]);
  });

  test('is the address that was checked, wherever the name leads by then', async () => {
    const given = gate([OWN], PROVEN);
    let asked = 0;
    const turning = async () => {
      const address = parseAddress(asked++ === 0 ? OWN : OTHERS);
      return { kind: 'found', values: address === undefined ? [] : [address] } as const;
    };
    const { dialled } = await audit({ ...given, lookups: { ...given.lookups, addresses: turning } });
    expect(dialled).toEqual([`${OWN}:25`]);
  });

  test.each(['mail.example.org', OWN])('is nothing that the never-list has got since the gate was passed: %s', async (entry) => {
    const vetoed = new Set<string>();
    const given = gate([OWN], PROVEN, { isVetoed: (target) => vetoed.has(target) });
    const takesLong: TakeTurn = async () => {
      vetoed.add(entry);
      return { granted: true };
    };
    const dialled: string[] = [];
    putBack = takeOverDials((address) => void dialled.push(address));
    const { legs } = await auditHost(sampleHost(), { scope: 'full', takeTurn: takesLong }, rulesOf(given));
    expect(legs.map(({ contact }) => contact)).toEqual(['vetoed']);
    expect(dialled).toEqual([]);
  });
});

describe('at the dial', () => {
  let putBack = () => {};
  afterEach(() => putBack());

  const closed: Wire = { greeting: '220 mx ESMTP\r\n', answer: answerOfClosed };

  /** Audits a host whose turn comes after `waitMs`; what happens in between, and at a dial, is `meanwhile` and `atDial`. */
  async function audit({ waitMs = 0, ports = [25], wire = undefined as Wire | undefined, meanwhile = () => {}, atDial = () => {} }) {
    const dialled: number[] = [];
    putBack = takeOverDials((_, port) => {
      dialled.push(port);
      atDial();
      return wire;
    });
    const takeTurn: TakeTurn = async () => {
      meanwhile();
      world.now += waitMs;
      return { granted: true };
    };
    const order = { scope: 'full', takeTurn } as const;
    const finding = await auditHost(sampleHost({ ports }), order, rulesOf(world.gate()));
    const { legs } = finding;
    return { dialled, contacts: legs.map(({ contact }) => contact), reason: judgementOf(finding, []).reason, legs };
  }

  let world: ReturnType<typeof newWorld>;
  function newWorld() {
    const here = {
      now: NOON,
      texts: { ...PROVEN } as Record<string, string | 'trouble'>,
      addresses: [OWN] as string[],
      paused: [] as string[],
      registered: true,
      reads: 0,
      registrations: 0,
      onRead: (_count: number) => {},
      looks: 0,
      gate(): Gate {
        const fresh = (): Lookups => {
          here.looks++;
          return gate(here.addresses, here.texts).lookups;
        };
        return gate([OWN], PROVEN, {
          lookups: fresh(),
          lookAgain: fresh,
          now: () => here.now,
          async isRegistered() {
            here.registrations++;
            return here.registered;
          },
          async pausedAmong(asked) {
            const found = asked.filter((each) => here.paused.includes(each));
            here.onRead(++here.reads);
            return found;
          },
        });
      },
    };
    return here;
  }
  beforeEach(() => {
    world = newWorld();
  });

  test('nothing is sent to an address that was paused while the scan stood in line', async () => {
    const seen = await audit({ waitMs: 43_000, meanwhile: () => world.paused.push(OWN) });
    expect(seen).toMatchObject({ dialled: [], contacts: ['vetoed'], reason: 'vetoed' });
  });

  test.each<[string, () => void, string, string]>([
    ['whose proof is gone', () => delete world.texts[REVERSE[OWN]], 'unproven', 'no-consent'],
    ['that was vetoed in DNS', () => Object.assign(world.texts, { [REVERSE[OWN]]: 'deny' }), 'vetoed', 'vetoed'],
    ['of which DNS is silent', () => Object.assign(world.texts, { 'example.org': 'trouble' }), 'out-of-time', 'out-of-time'],
    ['that the name leads to no more', () => world.addresses.splice(0, 1, OTHERS), 'out-of-time', 'out-of-time'],
    ['beside which there is a forbidden one', () => world.addresses.push(PRIVATE), 'out-of-time', 'out-of-time'],
  ])('nothing is sent to an address %s when consent is a minute old', async (_, meanwhile, contact, reason) => {
    const seen = await audit({ waitMs: 56_000, meanwhile });
    expect(seen).toMatchObject({ dialled: [], contacts: [contact], reason });
  });

  test('DNS that answers nothing keeps a dial waiting for ten seconds', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    putBack = () => void vi.useRealTimers();
    const never = () => new Promise<never>(() => {});
    const silent: Lookups = { addresses: never, texts: never, names: never, mailServers: never };
    const refusal = askingAtDial(sampleHost(), NOON - 56_000, { ...world.gate(), lookAgain: () => silent })(OWN);
    let told = false;
    void refusal.then(() => {
      told = true;
    });
    await vi.advanceTimersByTimeAsync(9_999);
    expect(told).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await refusal).toBe('out-of-time');
  });

  test('consent of less than a minute ago is not asked for again', async () => {
    expect((await audit({ waitMs: 54_000 })).dialled).toEqual([25]);
    expect(world.looks).toBe(1);
    expect((await audit({ waitMs: 56_000 })).dialled).toEqual([25]);
    expect(world.looks).toBe(3);
  });

  test('an address that is paused while it is probed gets no further connection, at no port', async () => {
    const atDial = () => {
      world.now += 1_500;
      world.paused.push(OWN);
    };
    const seen = await audit({ ports: [25, 587], wire: closed, atDial });
    expect(seen).toMatchObject({ dialled: [25], contacts: ['vetoed', 'vetoed'], reason: 'vetoed' });
    // What was said on the way there is kept.
    expect(seen.legs[0]?.transcript.length).toBeGreaterThan(2);
  });

  test('a host that is removed while it waits in line or is probed gets no further connection, at no port', async () => {
    const remove = () => {
      world.now += 1_500;
      world.registered = false;
    };
    const gone = { contacts: ['vetoed', 'vetoed'], reason: 'vetoed' };
    expect(await audit({ ports: [25, 587], wire: closed, atDial: remove })).toMatchObject({ ...gone, dialled: [25] });
    world = newWorld();
    expect(await audit({ ports: [25, 587], wire: closed, meanwhile: remove })).toMatchObject({ ...gone, dialled: [] });
  });

  test('an address that was refused once is left alone for the rest of the sitting', async () => {
    world.onRead = (count) => {
      world.now += 2_000;
      if (count > 1) world.paused.splice(0);
    };
    const seen = await audit({ ports: [25, 587], meanwhile: () => world.paused.push(OWN) });
    expect(seen).toMatchObject({ dialled: [], contacts: ['vetoed', 'vetoed'] });
  });

  test('connections within a second share one look at the pauses, and one at whether the host is there', async () => {
    const { dialled } = await audit({ wire: closed });
    expect(dialled.length).toBeGreaterThan(2);
    expect(world.reads).toBe(2); // one before the turn, one at the dials
    expect(world.registrations).toBe(1);
  });
});

function answerOfClosed(line: string): string {
  if (line.startsWith('RCPT')) return '554 5.7.1 Relay access denied\r\n';
  return line.startsWith('QUIT') ? '221 bye\r\n' : '250 ok\r\n';
}
