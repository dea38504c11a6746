import * as z from 'zod';
import { MAIL_STOPS } from '../domain/mail-stop.ts';
import { KNOWN_STATES, REASONS, type Reason, VERDICTS } from '../domain/reason.ts';
import { MTA_NAMES, type Mta } from '../domain/remedies.ts';
import { CONTACTS, OUTCOMES, SCAN_KINDS, STAGES, TRANSPORTS } from '../domain/scan.ts';
import { holeResponse } from './hole.ts';
import { exempt, knownHost } from './proposals.ts';
import { shownSettings } from './requests.ts';

const moment = z.iso.datetime();
const verdict = z.enum(VERDICTS).meta({ id: 'Verdict', description: 'What the evidence of a scan proves.' });
const reason = z.enum(Object.keys(REASONS) as [Reason, ...Reason[]]).meta({ id: 'Reason' });
const relayState = z.enum(KNOWN_STATES).meta({ id: 'RelayState' });
const next = z.string().optional().meta({ description: 'Cursor of the following page; absent on the last.' });

export const owedScanResponse = z
  .strictObject({
    id: z.string(),
    kind: z.enum(SCAN_KINDS),
    status: z.literal('owed'),
    dueAt: moment,
    trouble: z.string().optional().meta({ description: 'What on our side has put it off so far.' }),
    sittings: z.int().optional().meta({ description: 'How many sittings it has had, when it is not finished after the first.' }),
    testsCompleted: z.int().optional().meta({ description: 'How many tests were completed in its sittings so far.' }),
    testsPlanned: z.int().optional(),
    waitsFor: z
      .strictObject({
        what: z.enum(['sitting', 'messages', 'dns']).meta({
          description:
            '`sitting`: the server left tests undone, and is asked again in a later sitting, of at most ten. `messages`: nothing more is asked; the messages that the scan sent are waited for, and the scan ends as soon as one comes back. `dns`: nothing has been sent, since DNS does not allow it yet, or fails; the scan looks again by itself, and is made as soon as DNS allows it.',
        }),
        why: z.string(),
        until: moment.meta({ description: 'When the next sitting is due, the messages have been waited for, or DNS is looked at again.' }),
      })
      .optional()
      .meta({ description: 'Present once a sitting has left the scan unfinished, or while it waits for DNS.' }),
  })
  .meta({ id: 'OwedScan', description: 'A scan that has not been made yet, or is not finished.' });

export const scanHereResponse = z
  .strictObject({
    address: z.string().meta({ description: 'The address that the request came from, which is scanned.' }),
    hostId: z.string().meta({ description: 'The host of this address in your account.' }),
    scan: owedScanResponse,
    url: z.string().meta({ description: 'The page of the scan, for those who are signed in.' }),
    consentUntil: moment.meta({ description: 'Nothing more is sent to the address by this request from then on.' }),
    next: z.string().meta({ description: 'What to do for a schedule.' }),
  })
  .meta({ id: 'ScanHere', description: 'One scan that its address has itself asked for.' });

