import type { Cast } from '../../shared/smtp/envelope-forms.ts';
import { BEGIN, nextSession } from '../../shared/smtp/plan.ts';
import type { Session } from './transcript.ts';

const CAST: Cast = {
  ourDomain: 'probe.example',
  senderDomain: 'probe.example',
  canaryDomain: 'canary.example',
  hostName: 'mx.example.org',
  addressLiteral: '[192.0.2.1]',
  servedDomains: ['example.org'],
  localPart: 'relay-audit-01234567',
  srsDay: 20_000,
};

const first = nextSession(CAST, 'full', BEGIN);

const REFUSAL = `
  250 2.1.0 Ok
  554 5.7.1 Relay access denied
  250 2.0.0 Ok`;

/** The first session of a scan with a server that does not say what it is, byte for byte. */
export const FIRST_SESSION: Session = {
  rule: 'the first session asks for the postmaster, tries eight envelopes, none of them odd and the null sender last, and asks for the postmaster again',
  transactions: first?.kind === 'envelopes' ? first.choose({ name: 'mx.example.org' }) : [],
  server: `
    220 mx.example.org ESMTP
    250 mx.example.org
    250 2.1.0 Ok
    250 2.1.5 Ok
    250 2.0.0 Ok
    ${REFUSAL.repeat(7)}
    250 2.1.0 Ok
    554 5.7.1 Relay access denied
    250 2.0.0 Ok
    250 2.1.0 Ok
    250 2.1.5 Ok
    221 2.0.0 Bye`,
  client: `
    EHLO probe.example
    MAIL FROM:<relay-audit@probe.example>
    RCPT TO:<postmaster@example.org>
    RSET
    MAIL FROM:<relay-audit@probe.example>
    RCPT TO:<relay-audit-01234567-plain@canary.example>
    RSET
    MAIL FROM:<relay-audit@mx.example.org>
    RCPT TO:<relay-audit-01234567-server-sender@canary.example>
    RSET
    MAIL FROM:<relay-audit@[192.0.2.1]>
    RCPT TO:<relay-audit-01234567-literal-sender@canary.example>
    RSET
    MAIL FROM:<relay-audit@example.org>
    RCPT TO:<relay-audit-01234567-served-sender@canary.example>
    RSET
    MAIL FROM:<postmaster@example.org>
    RCPT TO:<relay-audit-01234567-postmaster-served@canary.example>
    RSET
    MAIL FROM:<relay-audit-01234567-nobody@example.org>
    RCPT TO:<relay-audit-01234567-invented-served@canary.example>
    RSET
    MAIL FROM:<relay-audit@localhost>
    RCPT TO:<relay-audit-01234567-localhost-sender@canary.example>
    RSET
    MAIL FROM:<>
    RCPT TO:<relay-audit-01234567-null-sender@canary.example>
    RSET
    MAIL FROM:<relay-audit@probe.example>
    RCPT TO:<postmaster@example.org>
    QUIT`,
  shows: [
    'control-postmaster: accepted at rcpt',
    'plain: refused at rcpt',
    'server-sender: refused at rcpt',
    'literal-sender: refused at rcpt',
    'served-sender: refused at rcpt',
    'postmaster-served: refused at rcpt',
    'invented-served: refused at rcpt',
    'localhost-sender: refused at rcpt',
    'null-sender: refused at rcpt',
    'control-postmaster:again: accepted at rcpt',
  ],
};
