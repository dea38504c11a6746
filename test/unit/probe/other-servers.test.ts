// Servers of other makes than those that run in the integration tests, in the words that they send; see test/support/peers/products.ts.
import { afterEach, describe, expect, test } from 'vitest';
import { judgementOf } from '../../../functions/probe/finding.ts';
import type { Judgement, Reason, Verdict } from '../../../shared/domain/reason.ts';
import type { Mta } from '../../../shared/domain/remedies.ts';
import { PROBE_LIMITS } from '../../../shared/network/leg-session.ts';
import type { Cast } from '../../../shared/smtp/envelope-forms.ts';
import { plannedTests } from '../../../shared/smtp/plan.ts';
import { type Peer, startPeer } from '../../support/peers/peer.ts';
import type { Product } from '../../support/peers/product.ts';
import {
  BARRACUDA,
  CISCO_INSPECTED,
  COURIER,
  DOMINO,
  DOMINO_QUOTED,
  DOMINO_WITHOUT_POSTMASTER,
  EXCHANGE,
  EXCHANGE_FILTERED,
  EXCHANGE_OPEN,
  IRONPORT,
  IRONPORT_BLOCKING,
  IRONPORT_BLOCKING_LATE,
  MAILENABLE,
  MAILENABLE_LOCAL_SENDERS,
  OS400,
  OS400_OPEN,
  QMAIL,
  QMAIL_OPEN,
  QMAIL_PERCENTHACK,
  RBLSMTPD,
  RBLSMTPD_SPAMCOP,
  SLOW_GREETER,
} from '../../support/peers/products.ts';
import { timeOfTable } from '../../support/peers/virtual-time.ts';
import { openMailbox, type ScanOptions, scanWhole } from '../../support/peers/whole-scan.ts';

const started: Peer[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((peer) => peer.stop()));
});

async function scan(product: Product, options: Partial<ScanOptions> = {}) {
  const mailbox = openMailbox();
  const peer = await startPeer(product, { pace: 0, onMessage: mailbox.take });
  started.push(peer);
  const whole = await scanWhole('127.0.0.1', peer.port, { mailbox, ...options });
  return { ...whole, peer, sent: mailbox.sent.size };
}

function proves({ verdict, reason }: Judgement): [Verdict, Reason] {
  return [verdict, reason];
}

describe('a server that refuses to relay is closed, whatever its words', () => {
  test.each<[string, Product, Mta | undefined]>([
    ['Exchange with its recipient filter', EXCHANGE_FILTERED, 'exchange'],
    ['MailEnable, which refuses with 503', MAILENABLE, 'mailenable'],
    ['Lotus Domino', DOMINO, 'domino'],
    ['Lotus Domino without a postmaster', DOMINO_WITHOUT_POSTMASTER, 'domino'],
    ['Sendmail behind the inspection of Cisco, which knows no EHLO', CISCO_INSPECTED, 'sendmail'],
    ['OS/400, which knows HELO only', OS400, 'os400'],
    ['Courier', COURIER, 'courier'],
  ])('%s', async (_, product, mta) => {
    const { finding, sent } = await scan(product);
    expect(proves(judgementOf(finding, []))).toEqual(['closed', 'all-refused']);
    expect(judgementOf(finding, []).completed).toBe(judgementOf(finding, []).planned);
    expect(new Set(finding.legs.map(({ software }) => software?.mta))).toEqual(new Set([mta]));
    expect(sent).toBe(0);
  });
});

describe('a server that takes any local part at its own domains is closed once its messages were waited for, and never suspected', () => {
  test.each<[string, Product, Mta | undefined]>([
    ['Exchange as installed', EXCHANGE, 'exchange'],
    ['qmail', QMAIL, 'qmail'],
    ['a gateway like IronPort’s', IRONPORT, undefined],
    ['a gateway like Barracuda’s, which refuses the message after its dot', BARRACUDA, undefined],
  ])('%s', async (_, product, mta) => {
    const { finding, sent } = await scan(product);
    expect(proves(judgementOf(finding, []))).toEqual(['closed', 'catch-all']);
    expect(finding.legs[0]?.software?.mta).toBe(mta);
    expect(sent).toBeGreaterThan(0);
    expect(sent).toBeLessThanOrEqual(10 * finding.legs.length);
  });
});

describe('the same server is open when it hands on what it takes', () => {
  test.each<[string, Product]>([
    ['Exchange that lets everybody relay', EXCHANGE_OPEN],
    ['qmail without control/rcpthosts', QMAIL_OPEN],
    ['qmail with the percent hack, among local parts that it takes all alike', QMAIL_PERCENTHACK],
    ['MailEnable that relays for local senders', MAILENABLE_LOCAL_SENDERS],
    ['an old Lotus Domino that reads the quoted local part', DOMINO_QUOTED],
    ['OS/400 that relays for all', OS400_OPEN],
  ])('%s', async (_, product) => {
    const { finding, arrivals } = await scan(product);
    expect(proves(judgementOf(finding, []))).toEqual(['open', 'canary-arrived']);
    expect(arrivals.length).toBeGreaterThan(0);
  });
});

describe('a refusal of our address says nothing of relaying', () => {
  test.each<[string, Product]>([
    ['IronPort in the place of a greeting', IRONPORT_BLOCKING],
    ['IronPort at the first recipient', IRONPORT_BLOCKING_LATE],
    ['rblsmtpd', RBLSMTPD],
    ['rblsmtpd by SpamCop’s list', RBLSMTPD_SPAMCOP],
  ])('%s', async (_, product) => {
    const { finding } = await scan(product);
    expect(proves(judgementOf(finding, []))).toEqual(['untestable', 'policy-against-us']);
  });
});

test('a server that refuses us instead of a greeting is asked no more than twice', async () => {
  const { peer } = await scan(IRONPORT_BLOCKING);
  expect(peer.heard.length).toBe(2);
});

test('Exchange counts protocol errors, and no session of ours goes as far as it lets them', async () => {
  const { peer } = await scan(EXCHANGE_FILTERED);
  expect(peer.heard.filter((lines) => lines.length > 0 && lines.at(-1) !== 'QUIT')).toEqual([]);
});

const CAST: Cast = {
  ourDomain: 'probe.example',
  senderDomain: 'bounces.canary.example',
  canaryDomain: 'canary.example',
  hostName: 'mail.served.example',
  addressLiteral: '[127.0.0.1]',
  servedDomains: ['served.example'],
  localPart: 'audit-01234567',
  srsDay: 20_000,
};

describe('the table of one leg takes few sittings of a server that keeps us waiting', () => {
  test.each<[string, Product, number]>([
    ['Exchange as installed, five seconds a refusal', EXCHANGE, 1],
    ['Exchange with its recipient filter', EXCHANGE_FILTERED, 1],
    ['one that greets after 35 s', SLOW_GREETER, 2],
    ['one that greets after 35 s, and takes five more for each refusal', { ...SLOW_GREETER, refusalMs: 5_000 }, 3],
    ['an unknown one, five seconds a refusal', { ...SLOW_GREETER, greetMs: 0, refusalMs: 5_000 }, 2],
  ])('%s', (_, product, sittings) => {
    const taken = timeOfTable(product, CAST, PROBE_LIMITS.sittingMs);
    expect(taken.sittings).toBeLessThanOrEqual(sittings);
    const answered = new Set(taken.progress.results.map(({ test: id }) => id));
    expect(plannedTests(CAST, 'full', taken.progress.greeting).filter(({ id }) => !answered.has(id))).toEqual([]);
  });
});
