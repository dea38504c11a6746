import { expect, test } from 'vitest';
import type { Change } from '../../../shared/domain/change.ts';
import { noticesOf } from '../../../shared/domain/notice.ts';
import type { LegEvidence } from '../../../shared/domain/scan.ts';
import { CLOSED, NOON, SUSPECTED, sampleArrival, sampleCanary, sampleHost, sampleLeg, sampleScan } from '../../support/samples.ts';

const HOST = sampleHost({ alertRecipients: ['one@example.org', 'two@example.org'] });
const SCAN = sampleScan(HOST, '20260601T120500Z-confirming', NOON, SUSPECTED);
const CHANGE: Change = {
  accountId: HOST.accountId,
  hostId: HOST.id,
  version: 7,
  from: 'closed',
  to: 'suspected',
  at: NOON + 1_000,
  firstScanId: '20260601T115500Z-scheduled',
  scanId: SCAN.id,
};
const CLOSED_AGAIN: Change = { ...CHANGE, from: 'suspected', to: 'closed' };

test('a change owes one notice to each alert recipient', () => {
  const notices = noticesOf(HOST, CHANGE, SCAN, [sampleLeg('accepted')]);
  expect(notices.map(({ recipient }) => recipient)).toEqual(['one@example.org', 'two@example.org']);
  for (const notice of notices)
    expect(notice).toMatchObject({ hostName: 'mail.example.org', from: 'closed', to: 'suspected', scanId: SCAN.id });
});

test('a host without alert recipients owes none', () => {
  expect(noticesOf({ ...HOST, settings: { ...HOST.settings, alertRecipients: [] } }, CHANGE, SCAN, [])).toEqual([]);
});

test('deciding the same change again makes the same ids, so that no notice is owed twice', () => {
  const ids = () => noticesOf(HOST, CHANGE, SCAN, [sampleLeg('accepted')]).map(({ id }) => id);
  expect(ids()).toEqual(ids());
  expect(new Set(ids()).size).toBe(2);
});

test('two changes of one host never share an id', () => {
  const first = noticesOf(HOST, CHANGE, SCAN, []).map(({ id }) => id);
  const second = noticesOf(HOST, { ...CHANGE, version: 8 }, SCAN, []).map(({ id }) => id);
  expect(new Set([...first, ...second]).size).toBe(4);
});

test('an alert shows envelopes that were accepted, a closure those that were refused, at most five', () => {
  const leg: LegEvidence = { ...sampleLeg('refused'), tests: [...sampleLeg('refused').tests, ...sampleLeg('accepted').tests.slice(0, 2)] };
  const [alert] = noticesOf(HOST, CHANGE, SCAN, [leg]);
  const [closure] = noticesOf(HOST, CLOSED_AGAIN, { ...SCAN, judgement: CLOSED }, [leg]);
  expect(alert?.evidence.map(({ reply }) => reply)).toEqual(['250 2.1.5 Ok', '250 2.1.5 Ok']);
  expect(closure?.evidence).toHaveLength(5);
  expect(closure?.evidence[0]).toEqual({
    leg: '192.0.2.1:25',
    from: '<a@probe.example>',
    to: '<b@canary.example>',
    reply: '554 5.7.1 Relay access denied',
  });
});

test('an alert says when invented local users were accepted too', () => {
  const acceptsEverything = (reason: 'recipient-accepted' | 'accepts-everything') =>
    noticesOf(HOST, CHANGE, { ...SCAN, judgement: { ...SUSPECTED, reason } }, [])[0]?.acceptsEverything;
  expect(acceptsEverything('recipient-accepted')).toBe(false);
  expect(acceptsEverything('accepts-everything')).toBe(true);
});

test('an alert says how far it got, and shows first the envelopes that got furthest', () => {
  const [first, second, ...rest] = sampleLeg('accepted').tests;
  if (first === undefined || second === undefined) return expect.fail('no tests');
  const leg: LegEvidence = { ...sampleLeg(), tests: [first, { ...second, stage: 'message', reply: '250 queued' }, ...rest] };
  const [alert] = noticesOf(HOST, CHANGE, SCAN, [leg]);
  expect(alert).toMatchObject({ messageAccepted: true, arrival: undefined });
  expect(alert?.evidence[0]?.reply).toBe('250 queued');
  expect(noticesOf(HOST, CHANGE, SCAN, [sampleLeg('accepted')])[0]?.messageAccepted).toBe(false);
});

test('a change to open shows the envelopes whose canaries came back, and the first arrival with its way', () => {
  const opened: Change = { ...CHANGE, to: 'open' };
  const [late, first] = ['test-2', 'test-3'].map((name, index) => ({
    ...sampleArrival(sampleCanary(SCAN, name)),
    test: name,
    at: NOON + 60_000 * (2 - index),
  }));
  if (late === undefined || first === undefined) return expect.fail('no arrivals');
  const leg: LegEvidence = {
    ...sampleLeg(),
    tests: sampleLeg('accepted').tests.map((each) => ({ ...each, stage: 'message', reply: each.test })),
  };
  const other: LegEvidence = { ...leg, port: 587 };
  const [notice] = noticesOf(HOST, opened, { ...SCAN, arrivals: [late, first] }, [other, leg]);
  expect(notice).toMatchObject({ to: 'open', arrival: first, messageAccepted: true, envelopes: 2 });
  expect(notice?.evidence.map(({ leg: name, reply }) => [name, reply])).toEqual([
    ['192.0.2.1:25', 'test-2'],
    ['192.0.2.1:25', 'test-3'],
  ]);
});

test('a change to open is told even when its evidence is gone', () => {
  const arrivals = [sampleArrival(sampleCanary(SCAN, 'a'))];
  expect(noticesOf(HOST, { ...CHANGE, to: 'open' }, { ...SCAN, arrivals }, [])[0]).toMatchObject({ evidence: [], arrival: arrivals[0] });
});
