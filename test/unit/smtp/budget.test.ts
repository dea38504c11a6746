import { describe, expect, test } from 'vitest';
import { budgetFor, type Pace, type SessionBudget } from '../../../shared/smtp/budget.ts';

const SLOW_GREETING: Pace = { greetMs: 8_000 };
const SLOW_REFUSAL: Pace = { refusalMs: 1_500 };
const BOTH: Pace = { ...SLOW_GREETING, ...SLOW_REFUSAL };

describe('what a session may do follows from what the server is and how it keeps us waiting', () => {
  test('a server that does not say what it is gets the strictest budget', () => {
    const unknown = { refusals: 9, odd: 3, resets: 8, recipients: 10, names: 5, sessions: 1, slowSessions: 6 };
    expect(budgetFor(undefined)).toEqual(unknown);
    expect(budgetFor('domino')).toEqual(unknown); // of which no limits are known
  });

  test.each<[string, Parameters<typeof budgetFor>, Partial<SessionBudget>]>([
    ['a known one gets its own', ['opensmtpd'], { refusals: 100, names: 1, sessions: 4 }],
    ['waiting a little changes nothing', ['postfix', { greetMs: 7_999, refusalMs: 1_499 }], { refusals: 9, names: 5, sessions: 8 }],
    ['slow refusals are asked for in short sessions side by side', ['postfix', SLOW_REFUSAL], { refusals: 5, names: 5, sessions: 12 }],
    ['one that takes fewer refusals than a short session has gets no more for being slow', ['courier', SLOW_REFUSAL], { refusals: 3 }],
    [
      'behind a slow greeting all is asked in few sessions',
      ['postfix', SLOW_GREETING],
      { refusals: 200, names: 10, odd: 10, resets: 40, sessions: 8 },
    ],
    [
      'also of one that does not say what it is',
      [undefined, SLOW_GREETING],
      { refusals: 200, names: 10, odd: 200, resets: 200, sessions: 1 },
    ],
    ['and of one that takes one EHLO, under that one name', ['opensmtpd', SLOW_GREETING], { refusals: 200, names: 1 }],
    ['where both are slow, a session holds what fits into a sitting', ['postfix', BOTH], { refusals: 10, names: 10, sessions: 12 }],
  ])('%s', (_, [mta, pace], expected) => expect(budgetFor(mta, pace)).toMatchObject(expected));
});