export const hostResponse = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    ...shownSettings,
    acknowledgedAt: moment.optional().meta({ description: 'When its owner said that they know it to be a sink.' }),
    createdAt: moment,
    revision: z.int(),
    relayState,
    since: moment.optional().meta({ description: 'When the relay state was confirmed or first known.' }),
    acceptsEverything: z
      .boolean()
      .optional()
      .meta({ description: 'Whether what is suspected takes invented users of its own too, as a sink does.' }),
    brokenTls: z
      .array(z.int())
      .optional()
      .meta({ description: 'Ports at which no TLS can be set up, as the last full table showed; its scan says why.' }),
    silentSince: moment.optional().meta({ description: 'Since when scheduled scans could not audit it.' }),
    lastScan: z
      .strictObject({
        id: z.string(),
        startedAt: moment,
        verdict,
        paused: z.array(z.string()).optional().meta({
          description:
            'Addresses that an opt-out had paused, of those that you have proven: nothing was sent to them. The consent of the host says whether that still holds; reaffirming it lifts the pause.',
        }),
      })
      .optional(),
    lastFullTable: moment.optional().meta({
      description: 'When the full table of relay tests was last run to a proven end; scans in between try a part of it.',
    }),
    recentVerdicts: z.array(verdict).meta({ description: 'Up to 30, newest first.' }),
    pendingChange: z
      .strictObject({ to: relayState, scanId: z.string(), confirmedNotBefore: moment })
      .optional()
      .meta({ description: 'A turn that one scan has shown and a second has yet to confirm.' }),
    nextScheduledScan: moment,
    owedScans: z.array(owedScanResponse).optional().meta({
      description:
        'Scans of it that are still to be made, or that wait for a later sitting or for their messages. Told of a single host, not in lists.',
    }),
    unconfirmedRecipients: z.array(z.string()).optional().meta({
      description:
        'Recipients who have not confirmed that they want the alerts, and get none until they do. Told of a single host, not in lists.',
    }),
    recipientsNotAsked: z
      .array(z.strictObject({ email: z.string(), why: z.enum(['kept-back', 'crowded', 'too-many', 'failed']), detail: z.string() }))
      .optional()
      .meta({
        description:
          'Recipients whom no mail asked whether they want the alerts: why, and what to do. Only in the answer to a request that names recipients.',
      }),
    stoppedRecipients: z
      .array(z.strictObject({ email: z.string(), why: z.enum(MAIL_STOPS) }))
      .optional()
      .meta({
        description:
          'Recipients who are not mailed: they called a mail of ours spam, do not take mail, or have unsubscribed. When nobody else is left, the address of the account is mailed. Told of a single host, not in lists.',
      }),
    webhookSecret: z
      .string()
      .optional()
      .meta({ description: 'What calls of the webhook are signed with. Only in the answer to a request that names a webhook.' }),
  })
  .meta({ id: 'Host' });

export const registeredHostResponse = hostResponse
  .extend({
    next: z.string().meta({ description: 'What to do now.' }),
    exempt: exempt.optional(),
    recipientWarning: z
      .string()
      .optional()
      .meta({ description: 'Present when all alert recipients are delivered by the very server that is audited.' }),
  })
  .meta({ id: 'RegisteredHost' });

export const hostsResponse = z.strictObject({ items: z.array(hostResponse), next }).meta({ id: 'Hosts' });

const scanSummary = {
  id: z.string(),
  kind: z.enum(SCAN_KINDS),
  status: z.literal('finished'),
  startedAt: moment,
  finishedAt: moment,
  verdict,
  reason,
  explanation: z.string(),
  testsCompleted: z.int(),
  testsPlanned: z.int(),
  fullTable: z.boolean().meta({ description: 'Whether every relay test was planned, or the core with a rotating part.' }),
};

export const scanSummaryResponse = z.strictObject(scanSummary).meta({ id: 'ScanSummary' });
export const scansResponse = z.strictObject({ items: z.array(scanSummaryResponse), next }).meta({ id: 'Scans' });

const testResponse = z.strictObject({
  test: z.string(),
  outcome: z.enum(OUTCOMES),
  stage: z.enum(STAGES).meta({ description: 'How far it got; `message` is the answer after the final dot.' }),
  proves: z.string().optional().meta({ description: 'What it would prove if it were accepted.' }),
  ehlo: z.string().optional().meta({ description: 'The name that EHLO gave, when it was not our own.' }),
  mailFrom: z.string().optional(),
  rcptTo: z.string().optional(),
  reply: z.string().optional(),
});

const arrivalResponse = z.strictObject({
  leg: z.string().meta({ description: 'The address, port and transport that it went in by.' }),
  test: z.string(),
  sentAt: moment,
  at: moment,
  path: z
    .array(z.strictObject({ from: z.string().optional(), address: z.string().optional(), by: z.string().optional() }))
    .meta({ description: 'Its way by its Received headers, newest hop first. The newest is our own; the others are what servers wrote.' }),
});

