import { describe, expect, test } from 'vitest';
import { groupOf, newsOf, noticeId, noticesOf, type Occasion, ofHosts, seenIn } from '../../../shared/domain/notice.ts';
import type { LegEvidence } from '../../../shared/domain/scan.ts';
import { CLOSED, NOON, SUSPECTED, sampleArrival, sampleCanary, sampleHost, sampleLeg, sampleScan } from '../../support/samples.ts';

const HOST = sampleHost({ alertRecipients: ['one@example.org', 'two@example.org'] });
const HOOKED = { ...HOST, settings: { ...HOST.settings, webhook: 'https://hooks.example.org/' } };
const SCAN = sampleScan(HOST, '20260601T120500Z-confirming', NOON, SUSPECTED);
const STATE = { ...HOST.state, version: 7, relay: 'suspected', since: NOON } as const;
const CHANGE: Occasion = { kind: 'change', from: 'closed', to: 'suspected' };

test('an occasion owes one notice to each alert recipient', () => {
  const notices = noticesOf(HOST, STATE, CHANGE, NOON, seenIn(SCAN, [sampleLeg('accepted')], 'suspected'));
  expect(notices.map(({ recipient, channel }) => [recipient, channel])).toEqual([
    ['one@example.org', 'mail'],
    ['two@example.org', 'mail'],
  ]);
  for (const notice of notices)
    expect(notice).toMatchObject({ hostName: 'mail.example.org', occasion: CHANGE, relay: 'suspected', seen: { scanId: SCAN.id } });
});

test('it owes one to the webhook as well', () => {
  const notices = noticesOf(HOOKED, STATE, CHANGE, NOON);
  expect(notices.map(({ channel }) => channel)).toEqual(['mail', 'mail', 'webhook']);
});

test('a host without alert recipients owes none', () => {
  expect(noticesOf({ ...HOST, settings: { ...HOST.settings, alertRecipients: [] } }, STATE, CHANGE, NOON)).toEqual([]);
});

test('deciding the same again makes the same ids, so that no notice is owed twice', () => {
  const ids = () => noticesOf(HOOKED, STATE, CHANGE, NOON).map(({ id }) => id);
  expect(ids()).toEqual(ids());
  expect(new Set(ids()).size).toBe(3);
});

test('two states of one host never share an id, and ids sort by their version', () => {
  const idsAt = (version: number) => noticesOf(HOOKED, { ...STATE, version }, CHANGE, NOON).map(({ id }) => id);
  expect(new Set([...idsAt(7), ...idsAt(8)]).size).toBe(6);
  expect(['10', '9', '100'].map((version) => noticeId(HOST.id, Number(version), '0')).toSorted()).toEqual(
    [9, 10, 100].map((version) => noticeId(HOST.id, version, '0')),
  );
});

test('an alert shows envelopes that were accepted, a closure those that were refused, at most five', () => {
  const leg: LegEvidence = { ...sampleLeg('refused'), tests: [...sampleLeg('refused').tests, ...sampleLeg('accepted').tests.slice(0, 2)] };
  const alert = seenIn(SCAN, [leg], 'suspected');
  const closure = seenIn({ ...SCAN, judgement: CLOSED }, [leg], 'closed');
  expect(alert.evidence.map(({ reply }) => reply)).toEqual(['250 2.1.5 Ok', '250 2.1.5 Ok']);
  expect(closure.evidence).toHaveLength(5);
  expect(closure.evidence[0]).toEqual({
    leg: '192.0.2.1:25',
    from: '<a@probe.example>',
    to: '<b@canary.example>',
    reply: '554 5.7.1 Relay access denied',
  });
  expect(seenIn(SCAN, [leg], 'unknown').evidence).toEqual([]);
});

test('an alert says how far it got, and shows first the envelopes that got furthest', () => {
  const [first, second, ...rest] = sampleLeg('accepted').tests;
  if (first === undefined || second === undefined) return expect.fail('no tests');
  const leg: LegEvidence = { ...sampleLeg(), tests: [first, { ...second, stage: 'message', reply: '250 queued' }, ...rest] };
  const alert = seenIn(SCAN, [leg], 'suspected');
  expect(alert).toMatchObject({ messageAccepted: true, arrival: undefined });
  expect(alert.evidence[0]?.reply).toBe('250 queued');
  expect(seenIn(SCAN, [sampleLeg('accepted')], 'suspected').messageAccepted).toBe(false);
});

