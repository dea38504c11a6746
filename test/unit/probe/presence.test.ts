import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { auditHost } from '../../../functions/probe/audit-host.ts';
import { judgementOf } from '../../../functions/probe/finding.ts';
import { openGate } from '../../../functions/probe/gate.ts';
import { type Gate, permitHost, type TakeTurn } from '../../../functions/probe/permit-host.ts';
import type { Host, HostSettings, HostState } from '../../../shared/domain/host.ts';
import { scanId } from '../../../shared/domain/scan.ts';
import { takeOverDials } from '../../support/adversary-net.ts';
import { ANY_TURN, gateTo, lookupsTo } from '../../support/gate.ts';
import { SECRETS } from '../../support/pages.ts';
import { NOON, sampleHost } from '../../support/samples.ts';
import type { TestTable } from '../../support/table.ts';
import { startTable } from '../../support/unit-table.ts';

const HOUR = 60 * 60_000;
const DAY = 24 * HOUR;
const [HERE, OTHER] = ['185.1.1.1', '185.2.2.2'] as const;
const ASKED = scanId(NOON, 'on-demand');

let now = NOON;
let table: TestTable;
let opened: Awaited<ReturnType<typeof openGate>>;
let texts: Record<string, string>;
let vetoed: string[];
let paused: string[];
let host: Host;
let putBack = () => {};

beforeAll(async () => {
  table = await startTable(() => now, 400 * DAY);
  opened = await openGate({ store: table.store, secrets: SECRETS, clock: () => now, dnsServers: [], onError: () => expect.fail() });
});
afterAll(async () => {
  opened.close();
  await table.stop();
});
beforeEach(async () => {
  now = NOON;
  texts = {};
  vetoed = [];
  paused = [];
  host = await asking();
});
afterEach(() => putBack());

/** A host of the address whose scan `ASKED` the address has asked for. */
async function asking(settings: Partial<HostSettings> = {}, state: Partial<HostState> = {}): Promise<Host> {
  const made = sampleHost({ name: HERE, servedDomains: [], ports: [25, 465, 587], ...settings }, state);
  await table.store.notePresence({ hostId: made.id, scanId: ASKED, address: HERE, until: NOON + DAY });
  return made;
}

function gate(): Gate {
  const lookups = {
    ...lookupsTo(HERE),
    texts: async (place: string) => {
      const text = texts[place];
      return text === undefined ? ({ kind: 'absent' } as const) : ({ kind: 'found', values: [text] } as const);
    },
  };
  return gateTo([], {
    lookups,
    lookAgain: () => lookups,
    now: () => now,
    tokenOf: () => `ra1-${'a'.repeat(24)}`,
    isVetoed: (target) => vetoed.includes(target),
    pausedAmong: async (addresses) => addresses.filter((each) => paused.includes(each)),
    isThere: opened.gate.isThere,
  });
}

/** Makes a scan of a host, and gives what was dialled and what came of it; things happen after the gate, before the dial, in `meanwhile`. */
async function scan(id: string, of = host, meanwhile = () => {}) {
  const dialled: string[] = [];
  const turns: (boolean | undefined)[] = [];
  putBack = takeOverDials((address, port) => void dialled.push(`${address}:${port}`));
  const takeTurn: TakeTurn = async (_, unproven) => {
    turns.push(unproven);
    meanwhile();
    return { granted: true };
  };
  const limits = { connectMs: 1_000, replyMs: 1_000, sessionMs: 5_000, sittingMs: 5_000, pauseMs: 0 };
  const finding = await auditHost(
    of,
    { scanId: id, scope: 'full', takeTurn },
    {
      gate: gate(),
      families: [4, 6],
      ehloName: 'probe.example',
      canaryDomain: 'canary.example',
      optOutAddress: 'postmaster@probe.example',
      limits,
    },
  );
  putBack();
  return { dialled: [...new Set(dialled)], reason: judgementOf(finding, []).reason, turns };
}

const LEFT_ALONE = { dialled: [], reason: 'no-consent', turns: [] };

