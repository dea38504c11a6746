import type { SESMessage } from 'aws-lambda';
import type { AuditOrder } from '../../functions/probe/audit-host.ts';
import type { Finding } from '../../functions/probe/finding.ts';
import type { LegEvidence, TestResult } from '../../shared/domain/scan.ts';
import { NEGATIVE_CONTROL, POSITIVE_CONTROL } from '../../shared/domain/verdict.ts';
import { sampleLeg } from '../support/samples.ts';

/** What becomes of a message that a server took, so many minutes later, and in how many copies we hear of it. */
export type News = { readonly what: 'arrival' | 'bounce'; readonly after: number; readonly copies: number };

/**
 * What a server does from a minute on. `relays`: it lets a canary through, which comes back so many minutes later. `wavers`: now it
 * accepts and now it refuses, as several servers behind one address do. `takesAnyLocalPart`: it refuses foreign recipients, and takes
 * whatever reads as a local part of its own; `messages` says what becomes of each that it took. It may need a second sitting for that.
 */
export type Phase = {
  readonly from: number;
  readonly does: 'refuses' | 'accepts' | 'relays' | 'wavers' | 'takesAnyLocalPart';
  readonly canaryAfter?: number;
  readonly messages?: readonly (readonly News[])[];
  readonly twoSittings?: boolean;
};

const LEG = '192.0.2.1:25';
const RECIPIENT = 'b@canary.example';
const SENDER = 'a@probe.example';
const REFUSED: Finding = { legs: [sampleLeg('refused')] };
const NEGATIVE = `${NEGATIVE_CONTROL}percent`;
const TOLD_APART: readonly TestResult[] = [
  { test: POSITIVE_CONTROL, outcome: 'accepted', stage: 'rcpt' },
  { test: NEGATIVE, outcome: 'accepted', stage: 'rcpt' },
];

/** What an audit finds at a server that does as its phase says. `later` says when news of a canary comes. */
export async function auditedAt(
  phase: Phase | undefined,
  order: AuditOrder,
  wavers: () => boolean,
  later: (canary: string, news: News) => void,
): Promise<Finding> {
  const full = order.scope === 'full';
  switch (phase?.does) {
    case 'accepts':
      return { legs: [sampleLeg('accepted')] };
    case 'wavers':
      return wavers() ? REFUSED : { legs: [sampleLeg('accepted')] };
    case 'relays': {
      const leg = sampleLeg('accepted');
      const canary = full ? await order.expectCanary?.({ leg: LEG, test: 'plain', recipient: RECIPIENT }) : undefined;
      if (canary === undefined) return { legs: [leg] };
      later(canary.id, { what: 'arrival', after: phase.canaryAfter ?? 0, copies: 1 });
      return { legs: [{ ...leg, canaries: [canary.id] }] };
    }
    case 'takesAnyLocalPart': {
      if (!full) return REFUSED;
      const legs = [await localPartsTaken(phase, order, later)];
      return { legs };
    }
    default:
      return REFUSED;
  }
}

async function localPartsTaken(phase: Phase, order: AuditOrder, later: (canary: string, news: News) => void): Promise<LegEvidence> {
  const { messages = [[]], twoSittings = false } = phase;
  const leg = sampleLeg('refused');
  const carries = !twoSittings || order.before !== undefined;
  const taken = new Map<string, TestResult>();
  // Behind the first test, whose recipient is at a foreign domain.
  for (const [index, test] of leg.tests.slice(1, messages.length + 1).entries()) {
    const canary = carries ? await order.expectCanary?.({ leg: LEG, test: test.test, recipient: RECIPIENT, from: SENDER }) : undefined;
    const stage = canary === undefined ? 'rcpt' : 'message';
    taken.set(test.test, { ...test, outcome: 'accepted', stage, reply: '250 2.0.0 Ok', negative: NEGATIVE, canary: canary?.id });
    if (canary !== undefined) for (const news of messages[index] ?? []) later(canary.id, news);
  }
  const canaries = [...taken.values()].flatMap(({ canary }) => canary ?? []);
  const tests = leg.tests.map((test) => taken.get(test.test) ?? test);
  return { ...leg, tests, controls: TOLD_APART, canaries, ...(carries ? {} : { toCarry: taken.size }) };
}

/** Tokens are read from what a bounce quotes, so ids are written as tokens are. */
export function canaryId(count: number): string {
  return `ra1-${[...String(count)].map((digit) => 'abcdefghij'[Number(digit)]).join('')}-x`;
}

/** The mail in which a canary comes back, or that bounces it. Its id says which. */
export function mailOf(what: News['what'], canary: string): SESMessage {
  const received = { name: 'Received', value: 'from mail.example.org (mail.example.org [192.0.2.9]) by mx.canary.example with SMTP' };
  const headers =
    what === 'arrival'
      ? [received, { name: 'Relay-Audit-Token', value: canary }]
      : [received, { name: 'Content-Type', value: 'multipart/report; report-type=delivery-status; boundary="part"' }];
  const mail = { source: what === 'arrival' ? SENDER : '<>', messageId: canary, headers };
  return { mail, receipt: { recipients: [what === 'arrival' ? RECIPIENT : SENDER] } } as unknown as SESMessage;
}

/** The text of a bounce of a canary. */
export function bounceText(canary: string): string {
  return [
    'From: MAILER-DAEMON@mail.example.org',
    'Subject: Undelivered Mail Returned to Sender',
    'Content-Type: multipart/report; report-type=delivery-status; boundary="part"',
    '',
    '--part',
    'Content-Type: message/delivery-status',
    '',
    'Reporting-MTA: dns; mail.example.org',
    '',
    'Action: failed',
    'Status: 5.1.1',
    '--part',
    'Content-Type: message/rfc822',
    '',
    `Relay-Audit-Token: ${canary}`,
    '--part--',
  ].join('\r\n');
}