test('a change to open shows the envelopes whose canaries came back, and the first arrival with its way', () => {
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
  const seen = seenIn({ ...SCAN, arrivals: [late, first] }, [other, leg], 'open');
  expect(seen).toMatchObject({ arrival: first, messageAccepted: true, envelopes: 2 });
  expect(seen.evidence.map(({ leg: name, reply }) => [name, reply])).toEqual([
    ['192.0.2.1:25', 'test-2'],
    ['192.0.2.1:25', 'test-3'],
  ]);
});

test('a change to open is told even when its evidence is gone', () => {
  const arrivals = [sampleArrival(sampleCanary(SCAN, 'a'))];
  expect(seenIn({ ...SCAN, arrivals }, [], 'open')).toMatchObject({ evidence: [], arrival: arrivals[0] });
});

test('a change to open or suspected names the hole, and one to closed none', () => {
  const leg = sampleLeg('accepted');
  const arrivals = [sampleArrival(sampleCanary(SCAN, 'a'))];
  expect(seenIn({ ...SCAN, arrivals }, [leg], 'open').hole).toMatchObject({ cause: 'anyone', others: 0 });
  expect(seenIn({ ...SCAN, arrivals }, [leg], 'closed').hole).toBeUndefined();
  expect(seenIn(SCAN, [sampleLeg()], 'suspected').hole).toBeUndefined();
});

test('a notice of a webhook goes to its address, and each says when it is owed, and since when its host is as it is', () => {
  const notices = noticesOf(HOOKED, STATE, CHANGE, NOON);
  expect(notices[2]).toMatchObject({ recipient: 'https://hooks.example.org/', id: noticeId(HOST.id, 7, 'webhook') });
  for (const notice of notices)
    expect(notice).toMatchObject({ accountId: 'account1', hostId: HOST.id, about: 'host', owedAt: NOON, since: NOON });
});

test('an alert names the software of a leg that answers as a relay, and of no other', () => {
  const postfix = { mta: 'postfix', from: 'greeting' } as const;
  const closed: LegEvidence = { ...sampleLeg(), software: { mta: 'exim', from: 'greeting' } };
  const open: LegEvidence = { ...sampleLeg('accepted'), port: 587, software: postfix };
  const scan = { ...SCAN, openLegs: ['192.0.2.1:587'] };
  expect(seenIn(scan, [closed, open], 'suspected').software).toEqual(postfix);
  expect(seenIn({ ...scan, openLegs: [] }, [closed, open], 'suspected').software).toBeUndefined();
});

test('an open host is shown with what was accepted where nothing has come back, and a suspected one with all of it in any case', () => {
  const leg = sampleLeg('accepted');
  const arrivals = [{ ...sampleArrival(sampleCanary(SCAN, 'a')), test: 'test-2' }];
  expect(seenIn(SCAN, [leg], 'open').envelopes).toBe(leg.tests.length);
  expect(seenIn({ ...SCAN, arrivals }, [leg], 'open').envelopes).toBe(1);
  expect(seenIn({ ...SCAN, arrivals }, [leg], 'suspected')).toMatchObject({ envelopes: leg.tests.length, arrival: undefined });
});

describe('a notice about several hosts', () => {
  const mails = ['a', 'b'].flatMap((name) => {
    const host = sampleHost({ name: `${name}.example.org`, alertRecipients: ['one@example.org'] });
    const seen = seenIn(SCAN, [sampleLeg('accepted')], 'suspected');
    return noticesOf(host, STATE, CHANGE, NOON, seen).flatMap((notice) => (notice.channel === 'mail' ? [notice] : []));
  });
  const [first = expect.fail(), second = expect.fail()] = mails;
  const group = groupOf(first, 'group', NOON + 1);
  const joined = { ...group, hosts: [...group.hosts, newsOf(second)] };

  test('is a mail to the same reader that keeps what the first has shown, and of those that join their news', () => {
    expect(group).toMatchObject({ id: 'group', accountId: 'account1', channel: 'mail', about: 'hosts', recipient: 'one@example.org' });
    expect(group.owedAt).toBe(NOON + 1);
    expect(joined.hosts).toEqual([
      { hostId: first.hostId, hostName: 'a.example.org', occasion: CHANGE, relay: 'suspected', since: NOON, seen: first.seen },
      { hostId: second.hostId, hostName: 'b.example.org', occasion: CHANGE, relay: 'suspected', since: NOON },
    ]);
  });

  test('tells nothing of hosts that are gone, and is nothing when all are', () => {
    expect(ofHosts(joined, new Set([second.hostId]))).toEqual({ ...joined, hosts: [newsOf(second)] });
    expect(ofHosts(joined, new Set())).toBeUndefined();
    expect(ofHosts(first, new Set([first.hostId]))).toBe(first);
    expect(ofHosts(first, new Set([second.hostId]))).toBeUndefined();
  });
});
