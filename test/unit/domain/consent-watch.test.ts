import { describe, expect, test } from 'vitest';
import { awaitsDns, nextLook, waitAfter, withoutTrouble } from '../../../shared/domain/consent-watch.ts';
import { NOON, OWED } from '../../support/samples.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const FIRST = { kind: 'first', begun: false, lookOnly: false } as const;
const SCHEDULED = { kind: 'scheduled', begun: false, lookOnly: false } as const;
const FAILURE = { type: 'A', name: 'mail.example.org', said: 'SERVFAIL' } as const;

// All looks at something that never comes, each made a little late, as a tick and its worker make them.
function looks(lateMs: number, days: number): number[] {
  const all: number[] = [];
  for (let at = nextLook(NOON, NOON, days * DAY); at !== undefined; at = nextLook(NOON, at + lateMs, days * DAY)) all.push(at - NOON);
  return all;
}

test('a scan that waited long for its owner, and was begun, waits a week for DNS that fails then, as any', () => {
  const begun = { ...FIRST, begun: true, waits: { since: NOON - 10 * DAY } };
  expect(waitAfter(begun, 'dns-trouble', NOON, FAILURE)).toMatchObject({ dueAt: NOON + MINUTE, tells: false });
  const failing = { ...begun, waits: { since: NOON - 10 * DAY, troubleSince: NOON - 7 * DAY } };
  expect(waitAfter(failing, 'dns-trouble', NOON, FAILURE)).toBeUndefined();
});

test('what DNS has answered since is no trouble of a later day', () => {
  const waits = withoutTrouble({ since: NOON - DAY, troubleSince: NOON - DAY, failure: FAILURE });
  expect(waitAfter({ ...FIRST, waits }, 'dns-trouble', NOON, FAILURE)).toMatchObject({ tells: false, waits: { since: NOON - DAY } });
  expect(withoutTrouble(undefined)).toBeUndefined();
});

describe('looking by itself', () => {
  test.each([
    [0, 1 * MINUTE],
    [59_999, 1 * MINUTE],
    [1 * MINUTE, 2 * MINUTE],
    [2 * MINUTE, 5 * MINUTE],
    [5 * MINUTE, 10 * MINUTE],
    [10 * MINUTE, 30 * MINUTE],
    [30 * MINUTE, 1 * HOUR],
    [1 * HOUR, 2 * HOUR],
    [71 * HOUR + 5 * MINUTE, 3 * DAY],
    [3 * DAY, 4 * DAY],
    [16 * DAY + HOUR, 17 * DAY],
    [17 * DAY, undefined],
    [40 * DAY, undefined],
  ])('%d ms after it began to wait a scan looks again at %s', (passed, at) => {
    expect(nextLook(NOON, NOON + passed, 17 * DAY)).toBe(at === undefined ? undefined : NOON + at);
  });

  test('comes after 1, 2, 5, 10 and 30 minutes, hourly for three days, then daily for two weeks', () => {
    const all = looks(70_000, 17);
    // The second minute is over when the first look is done, 70 seconds late.
    expect(all.slice(0, 6)).toEqual([1, 5, 10, 30, 60, 120].map((minutes) => minutes * MINUTE));
    expect(looks(0, 17).slice(0, 5)).toEqual([1, 2, 5, 10, 30].map((minutes) => minutes * MINUTE));
    expect(looks(0, 17)).toHaveLength(5 + 72 + 14);
  });

  test('is never at a time that has passed, so that an outage is made up for by one look', () => {
    for (let passed = 0; passed < 20 * DAY; passed += 7 * MINUTE + 13)
      expect(nextLook(NOON, NOON + passed, 17 * DAY) ?? Number.POSITIVE_INFINITY).toBeGreaterThan(NOON + passed);
  });
});

