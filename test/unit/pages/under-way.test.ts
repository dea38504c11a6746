import { describe, expect, test } from 'vitest';
import { REASONS } from '../../../shared/domain/reason.ts';
import { type OwedScan, scanId } from '../../../shared/domain/scan.ts';
import { textOf } from '../../../shared/markup/html.ts';
import { owedScans, refreshSeconds } from '../../../shared/pages/under-way.ts';
import { BEGUN, NOON } from '../../support/samples.ts';

const MINUTE = 60_000;
const OWED: OwedScan = { accountId: 'account1', hostId: 'host', scanId: scanId(NOON, 'first'), dueAt: NOON + 10 * MINUTE, tries: 0 };
const UNFINISHED: OwedScan = { ...OWED, begun: { ...BEGUN, sittings: 2 } };
const AWAITING: OwedScan = {
  ...OWED,
  dueAt: NOON + 60 * MINUTE,
  begun: {
    ...BEGUN,
    left: { reason: 'awaiting-messages', completed: 74, planned: 74 },
    awaits: { since: NOON, until: NOON + 60 * MINUTE },
  },
};

function shown(owed: OwedScan, now = NOON): string {
  const part = owedScans([owed], now);
  return part === undefined ? '' : textOf(part);
}

describe('a scan that is owed', () => {
  test('says why its server is asked again, when, and how far it has come', () => {
    const part = shown(UNFINISHED);
    expect(part).toContain('<h2>A scan is not finished</h2>');
    expect(part).toContain('It goes on in 10 minutes.');
    expect(part).toContain(
      `${REASONS.greylisted.sentence} 50 of 74 tests are complete. It is asked in up to ten sittings; the next is number 3.`,
    );
    expect(shown(OWED)).toContain('<h2>A scan follows</h2>');
    expect(shown(OWED)).not.toContain('sitting');
  });

  test('says that it waits for its messages, until when, and what either end would mean', () => {
    const part = shown(AWAITING);
    expect(part).toContain('<h2>A scan waits for its messages</h2>');
    expect(part).toMatch(
      /Waiting for messages that we sent through it, until <time datetime="2026-06-01T13:00:00.000Z"[^<]*<\/time> <span class="ago">in 60 minutes<\/span>\./,
    );
    expect(part).toContain('it is an open relay');
    expect(part).not.toContain('sitting');
    expect(shown(AWAITING, NOON + 61 * MINUTE)).toContain('the result follows within a minute or two');
  });

  test('tells trouble of ours instead of what it was waiting for before', () => {
    const part = shown({ ...UNFINISHED, trouble: 'egress-blocked' });
    expect(part).toContain('It is due in 10 minutes.');
    expect(part).toContain(REASONS['egress-blocked'].sentence);
    expect(part).not.toContain(REASONS.greylisted.sentence);
  });

  test('says that it waits for DNS, why, when we look again by ourselves, and where to see what is missing', () => {
    const part = shown({ ...OWED, trouble: 'no-consent', waits: { since: NOON } });
    expect(part).toContain('<h2>Waiting for DNS</h2>');
    expect(part).toMatch(/Next look: <time datetime="2026-06-01T12:10:00.000Z"[^<]*<\/time> <span class="ago">in 10 minutes<\/span>\./);
    expect(part).toContain(REASONS['no-consent'].sentence);
    expect(part).toContain('<a href="/hosts/host/consent">');
    expect(shown({ ...OWED, dueAt: NOON, trouble: 'no-consent' })).toContain('We look again within a minute or two.');
  });

  test('names the question to DNS that fails, and shows nothing of it as it came', () => {
    const failure = { type: 'TXT', name: '_relay-audit.mail.example.org', said: 'SERVFAIL', details: '<b>\n' } as const;
    const part = shown({ ...OWED, trouble: 'dns-trouble', waits: { since: NOON, troubleSince: NOON, failure } });
    expect(part).toContain('We asked DNS for the TXT record of _relay-audit.mail.example.org, and got: SERVFAIL.');
    expect(part).toContain('The resolver adds: &lt;b&gt;\\x0a');
  });

  test('is looked at every few seconds while something happens, and seldom while it waits', () => {
    const secondsOf = (owed: OwedScan, now = NOON) => [/data-live="(\d+)"/.exec(shown(owed, now))?.[1], refreshSeconds([owed], now)];
    const often = ['3', 5];
    const seldom = ['30', 60];
    expect(secondsOf({ ...OWED, dueAt: NOON })).toEqual(often);
    expect(secondsOf({ ...UNFINISHED, underWay: { since: NOON, legs: [] } })).toEqual(often);
    for (const owed of [OWED, UNFINISHED, AWAITING]) expect(secondsOf(owed)).toEqual(seldom);
    expect(secondsOf(AWAITING, NOON + 59 * MINUTE + 1)).toEqual(often);
    expect(secondsOf({ ...AWAITING, dueAt: NOON })).toEqual(often);
    expect([owedScans([], NOON), refreshSeconds([], NOON)]).toEqual([undefined, undefined]);
  });
});