const bounceResponse = z.strictObject({
  leg: z.string().meta({ description: 'The address, port and transport that it went in by.' }),
  test: z.string(),
  sentAt: moment,
  at: moment,
  by: z.string().optional().meta({ description: 'Who bounced it, as the bounce says.' }),
});

const tlsResponse = z.strictObject({
  version: z.string(),
  cipher: z.string(),
  subject: z.string().optional(),
  issuer: z.string().optional(),
  validTo: z.string().optional(),
  distrust: z.string().optional().meta({ description: 'Why a browser would not trust the certificate.' }),
});

const costsResponse = z
  .strictObject({ connections: z.int(), commands: z.int(), roundTrips: z.int(), refusals: z.int() })
  .meta({ description: 'What the scan cost the server; refusals are those that it counts against us.' });

export const scanResponse = z
  .strictObject({
    ...scanSummary,
    hole: holeResponse.optional().meta({ description: 'What it has shown to be open, when it tells the cause.' }),
    arrivals: z
      .array(arrivalResponse)
      .meta({ description: 'Messages that we sent through it and that came back: each proves an open relay.' }),
    bounces: z.array(bounceResponse).meta({
      description: 'Messages that it took and then bounced to the sender that we gave: up to 20. None of them proves an open relay.',
    }),
    backscatter: z
      .strictObject({
        explanation: z.string(),
        settings: z.array(z.string()).meta({ description: 'What has it refuse such mail instead.' }),
      })
      .optional()
      .meta({
        description: 'Present when messages were bounced: it takes mail for unknown users, and bounces it to whoever is named as sender.',
      }),
    legs: z.array(
      z.strictObject({
        address: z.string(),
        port: z.int(),
        transport: z.enum(TRANSPORTS),
        contact: z.enum(CONTACTS),
        offersStarttls: z.boolean().optional(),
        tls: tlsResponse.optional(),
        seesUsAs: z
          .string()
          .optional()
          .meta({ description: 'The private address that the server takes us for: it has lost its clients’ addresses on the way.' }),
        brokenTls: z.strictObject({ explanation: z.string(), why: z.string(), sittings: z.int() }).optional().meta({
          description:
            'Present when no TLS could be set up with it, by today’s settings and by the most permissive: counted as broken after two sittings.',
        }),
        injected: z
          .string()
          .optional()
          .meta({ description: 'Plaintext behind the answer to STARTTLS, which somebody on the way may have put there; it was dropped.' }),
        costs: costsResponse,
        software: z
          .strictObject({
            mta: z.enum(Object.keys(MTA_NAMES) as [Mta, ...Mta[]]),
            version: z.string().optional(),
            from: z.enum(['greeting', 'answers']),
          })
          .optional()
          .meta({ description: 'What the server is, by its greeting or only by the wording of its answers.' }),
        verdict,
        reason,
        explanation: z.string(),
        tests: z.array(testResponse),
        controls: z.array(testResponse),
        transcript: z.array(z.string()).meta({ description: 'The server’s text with one character per byte (ISO 8859-1).' }),
      }),
    ),
  })
  .meta({ id: 'Scan' });

export const scanOrOwedResponse = z.union([scanResponse, owedScanResponse]);

export const changesResponse = z
  .strictObject({
    items: z.array(z.strictObject({ from: relayState, to: relayState, at: moment, firstScanId: z.string(), scanId: z.string() })),
    next,
  })
  .meta({ id: 'Changes' });

/** Problem details for HTTP APIs, RFC 9457. */
export const problemResponse = z
  .strictObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional(),
    errors: z
      .array(
        z.strictObject({
          field: z.string().meta({ description: 'Where: a path such as ports[0], or a query parameter.' }),
          message: z.string(),
        }),
      )
      .optional(),
    instead: knownHost.optional().meta({
      description: 'Of a registration, or of a further port, that is refused because a host of this account is that server already: which.',
    }),
  })
  .meta({ id: 'Problem' });
