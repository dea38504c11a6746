import { expect, test } from 'vitest';
import { effectOf, raise } from '../../../shared/domain/change.ts';
import type { Host, HostState } from '../../../shared/domain/host.ts';
import type { Scan } from '../../../shared/domain/scan.ts';
import { DOMAINS_A_SCAN, domainsOfScan, heldAfter } from '../../../shared/domain/served-domains.ts';
import { CLOSED, NOON, SUSPECTED, sampleArrival, sampleCanary, sampleHost, sampleScan } from '../../support/samples.ts';

const WEEK = 7 * 24 * 60 * 60_000;
const MANY = Array.from({ length: 100 }, (_, n) => `domain-${n}.example`);
const RULES = { confirmDelayMs: 300_000 };

const hostOf = (state: Partial<HostState> = {}, servedDomains: readonly string[] = MANY, controlMailbox?: string) =>
  sampleHost({ servedDomains, controlMailbox }, state);

test('a host with as many domains as a scan uses has all of them used, in their order', () => {
  const few = MANY.slice(0, DOMAINS_A_SCAN);
  expect(domainsOfScan(hostOf({}, few), NOON)).toEqual(few);
  expect(domainsOfScan(hostOf({}, few, `office@${few[3]}`), NOON)).toEqual(few);
  expect(domainsOfScan(hostOf({}, few.slice(0, 4)), NOON)).toEqual(few.slice(0, 4));
});

test.each([11, 19, 20, 47, 64, 99, 100])(
  'of %i domains each comes in turn, a few weeks on, and a scan never uses more than ten',
  (count) => {
    const host = hostOf({}, MANY.slice(0, count));
    const weeks = Math.ceil((count - 1) / (DOMAINS_A_SCAN - 1));
    const chosen = Array.from({ length: weeks }, (_, week) => domainsOfScan(host, NOON + week * WEEK));
    for (const each of chosen) expect(new Set(each).size).toBe(DOMAINS_A_SCAN);
    expect(chosen.every(([first]) => first === MANY[0])).toBe(true);
    expect(new Set(chosen.flat()).size).toBe(count);
  },
);

test('the domain of the control mailbox is in every choice, and first', () => {
  const host = hostOf({}, MANY, `office@${MANY[77]}`);
  for (let week = 0; week < 12; week++) expect(domainsOfScan(host, NOON + week * WEEK)[0]).toBe(MANY[77]);
});

test('the domains that a hole was seen with are used until the host is seen closed, however many weeks that takes', () => {
  const used = domainsOfScan(hostOf(), NOON);
  let host: Host = hostOf({ relay: 'closed', since: NOON - WEEK });
  const play = (id: string, startedAt: number, open: boolean) => {
    const scan = scanOf(host, id, startedAt, open);
    const effect = effectOf(host, scan, RULES);
    if (effect.kind !== 'late') host = { ...host, state: effect.state };
    return scan.servedDomains;
  };
  expect(play('20260601T120000Z-scheduled', NOON, true)).toEqual(used);
  expect(play('20260608T120000Z-confirming', NOON + WEEK, true)).toEqual(used);
  expect(host.state.relay).toBe('suspected');
  expect(play('20260615T120000Z-scheduled', NOON + 2 * WEEK, false)).toEqual(used);
  expect(play('20260622T120000Z-confirming', NOON + 3 * WEEK, false)).toEqual(used);
  expect(host.state.relay).toBe('closed');
  expect(host.state.heldDomains).toBeUndefined();
  expect(play('20260629T120000Z-scheduled', NOON + 4 * WEEK, false)).not.toEqual(used);
});

test('a hole that only a canary shows keeps its domains too', () => {
  const host = hostOf({ relay: 'closed', since: NOON - WEEK });
  const scan = scanOf(host, '20260601T120000Z-scheduled', NOON, false);
  const { effect } = raise(host, scan, { arrivals: [sampleArrival(sampleCanary(scan, 'canary-1'))], bounces: [] });
  expect(effect.kind === 'late' ? undefined : effect.state.heldDomains).toEqual(scan.servedDomains);
});

test('a host that was open before it had many domains keeps those that it had then', () => {
  const few = MANY.slice(0, 4);
  const host = hostOf({ relay: 'open', since: NOON, openLegs: ['127.0.0.1:25/plain'] }, [...few, ...MANY.slice(50)]);
  for (let week = 0; week < 12; week++) expect(domainsOfScan(host, NOON + week * WEEK)).toEqual([...few, ...MANY.slice(50, 56)]);
});

test.each<[string, Partial<HostState>]>([
  ['it is suspected', { relay: 'suspected' }],
  ['a turn of it waits for its confirmation', { relay: 'closed', pending: { to: 'open', scanId: 's', notBefore: NOON } }],
  ['one of its legs was not seen closed', { relay: 'closed', openLegs: ['127.0.0.1:25'] }],
])('a host keeps the domains that are held while %s', (_, state) => {
  expect(domainsOfScan(hostOf({ ...state, heldDomains: MANY.slice(60, 63) }), NOON)).toEqual(MANY.slice(60, 63));
});

test('only a scan that saw a leg answer as a relay has its domains held', () => {
  const host = hostOf({ relay: 'open', since: NOON - WEEK });
  const [seen, unseen] = [true, false].map((open) => scanOf(host, '20260601T120000Z-scheduled', NOON, open));
  expect(heldAfter(host.state, host.state, seen ?? expect.fail())).toEqual(seen?.servedDomains);
  expect(heldAfter(host.state, host.state, unseen ?? expect.fail())).toBeUndefined();
});

test('domains that were held and are served no more are not used', () => {
  const host = hostOf({ relay: 'open', heldDomains: [...MANY.slice(0, 3), 'gone.example'] });
  expect(domainsOfScan(host, NOON)).toEqual(MANY.slice(0, 3));
});

function scanOf(host: Host, id: string, startedAt: number, open: boolean): Scan {
  const legs = ['127.0.0.1:25/plain'];
  return {
    ...sampleScan(host, id, startedAt, open ? SUSPECTED : CLOSED),
    full: true,
    servedDomains: domainsOfScan(host, startedAt),
    openLegs: open ? legs : [],
    ...(open ? {} : { closedLegs: legs }),
  };
}
