import { describe, expect, test } from 'vitest';
import type { Occasion, Seen } from '../../../shared/domain/notice.ts';
import { REASONS } from '../../../shared/domain/reason.ts';
import { hostNotice, SEEN } from '../../support/notices.ts';
import { ARRIVED, DAY, openingOf, render, SILENT_REASONS, silence, TOLD_AT } from './mails.ts';

describe('whatever happened, and whatever the scan saw,', () => {
  const STATES = ['open', 'suspected', 'closed', 'unknown'] as const;
  const WORDS = {
    open: /is an open relay/,
    suspected: /answers as an open relay/,
    closed: /is closed/,
    unknown: /not been proven open or closed/,
  };
  const seenAs: readonly (readonly [string, Seen | undefined])[] = [
    ['nothing', undefined],
    ['a recipient accepted', SEEN],
    ['a message accepted', { ...SEEN, reason: 'message-accepted', messageAccepted: true }],
    ['a recipient accepted, and limits that kept every message back', { ...SEEN, reason: 'accepted-then-limited', messageAccepted: true }],
    ['a recipient accepted, and answers too slow for a message', { ...SEEN, reason: 'accepted-then-slow' }],
    ['everything accepted', { ...SEEN, reason: 'accepts-everything' }],
    ['a canary that came back', ARRIVED],
    ['refusals', { ...SEEN, reason: 'all-refused' }],
    ['authentication asked for', { ...SEEN, reason: 'authentication-required' }],
    ['greylisting', { ...SEEN, reason: 'greylisted' }],
  ];
  const told = (make: (state: (typeof STATES)[number]) => Occasion | undefined) =>
    STATES.flatMap((state) => {
      const occasion = make(state);
      return occasion === undefined
        ? []
        : seenAs.map(([what, seen]) => [state, what, hostNotice(occasion, state, seen, TOLD_AT - DAY)] as const);
    });

  const changes = told((to) => (to === 'unknown' ? undefined : { kind: 'change', from: to === 'suspected' ? 'unknown' : 'suspected', to }));
  const reminders = told((relay) => (relay === 'open' || relay === 'suspected' ? { kind: 'reminder', count: 3 } : undefined));
  test.each([...changes, ...reminders])('a change or reminder of %s tells no more than that (%s)', (state, _what, notice) => {
    const [mail, still] = [render(notice), notice.occasion.kind === 'reminder' ? ' still' : ''];
    const opening = openingOf(mail);
    const [verb] = {
      open: [`is${still} an open relay`],
      suspected: [`${still} answers as an open relay`.trim()],
      closed: ['is closed again'],
      unknown: [''],
    }[state];
    expect(mail.subject).toBe(`mail.example.org ${verb}`);
    expect(opening.startsWith(`mail.example.org ${verb}: `)).toBe(true);
    expect(opening.includes('arrived at our mailbox')).toBe(state === 'open');
    expect(/not (?:proven|known)\./.test(opening)).toBe(state === 'suspected');
    if (state !== 'open') expect(`${mail.subject} ${opening}`).not.toMatch(/ (?:is|is still) an open relay/);
    expect(mail.text.includes('What to do now')).toBe(state !== 'closed');
  });

  test('a suspicion that no message could be sent for says what kept it back, and not that it took one', () => {
    for (const reason of ['accepted-then-limited', 'accepted-then-slow'] as const) {
      const notice = hostNotice({ kind: 'change', from: 'closed', to: 'suspected' }, 'suspected', {
        ...SEEN,
        reason,
        messageAccepted: true,
      });
      const opening = openingOf(render(notice)).toLowerCase();
      expect(opening).toContain(REASONS[reason].sentence.toLowerCase());
      expect(opening).not.toContain('to the final dot');
    }
  });

  test.each(told(() => ({ kind: 'digest', changes: 6, from: TOLD_AT - DAY })))(
    'a digest states that it is %s (%s)',
    (state, _what, notice) => {
      const mail = render(notice);
      expect(mail.subject).toMatch(/^mail\.example\.org keeps changing: it /);
      expect(mail.subject).toMatch(WORDS[state]);
      expect(openingOf(mail)).toMatch(WORDS[state]);
      expect(openingOf(mail)).toContain('6 times in the 24 hours since 2026-11-23 10:38:00 UTC');
      expect(mail.text.includes('1. Stop SMTP')).toBe(state === 'open' || state === 'suspected');
    },
  );

  test.each(told(() => ({ kind: 'back', silentSince: TOLD_AT - DAY })))('one that is back and %s says so (%s)', (state, what, notice) => {
    const opening = openingOf(render(notice));
    expect(opening).toMatch(/^mail\.example\.org can be audited again, after 24 hours/);
    if (state !== 'unknown') expect(opening).toMatch(WORDS[state]);
    if (what === 'greylisting') expect(opening).toContain(REASONS.greylisted.sentence);
    expect(render(notice).text.includes('1. Stop SMTP')).toBe(state === 'open' || state === 'suspected');
  });

  const silent = SILENT_REASONS.flatMap((reason) => STATES.map((state) => [reason, state] as const));
  test.each(silent)('one that is silent for %s and was %s says why, and what it was', (reason, state) => {
    const mail = render(silence(reason, state));
    expect(mail.subject).toBe('mail.example.org cannot be audited');
    expect(openingOf(mail)).toContain('3 scheduled scans in a row, since 2026-11-21 10:38:00 UTC, could not tell whether it relays.');
    const was = {
      open: 'it was an open relay.',
      suspected: 'it answered as an open relay.',
      closed: 'it was closed.',
      unknown: 'It has never been audited to the end.',
    };
    expect(openingOf(mail)).toContain(was[state]);
    expect(openingOf(mail)).not.toMatch(/ is (?:closed|an open relay)/);
    expect(mail.text).toContain(`Why\n- ${REASONS[reason].sentence}\n\nWhat to do now\n- `);
  });
});
