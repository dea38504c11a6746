import type { Mta } from '../domain/remedies.ts';

/**
 * What a stranger may do in one session before a server's default configuration slows down or hangs up: refusals,
 * syntactically odd envelopes, resets (RSET or another EHLO), recipients of one transaction, names that EHLO gives, and
 * sessions side by side.
 */
export type SessionBudget = {
  readonly refusals: number;
  readonly odd: number;
  readonly resets: number;
  readonly recipients: number;
  readonly names: number;
  readonly sessions: number;
};

// For servers that do not say what they are: the strictest of each.
const UNKNOWN: SessionBudget = { refusals: 9, odd: 3, resets: 8, recipients: 10, names: 5, sessions: 1 };

// Replies are delayed after 10 errors (smtpd_soft_error_limit); RSETs count from 100 on (smtpd_junk_command_limit);
// 50 connections of one client are taken at once (smtpd_client_connection_count_limit).
const POSTFIX: SessionBudget = { refusals: 9, odd: 10, resets: 40, recipients: 10, names: 5, sessions: 6 };

const BUDGETS: Partial<Record<Mta, SessionBudget>> = {
  postfix: POSTFIX,
  zimbra: POSTFIX,
  // It hangs up at the 4th syntax error (smtp_max_synprot_errors) and the 12th RSET (smtp_accept_max_nonmail); Debian's
  // configuration answers no more after ten refused recipients of a transaction.
  exim: { refusals: 60, odd: 3, resets: 8, recipients: 10, names: 5, sessions: 1 },
  // Debian's BadRcptThrottle sleeps a second at each refusal in a transaction after the third; each connection waits for
  // greet_pause and counts against ConnectionRateThrottle, and an EHLO after the second is delayed by a
  // second, two, four: few sessions are best.
  sendmail: { refusals: 100, odd: 20, resets: 100, recipients: 3, names: 2, sessions: 2 },
  // Neither minds any number of refusals. OpenSMTPD takes one EHLO a session.
  opensmtpd: { refusals: 100, odd: 100, resets: 100, recipients: 50, names: 1, sessions: 4 },
  haraka: { refusals: 100, odd: 100, resets: 100, recipients: 50, names: 10, sessions: 1 },
};

/** The budget of one session with a server. */
export function budgetFor(mta: Mta | undefined): SessionBudget {
  return (mta === undefined ? undefined : BUDGETS[mta]) ?? UNKNOWN;
}
