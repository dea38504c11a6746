import * as z from 'zod';
import type { Notice, Occasion, Seen } from '../domain/notice.ts';
import { REASONS, type Reason, VERDICTS } from '../domain/reason.ts';
import { printable } from '../domain/transcript.ts';

const moment = z.iso.datetime();
const relayState = z.enum(['open', 'suspected', 'closed', 'unknown']);
const reason = z.enum(Object.keys(REASONS) as [Reason, ...Reason[]]);

const TYPES: Readonly<Record<Occasion['kind'], z.input<typeof webhookBody>['type']>> = {
  change: 'relay.change',
  digest: 'relay.digest',
  reminder: 'relay.reminder',
  silent: 'host.silent',
  back: 'host.back',
};

/** What a webhook is called with. */
export const webhookBody = z
  .strictObject({
    type: z.enum(['relay.change', 'relay.digest', 'relay.reminder', 'host.silent', 'host.back']).meta({
      description:
        'A confirmed change; changes that came so often that they are told once a day; a reminder; the host cannot be audited; it can again.',
    }),
    id: z.string().meta({ description: 'The notice; the same when a call is repeated.' }),
    at: moment.meta({ description: 'When the notice became owed.' }),
    host: z.strictObject({ id: z.string(), name: z.string() }),
    relayState: relayState.meta({ description: 'What is proven of the host now.' }),
    since: moment.optional(),
    change: z.strictObject({ from: relayState, to: relayState }).optional(),
    changes: z.int().optional().meta({ description: 'Of a digest: how many changes it tells.' }),
    reminder: z.int().optional().meta({ description: 'Of a reminder: the how manyth it is.' }),
    silentSince: moment.optional(),
    scan: z
      .strictObject({ id: z.string(), startedAt: moment, verdict: z.enum(VERDICTS), reason, explanation: z.string() })
      .optional()
      .meta({ description: 'The scan that it is about.' }),
    evidence: z
      .array(z.strictObject({ leg: z.string(), mailFrom: z.string(), rcptTo: z.string(), reply: z.string() }))
      .optional()
      .meta({ description: 'Up to five envelopes with their answers; what is not visible ASCII is written as `\\xNN`.' }),
    links: z.strictObject({ host: z.url(), scan: z.url().optional() }),
  })
  .meta({ id: 'WebhookCall' });

/** The body of the call for a notice. */
export function webhookBodyOf(notice: Notice, siteUrl: string): z.input<typeof webhookBody> {
  if (notice.about === 'hosts') throw new Error('webhooks are called for one host at a time');
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
    links: { host, scan: seen === undefined ? undefined : `${host}/scans/${seen.scanId}` },
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
  }
}

function scanOf({ scanId, scannedAt, verdict, reason: why, evidence }: Seen) {
  return {
    scan: { id: scanId, startedAt: iso(scannedAt), verdict, reason: why, explanation: REASONS[why].sentence },
    evidence: evidence.map(({ leg, from, to, reply }) => ({
      leg,
      mailFrom: printable(from),
      rcptTo: printable(to),
      reply: printable(reply),
    })),
  };
}

function iso(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
