import { describe, expect, test } from 'vitest';
import { VERDICTS, type Verdict } from '../../../shared/domain/reason.ts';
import type { Span } from '../../../shared/domain/timeline.ts';
import { html, textOf } from '../../../shared/markup/html.ts';
import { layout } from '../../../shared/pages/layout.ts';
import { timeline } from '../../../shared/pages/timeline.ts';
import { NOON } from '../../support/samples.ts';
import { elementsOf } from './well-formed.ts';

const HOUR = 60 * 60_000;
const DAY = 24 * HOUR;
const LEG = '192.0.2.1:25';

function picture(spans: readonly Span[], days = 30): string {
  const view = timeline({ hostId: '1', spans, lastScanAt: NOON, days, now: NOON });
  elementsOf(layout('x', html`<h1>x</h1>${view}`));
  return textOf(view);
}

function span(from: number, verdict: Verdict, leg = LEG): Span {
  return { from, whole: true, verdict, legs: [{ leg, verdict }] };
}

// The shapes of a row of the picture: verdict, where it begins, how wide and how high it is.
function shapesOf(page: string, row: string): [verdict: string, x: number, width: number, height: number][] {
  const drawn = new RegExp(`<svg role="img" aria-label="${row.replaceAll('.', '\\.')}:.*?</svg>`).exec(page)?.[0] ?? '';
  return [...drawn.matchAll(/class="bar (\w+)" d="([^"]*)"/g)].flatMap(([, verdict = '', path = '']) =>
    [...path.matchAll(/M(\d+) \d+h(\d+)v(\d+)/g)].map(([, x, width, height]): [string, number, number, number] => [
      verdict,
      Number(x),
      Number(width),
      Number(height),
    ]),
  );
}

describe('the picture', () => {
  test('draws host and legs where they showed what, and nothing where nothing is known', () => {
    const page = picture([{ ...span(NOON - 3 * DAY, 'open'), gapSince: NOON - 6 * DAY }, span(NOON - 15 * DAY, 'closed')]);
    for (const row of ['Host', LEG])
      expect(shapesOf(page, row)).toEqual([
        ['closed', 500, 300, 5],
        ['open', 900, 100, 20],
      ]);
  });

  test('tells verdicts apart without colour: no two have both height and pattern in common', () => {
    const looks = VERDICTS.map((verdict) => {
      const [, , , height] = shapesOf(picture([span(NOON - 3 * DAY, verdict)]), 'Host')[0] ?? [];
      return `${height} ${['suspected', 'untestable', 'unreachable'].includes(verdict) ? verdict : 'solid'}`;
    });
    expect(new Set(looks).size).toBe(VERDICTS.length);
  });

  test('never hides that it was open, however short and among however many turns', () => {
    const turns = Array.from({ length: 400 }, (_, index) =>
      span(NOON - (index + 1) * 20 * HOUR, index % 2 === 0 ? 'closed' : 'inconclusive'),
    );
    const opened = [span(NOON - 4_000 * HOUR + 1, 'closed'), span(NOON - 4_000 * HOUR, 'open')];
    const spans = [...turns, ...opened].toSorted((a, b) => b.from - a.from);
    const shapes = shapesOf(picture(spans, 365), 'Host');
    expect(shapes.filter(([verdict]) => verdict === 'open')).toHaveLength(1);
    expect(shapes.length).toBeLessThanOrEqual(250);
    expect(picture(spans, 365)).toContain('a bar shows the worst verdict of its time');
    expect(picture(spans, 30)).not.toContain('a bar shows the worst verdict of its time');
    expect(shapesOf(picture([span(NOON - 60_000, 'open'), span(NOON - 20 * DAY, 'closed')], 365), 'Host').at(-1)?.[0]).toBe('open');
  });

  test('says which legs and rows there is no room for', () => {
    const names = Array.from({ length: 60 }, (_, index) => `192.0.2.1:${1_000 + index}`);
    const spans = Array.from({ length: 10 }, (_, index): Span => {
      const verdict = index % 2 === 0 ? 'open' : 'closed';
      return { from: NOON - (index + 1) * DAY, whole: true, verdict, legs: names.map((leg) => ({ leg, verdict })) };
    });
    const page = picture(spans);
    expect(page.match(/class="line"/g)).toHaveLength(41);
    expect(page).toContain('And 20 more legs');
    const rows = (page.match(/<tr>/g) ?? []).length - 1;
    expect(page).toContain(`The same as a table (410 rows)`);
    expect(page).toContain(`And ${410 - rows} earlier rows`);
  });

  test('has a table with the newest first, and says that its days are UTC', () => {
    const page = picture([span(NOON - 3 * DAY, 'open'), span(NOON - 15 * DAY, 'closed')]);
    const cells = [...page.matchAll(/data-label="(From|Of|Verdict)">(?:<time datetime="([^"]*)"|([^<]*))/g)].map(
      ([, , time, text]) => time ?? text,
    );
    expect(cells).toEqual([
      ...['2026-05-29T12:00:00.000Z', 'the host', 'open'],
      ...['2026-05-29T12:00:00.000Z', LEG, 'open'],
      ...['2026-05-17T12:00:00.000Z', 'the host', 'closed'],
      ...['2026-05-17T12:00:00.000Z', LEG, 'closed'],
    ]);
    expect(page).toContain('Days in UTC');
  });
});
