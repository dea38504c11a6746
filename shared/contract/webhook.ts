import * as z from 'zod';
import type { DnsFailure } from '../domain/consent.ts';
import type { Occasion, Seen, WebhookNotice } from '../domain/notice.ts';
import { KNOWN_STATES, REASONS, type Reason, VERDICTS } from '../domain/reason.ts';
import { printable } from '../domain/transcript.ts';
import { holeResponse, holeView } from './hole.ts';
import { OCCASIONS_DESCRIPTION } from './notices.ts';

const EVIDENCE_LIMIT = 5; // envelopes; the history has the rest
const TEXT_LIMIT = 500; // characters of what a server said, before escaping: enough to find it in a log

const moment = z.iso.datetime();
const relayState = z.enum(KNOWN_STATES);
const reason = z.enum(Object.keys(REASONS) as [Reason, ...Reason[]]);

const TYPES: Readonly<Record<Occasion['kind'], z.input<typeof webhookBody>['type']>> = {
  change: 'relay.change',
  digest: 'relay.digest',
  reminder: 'relay.reminder',
  silent: 'host.silent',
  back: 'host.back',
  proven: 'host.proven',
  'gave-up': 'host.gave-up',
  'dns-trouble': 'host.dns-trouble',
};

/** What a webhook is called with. */
export const webhookBody = z
  .strictObject({
    type: z
      .enum([
        'relay.change',
        'relay.digest',
        'relay.reminder',
        'host.silent',
        'host.back',
        'host.proven',
        'host.gave-up',
        'host.dns-trouble',
      ])
      .meta({ description: OCCASIONS_DESCRIPTION }),
    id: z.string().meta({ description: 'The notice; the same when a call is repeated.' }),
    at: moment.meta({ description: 'When the notice became owed.' }),
    host: z.strictObject({ id: z.string(), name: z.string() }),
    relayState: relayState.meta({ description: 'What is proven of the host now.' }),
    since: moment.optional().meta({ description: 'When that was confirmed or first known.' }),
    change: z
      .strictObject({ from: relayState, to: relayState })
      .optional()
      .meta({ description: 'Of a change: what it was before, and is.' }),
    changes: z.int().optional().meta({ description: 'Of a digest: how many changes it tells.' }),
    reminder: z.int().optional().meta({ description: 'Of a reminder: the how manyth it is.' }),
    waitedSince: moment.optional().meta({ description: 'Since when its first scan had waited for DNS, or since when DNS fails for it.' }),
    failure: z.strictObject({ question: z.string(), answer: z.string() }).optional().meta({
      description: 'Of DNS that fails: the question that failed last, such as `TXT _relay-audit.mail.example.org`, and what came.',
    }),
    silentSince: moment.optional().meta({ description: 'Since when scheduled scans could not audit it.' }),
    scan: z
      .strictObject({ id: z.string(), startedAt: moment, verdict: z.enum(VERDICTS), reason, explanation: z.string() })
      .optional()
      .meta({ description: 'The scan that it is about.' }),
    hole: holeResponse.optional().meta({ description: 'What the scan has shown to be open, when it tells the cause.' }),
    evidence: z
      .array(z.strictObject({ leg: z.string(), mailFrom: z.string(), rcptTo: z.string(), reply: z.string() }))
      .max(EVIDENCE_LIMIT)
      .optional()
      .meta({
        description: `Up to ${EVIDENCE_LIMIT} envelopes with their answers, of each text ${TEXT_LIMIT} characters; what is not visible ASCII is written as \`\\xNN\`.`,
      }),
    links: z
      .strictObject({ host: z.url(), history: z.url(), scan: z.url().optional() })
      .meta({ description: 'Of the API: the host, its scans newest first, and the scan that it is about.' }),
  })
  .meta({ id: 'WebhookCall' });

/** The body of the call for a notice. */
export function webhookBodyOf(notice: WebhookNotice, siteUrl: string): z.input<typeof webhookBody> {
  const { id, owedAt, hostId, hostName, occasion, relay, since, seen } = notice;
  const host = `${siteUrl}/v1/hosts/${hostId}`;
  return {
    type: TYPES[occasion.kind],
    id,
    at: iso(owedAt),
    host: { id: hostId, name: hostName },
    relayState: relay,
    since: since === undefined ? undefined : iso(since),
    ...detailsOf(occasion),
    ...(seen === undefined ? {} : scanOf(seen)),
    links: { host, history: `${host}/scans`, scan: seen === undefined ? undefined : `${host}/scans/${seen.scanId}` },
  };
}

function detailsOf(occasion: Occasion) {
  switch (occasion.kind) {
    case 'change':
      return { change: { from: occasion.from, to: occasion.to } };
    case 'digest':
      return { changes: occasion.changes };
    case 'reminder':
      return { reminder: occasion.count };
    case 'silent':
      return { silentSince: iso(occasion.since) };
    case 'back':
      return { silentSince: iso(occasion.silentSince) };
    case 'proven':
    case 'gave-up':
      return { waitedSince: iso(occasion.since) };
    case 'dns-trouble':
      return { waitedSince: iso(occasion.since), ...failureOf(occasion.failure) };
  }
}

function failureOf(failure: DnsFailure | undefined) {
  return failure === undefined ? {} : { failure: { question: shown(`${failure.type} ${failure.name}`), answer: shown(failure.said) } };
}

function scanOf({ scanId, scannedAt, reason: why, hole, software, evidence }: Seen) {
  const { verdict, sentence } = REASONS[why];
  return {
    scan: { id: scanId, startedAt: iso(scannedAt), verdict, reason: why, explanation: sentence },
    hole: hole === undefined ? undefined : holeView(hole, software),
    evidence: evidence.slice(0, EVIDENCE_LIMIT).map(({ leg, from, to, reply }) => ({
      leg,
      mailFrom: shown(from),
      rcptTo: shown(to),
      reply: shown(reply),
    })),
  };
}

function shown(text: string): string {
  return printable(text.slice(0, TEXT_LIMIT));
}

function iso(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