describe('an address that has asked for a scan of itself', () => {
  test('is scanned, without a proof in DNS', async () => {
    expect((await scan(ASKED)).dialled).toEqual([`${HERE}:25`, `${HERE}:465`, `${HERE}:587`]);
  });

  test('is scanned at the ports of mail alone, whatever its host has', async () => {
    const more = await asking({ ports: [25, 2525, 22] });
    expect((await scan(ASKED, more)).dialled).toEqual([`${HERE}:25`]);
    expect(await scan(ASKED, await asking({ ports: [22, 2525] }))).toEqual(LEFT_ALONE);
  });

  test('is not remembered as scanned by one of its owners', async () => {
    expect((await scan(ASKED)).turns).toEqual([true]);
  });

  test.each([scanId(NOON, 'scheduled'), scanId(NOON, 'first'), scanId(NOON + 1_000, 'on-demand'), scanId(NOON, 'confirming')])(
    'is not scanned by any other scan: %s',
    async (id) => {
      expect(await scan(id)).toEqual(LEFT_ALONE);
    },
  );

  test('is scanned again to confirm what that scan has shown, and to confirm nothing else', async () => {
    const confirming = scanId(NOON + HOUR, 'confirming');
    const pending = { to: 'suspected', notBefore: NOON } as const;
    expect((await scan(confirming, await asking({}, { pending: { ...pending, scanId: ASKED } }))).dialled).toHaveLength(3);
    const another = await asking({}, { pending: { ...pending, scanId: scanId(NOON, 'scheduled') } });
    expect(await scan(confirming, another)).toEqual(LEFT_ALONE);
  });

  test('consents to no other address, and to no name that leads to it', async () => {
    expect(await scan(ASKED, await asking({ name: OTHER }))).toEqual(LEFT_ALONE);
    expect(await scan(ASKED, await asking({ name: 'mail.example.org' }))).toEqual(LEFT_ALONE);
  });

  test('consents for no other host', async () => {
    expect(await scan(ASKED, sampleHost({ name: HERE }))).toEqual(LEFT_ALONE);
  });

  test('consents for a day and no longer', async () => {
    now = NOON + DAY - 1;
    expect((await scan(ASKED)).dialled).toHaveLength(3);
    now = NOON + DAY;
    expect(await scan(ASKED)).toEqual(LEFT_ALONE);
  });
});

describe('a veto beats the address that asked', () => {
  const PLACE = '_relay-audit.1.1.1.185.in-addr.arpa';
  const VETOES: readonly [string, () => void][] = [
    ['in DNS', () => Object.assign(texts, { [PLACE]: 'deny' })],
    ['of the never-list', () => vetoed.push(HERE)],
    ['of an opt-out', () => paused.push(HERE)],
  ];

  test.each(VETOES)('at the gate: %s', async (_, veto) => {
    veto();
    expect(await scan(ASKED)).toEqual({ dialled: [], reason: 'vetoed', turns: [] });
  });

  // What DNS says is asked again after a minute.
  test.each(VETOES)('at the dial: %s', async (_, veto) => {
    const meanwhile = () => {
      veto();
      now += 56_000;
    };
    expect(await scan(ASKED, host, meanwhile)).toMatchObject({ dialled: [], reason: 'vetoed' });
  });

  test('and the account, which has proven nothing, is not told of an opt-out', async () => {
    paused.push(HERE);
    expect(await permitHost(host, [4], ANY_TURN, gate(), ASKED)).toEqual({ untested: 'vetoed', legs: [], paused: undefined });
  });

  test('and so does its time, while the scan stands in line', async () => {
    now = NOON + DAY - 30_000;
    const meanwhile = () => {
      now += 56_000;
    };
    expect(await scan(ASKED, host, meanwhile)).toMatchObject({ dialled: [], reason: 'no-consent' });
  });

  test('a scan that waits less than that goes on', async () => {
    const meanwhile = () => {
      now += 56_000;
    };
    expect((await scan(ASKED, host, meanwhile)).dialled).toHaveLength(3);
  });
});