describe('what DNS said of a scan', () => {
  test.each(['no-consent', 'no-address', 'forbidden-address', 'too-many-lookups', 'dns-trouble'] as const)(
    'is no result of a first scan that is kept from anything by %s',
    (reason) => {
      expect(waitAfter(FIRST, reason, NOON)).toMatchObject({ waits: { since: NOON }, dueAt: NOON + MINUTE, tells: false });
    },
  );

  test.each(['no-consent', 'no-address', 'forbidden-address', 'too-many-lookups'] as const)(
    'is the result of every other scan that ends for %s, and of one that has begun',
    (reason) => {
      for (const kind of ['scheduled', 'on-demand', 'confirming'] as const)
        expect(waitAfter({ ...FIRST, kind }, reason, NOON)).toBeUndefined();
      expect(waitAfter({ ...FIRST, begun: true }, reason, NOON)).toBeUndefined();
    },
  );

  test('is final when it is a veto', () => {
    expect(waitAfter(FIRST, 'vetoed', NOON)).toBeUndefined();
    expect(waitAfter({ ...FIRST, waits: { since: NOON } }, 'vetoed', NOON + HOUR)).toBeUndefined();
  });

  test('is the result of a first scan after 17 days', () => {
    const waits = { since: NOON };
    expect(waitAfter({ ...FIRST, waits }, 'no-consent', NOON + 16 * DAY)).toMatchObject({ waits, dueAt: NOON + 17 * DAY });
    expect(waitAfter({ ...FIRST, waits }, 'no-consent', NOON + 17 * DAY)).toBeUndefined();
  });
});

describe('DNS that fails', () => {
  test.each(['scheduled', 'on-demand', 'confirming'] as const)('keeps a %s scan waiting for a week, and is its result then', (kind) => {
    const look = { ...SCHEDULED, kind };
    const waits = { since: NOON, troubleSince: NOON };
    expect(waitAfter(look, 'dns-trouble', NOON)?.dueAt).toBe(NOON + MINUTE);
    expect(waitAfter({ ...look, waits }, 'dns-trouble', NOON + 6 * DAY)?.dueAt).toBe(NOON + 7 * DAY);
    expect(waitAfter({ ...look, waits }, 'dns-trouble', NOON + 7 * DAY)).toBeUndefined();
  });

  test('is the result at once of a scan that is a look only', () => {
    expect(waitAfter({ ...SCHEDULED, lookOnly: true }, 'dns-trouble', NOON)).toBeUndefined();
  });

  test('keeps a first scan waiting even where that would be a look only, for its owner has nothing else', () => {
    expect(waitAfter({ ...FIRST, lookOnly: true }, 'dns-trouble', NOON)?.dueAt).toBe(NOON + MINUTE);
  });

  test('is told after a day in which it failed at every look', () => {
    const failing = { since: NOON, troubleSince: NOON };
    expect(waitAfter({ ...FIRST, waits: failing }, 'dns-trouble', NOON + DAY - 1, FAILURE)?.tells).toBe(false);
    const step = waitAfter({ ...FIRST, waits: failing }, 'dns-trouble', NOON + DAY, FAILURE);
    expect(step).toMatchObject({ tells: true, waits: { since: NOON, troubleSince: NOON, failure: FAILURE } });
  });

  test('is counted anew after a look that was answered', () => {
    const answered = waitAfter({ ...FIRST, waits: { since: NOON, troubleSince: NOON, failure: FAILURE } }, 'no-consent', NOON + HOUR);
    expect(answered?.waits).toEqual({ since: NOON });
    const again = waitAfter({ ...FIRST, waits: { since: NOON } }, 'dns-trouble', NOON + 2 * DAY);
    expect(again).toMatchObject({ tells: false, waits: { since: NOON, troubleSince: NOON + 2 * DAY } });
  });
});

test('a scan waits for DNS while what put it off is what DNS said', () => {
  expect(awaitsDns(OWED)).toBe(false);
  expect(awaitsDns({ ...OWED, trouble: 'no-consent' })).toBe(true);
  expect(awaitsDns({ ...OWED, trouble: 'dns-trouble' })).toBe(true);
  expect(awaitsDns({ ...OWED, trouble: 'address-busy' })).toBe(false);
});
