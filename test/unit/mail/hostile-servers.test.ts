import { describe, expect, test } from 'vitest';
import type { HostNotice, Occasion, Seen } from '../../../shared/domain/notice.ts';
import type { Mail } from '../../../shared/mail/letter.ts';
import { hostNotice } from '../../support/notices.ts';
import { ARRIVED, DAY, openingOf, render, saying, TOLD_AT, wordsOf } from './mails.ts';

describe('what others wrote is shown as text and is nothing else:', () => {
  const HOSTILE: readonly (readonly [string, string, string])[] = [
    ['a script', '250 <script>alert(1)</script>', '<script>alert(1)</script>'],
    ['a closed element', '250 </pre></body><img src=x onerror=alert(1)>', '</pre></body><img src=x onerror=alert(1)>'],
    ['an attribute’s end', '250 " onmouseover="alert(1)', '" onmouseover="alert(1)'],
    ['an entity', '250 &lt;b&gt;', '&lt;b&gt;'],
    ['a spreadsheet’s formula', "=cmd|' /C calc'!A0", "=cmd|' /C calc'!A0"],
    ['a header', '250 Ok\r\nBcc: victim@example.net\r\n\r\nBuy!', '250 Ok\\x0d\\x0aBcc: victim@example.net\\x0d\\x0a\\x0d\\x0aBuy!'],
    ['a NUL', '250 O\0k', '250 O\\x00k'],
    ['a terminal escape', '250 \x1b[2Jgone', '\\x1b[2Jgone'],
    ['other bytes than ASCII', '250 caf\xe9 \xff', '250 caf\\xe9 \\xff'],
    ['a bidirectional override', '250 \u202egpj', '\\x202egpj'],
    ['a bidirectional override, as bytes', '250 \xe2\x80\xaegpj', '\\xe2\\x80\\xaegpj'],
    ['an odd line’s end', '250 a\u2028b\x85c', '250 a\\x2028b\\x85c'],
    ['a link', '250 https://evil.example/', 'https://evil.example/'],
    ['very much', `250 ${'x'.repeat(50_000)}`, `250 ${'x'.repeat(196)} …`],
  ];
  const OCCASIONS: readonly (readonly [Occasion, HostNotice['relay']])[] = [
    [{ kind: 'change', from: 'closed', to: 'open' }, 'open'],
    [{ kind: 'reminder', count: 1 }, 'open'],
    [{ kind: 'digest', changes: 5, from: TOLD_AT - DAY }, 'suspected'],
    [{ kind: 'back', silentSince: TOLD_AT - DAY }, 'suspected'],
    [{ kind: 'change', from: 'open', to: 'closed' }, 'closed'],
  ];
  const cases = OCCASIONS.flatMap(([occasion, relay]) => HOSTILE.map((hostile) => [occasion.kind, relay, ...hostile, occasion] as const));
  const tagsOf = ({ html }: Mail) => html.match(/<[^>]*>/g);

  test.each(cases)('%s to %s, %s', (_kind, relay, _what, text, shown, occasion) => {
    const [hostile, harmless] = [render(hostNotice(occasion, relay, saying(text))), render(hostNotice(occasion, relay, saying('250 Ok')))];
    expect(hostile.text).toMatch(/^[\x20-\x7e\n…]*$/);
    expect(hostile.html).toMatch(/^[\x20-\x7e\n…]*$/);
    expect(tagsOf(hostile)).toEqual(tagsOf(harmless));
    expect(hostile.text).toContain(`${shown}\n`);
    expect(wordsOf(hostile.html)).toContain(`${shown}\n`);
    expect(hostile.text.split('\n')).toHaveLength(harmless.text.split('\n').length);
    expect(hostile.text.length).toBeLessThan(harmless.text.length + 12 * 250);
    expect(hostile.text).not.toMatch(/^\s*Bcc:/m);
    expect([hostile.subject, openingOf(hostile)]).toEqual([harmless.subject, openingOf(harmless)]);
  });

  test('of the Received headers of a message no more than ten are shown', () => {
    const path = Array.from({ length: 100 }, (_, hop) => ({ by: `hop-${hop}.example` }));
    const { text } = render(
      hostNotice({ kind: 'change', from: 'closed', to: 'open' }, 'open', {
        ...ARRIVED,
        arrival: { ...saying('x').arrival, path } as Seen['arrival'],
      }),
    );
    expect(text.match(/hop-\d+\.example/g)).toHaveLength(10);
  });
});
