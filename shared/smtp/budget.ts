import type { Mta } from '../domain/remedies.ts';

/**
 * What a stranger may do in one session before a server's default configuration slows down or hangs up: refusals,
 * syntactically odd envelopes, resets (RSET or another EHLO), recipients of one transaction, names that EHLO gives, and
 * sessions side by side. `slowSessions` are those side by side where it delays its refusals.
 */
export type SessionBudget = {
  readonly refusals: number;
  readonly odd: number;
  readonly resets: number;
  readonly recipients: number;
  readonly names: number;
  readonly sessions: number;
  readonly slowSessions: number;
};

/** How a server keeps us waiting: for its greeting, and for a refusal on average; milliseconds. */
export type Pace = { readonly greetMs?: number | undefined; readonly refusalMs?: number | undefined };

// For servers that do not say what they are: the strictest of each.
const UNKNOWN: SessionBudget = { refusals: 9, odd: 3, resets: 8, recipients: 10, names: 5, sessions: 1, slowSessions: 6 };

// Replies are delayed after 10 errors (smtpd_soft_error_limit); RSETs count from 100 on (smtpd_junk_command_limit);
// 50 connections of one client are taken at once (smtpd_client_connection_count_limit).
const POSTFIX: SessionBudget = { refusals: 9, odd: 10, resets: 40, recipients: 10, names: 5, sessions: 8, slowSessions: 12 };

const BUDGETS: Partial<Record<Mta, SessionBudget>> = {
  postfix: POSTFIX,
  zimbra: POSTFIX,
  // It hangs up at the 4th syntax error (smtp_max_synprot_errors) and the 12th RSET (smtp_accept_max_nonmail); Debian's
  // configuration answers no more after ten refused recipients of a transaction.
  exim: { refusals: 60, odd: 3, resets: 8, recipients: 10, names: 5, sessions: 1, slowSessions: 6 },
  // Debian's BadRcptThrottle sleeps a second at each refusal in a transaction after the third; each connection waits for
  // greet_pause and counts against ConnectionRateThrottle, and an EHLO after the second is delayed by a
  // second, two, four: few sessions are best.
  sendmail: { refusals: 100, odd: 20, resets: 100, recipients: 3, names: 2, sessions: 2, slowSessions: 4 },
  // Neither minds any number of refusals. OpenSMTPD takes one EHLO a session.
  opensmtpd: { refusals: 100, odd: 100, resets: 100, recipients: 50, names: 1, sessions: 4, slowSessions: 8 },
  haraka: { refusals: 100, odd: 100, resets: 100, recipients: 50, names: 10, sessions: 1, slowSessions: 6 },
  // It waits 5 s before each refusal (TarpitInterval), hangs up at the fifth protocol error (MaxProtocolErrors), where a sender that
  // it cannot read counts twice, and takes 20 connections of one source (MaxInboundConnectionPerSource).
  exchange: { refusals: 5, odd: 2, resets: 40, recipients: 10, names: 5, sessions: 1, slowSessions: 16 },
  // Two refused recipients take 54 s, and each further one longer; it takes 4 connections of one address (MAXPERIP).
  courier: { refusals: 3, odd: 3, resets: 40, recipients: 2, names: 5, sessions: 4, slowSessions: 4 },
  // tcpserver takes 40 connections (-c), no matter from where.
  qmail: { refusals: 100, odd: 100, resets: 100, recipients: 50, names: 10, sessions: 4, slowSessions: 12 },
  mailenable: { refusals: 9, odd: 3, resets: 8, recipients: 10, names: 5, sessions: 2, slowSessions: 5 },
};

const SLOW_GREETING_MS = 8_000; // servers this slow to greet are asked everything in few sessions
const SLOW_REFUSAL_MS = 1_500; // servers this slow to refuse are asked in many sessions side by side, ...
const SLOW_SESSION_REFUSALS = 5; // ... short ones, so that the last of them is over soon after the others
const SLOW_BOTH_REFUSALS = 10; // for servers slow in both: what fits into a sitting after the greeting
const LONG = 200; // as good as no limit: the table is shorter

/** The budget of one session with a server. */
export function budgetFor(mta: Mta | undefined, { greetMs = 0, refusalMs = 0 }: Pace = {}): SessionBudget {
  const known = mta === undefined ? undefined : BUDGETS[mta];
  const budget = known ?? UNKNOWN;
  const slow = refusalMs >= SLOW_REFUSAL_MS;
  const sessions = slow ? budget.slowSessions : budget.sessions;
  if (greetMs < SLOW_GREETING_MS)
    return { ...budget, sessions, refusals: slow ? Math.min(budget.refusals, SLOW_SESSION_REFUSALS) : budget.refusals };
  // A session that is cut short for it makes the next one smaller.
  const long = { refusals: slow ? SLOW_BOTH_REFUSALS : LONG, names: Math.max(budget.names, budget.names === 1 ? 1 : 10), sessions };
  return known === undefined ? { ...budget, ...long, odd: LONG, resets: LONG } : { ...budget, ...long };
}
