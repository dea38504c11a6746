import * as z from 'zod';
import { readControlMailbox } from '../domain/control-mailbox.ts';
import type { OwnSetting } from '../domain/host.ts';
import { readName, readNewHost } from '../domain/host-name.ts';
import { VERDICTS } from '../domain/reason.ts';
import { PERIODS } from '../domain/schedule.ts';
import { DOMAINS_A_SCAN } from '../domain/served-domains.ts';
import { readWebhookUrl, WEBHOOK_PORTS } from '../domain/webhook-url.ts';

/** Bounds of what an owner may register. The sums keep a host small: every scan writes it, at a write unit for each KB. */
const LIMITS = {
  servedDomains: 100,
  ports: 4,
  alertRecipients: 5,
  webhook: 300,
  textCharacters: 500,
  domainCharacters: 2_500,
  pageSize: 50,
} as const;

const hostName = z
  .string()
  .superRefine((text, context) => {
    const target = readNewHost(text);
    if (target.kind === 'invalid') context.addIssue({ code: 'custom', message: target.why });
  })
  .meta({
    description: 'DNS name, or IPv4 address in four decimal numbers, or IPv6 address, which is kept in its shortest spelling.',
    example: 'mail.example.org',
  });

const domainName = z.string().superRefine((text, context) => {
  const name = readName(text);
  if (name.kind === 'invalid') context.addIssue({ code: 'custom', message: name.why });
});

// A schema for every setting that an owner chooses.
type Settable = Readonly<Record<OwnSetting, z.ZodType>>;

const settings = {
  servedDomains: z.array(domainName).max(LIMITS.servedDomains).meta({
    description:
      'Domains that this server takes mail for. With at least one, a scan can tell a refusal to relay from a refusal of us. Of more than ten a scan uses ten, other ones each week.',
  }),
  ports: z
    .array(z.int().min(1).max(65_535))
    .min(1)
    .max(LIMITS.ports)
    .refine((ports) => new Set(ports).size === ports.length, 'must not name a port twice')
    .meta({ description: 'Ports to probe: 465 inside TLS, the others plain and after STARTTLS.', example: [25, 465, 587] }),
  period: z.enum(PERIODS as [(typeof PERIODS)[number], ...typeof PERIODS]).meta({ description: 'How often the host is scanned.' }),
  alertRecipients: z
    .array(z.email().max(254))
    .min(1)
    .max(LIMITS.alertRecipients)
    .meta({ description: 'Who is mailed when the relay state changes.' }),
  controlMailbox: z
    .string()
    .superRefine((text, context) => {
      const read = readControlMailbox(text);
      if (text !== '' && read.kind === 'invalid') context.addIssue({ code: 'custom', message: read.why });
    })
    .meta({
      description:
        'The mailbox, at one of the served domains, that a scan asks for to see that the server talks to us at all. Without one, or with an empty text, it is postmaster. Name another where there is no postmaster.',
      example: 'office@example.org',
    }),
  reminders: z
    .boolean()
    .meta({ description: 'Whether reminders are mailed while it stays open or suspected: after 1, 7 and then every 30 days.' }),
  webhook: z
    .string()
    .max(LIMITS.webhook)
    .superRefine((text, context) => {
      const url = readWebhookUrl(text);
      if ('wrong' in url) context.addIssue({ code: 'custom', message: url.wrong });
      else if (!WEBHOOK_PORTS.includes(url.port))
        context.addIssue({ code: 'custom', message: `its port must be ${WEBHOOK_PORTS.join(' or ')}` });
    })
    .meta({
      description: 'An HTTPS address, at port 443 or 8443, that is called with every notice; see docs/webhooks.md.',
      example: 'https://hooks.example.org/relay',
    }),
} satisfies Settable;

/** The settings of a host as an answer shows them. */
export const shownSettings = {
  ...settings,
  controlMailbox: settings.controlMailbox.optional(),
  webhook: settings.webhook.optional(),
} satisfies Settable;

/** Whether settings are small enough that a scan's write of the host stays cheap. */
export const smallEnough = (value: {
  readonly servedDomains?: readonly string[] | undefined;
  readonly alertRecipients?: readonly string[] | undefined;
  readonly controlMailbox?: string | null | undefined;
  readonly webhook?: string | null | undefined;
}) => {
  const { servedDomains = [], alertRecipients = [], controlMailbox, webhook } = value;
  const first = servedDomains.slice(0, DOMAINS_A_SCAN);
  const texts = [...first, ...alertRecipients, controlMailbox ?? '', webhook ?? ''];
  return texts.join('').length <= LIMITS.textCharacters && servedDomains.join('').length <= LIMITS.domainCharacters;
};
export const tooLong = `the first ten of servedDomains, alertRecipients, controlMailbox and webhook together must have at most ${LIMITS.textCharacters} characters, and all servedDomains at most ${LIMITS.domainCharacters}`;

export const registerHostRequest = z
  .strictObject({
    name: hostName,
    servedDomains: settings.servedDomains.default([]),
    ports: settings.ports
      .optional()
      .meta({ description: 'Ports to probe; 25, 465 and 587, as far as they are probed here, when left out.' }),
    period: settings.period.default('day'),
    alertRecipients: settings.alertRecipients.optional().meta({ description: 'Who is mailed; the address of the account when left out.' }),
    controlMailbox: settings.controlMailbox.optional(),
    reminders: settings.reminders.default(true),
    webhook: settings.webhook.optional(),
  } satisfies Settable & { readonly name: z.ZodType })
  .refine(smallEnough, { message: tooLong, path: ['servedDomains'] })
  .meta({ id: 'RegisterHost' });

export const changeHostRequest = z
  .strictObject({
    servedDomains: settings.servedDomains.optional(),
    ports: settings.ports.optional(),
    period: settings.period.optional(),
    alertRecipients: settings.alertRecipients.optional(),
    controlMailbox: settings.controlMailbox.nullable().optional().meta({
      description:
        'The mailbox, at one of the served domains, that a scan asks for in the place of postmaster; null or an empty text takes it away.',
    }),
    reminders: settings.reminders.optional(),
    webhook: settings.webhook.nullable().optional().meta({ description: 'The webhook; null takes it away.' }),
  } satisfies Settable)
  .refine((body) => Object.values(body).some((value) => value !== undefined), 'names nothing to change')
  .meta({ id: 'ChangeHost' });

const limit = z
  .string()
  .regex(/^\d{1,2}$/, `must be a number from 1 to ${LIMITS.pageSize}`)
  .transform(Number)
  .pipe(z.int().min(1).max(LIMITS.pageSize))
  .default(LIMITS.pageSize)
  .meta({ description: 'Most items on the page.' });
const cursor = z.string().max(512).optional().meta({ description: '`next` of the page before.' });
const moment = z.iso
  .datetime({ offset: true, error: 'must be a time such as 2026-11-24T10:31:00Z; in a URL, write the + of an offset as %2B' })
  .refine((text) => !(Date.parse(text) < 0 || Date.parse(text) >= Date.UTC(9999, 11, 31)), 'must lie between the years 1970 and 9999')
  .optional();

export const pageQuery = z.strictObject({ limit, cursor });

export const scansQuery = z
  .strictObject({
    limit,
    cursor,
    verdict: z
      .string()
      .regex(
        new RegExp(`^(${VERDICTS.join('|')})(,(${VERDICTS.join('|')}))*$`),
        `must be one or more of ${VERDICTS.join(', ')}, joined by commas`,
      )
      .optional()
      .meta({
        description: 'Only scans with one of these verdicts, joined by commas. A filtered page may be short and still have a next one.',
      }),
    from: moment.meta({ description: 'Only scans due at this time or later.' }),
    to: moment.meta({ description: 'Only scans due at this time or earlier.' }),
  })
  .refine(({ from, to }) => from === undefined || to === undefined || Date.parse(from) <= Date.parse(to), {
    message: 'must not be later than `to`',
    path: ['from'],
  });

/** Parameters in a path. */
export const hostPath = z.object({ id: z.string().regex(/^[0-9a-f]{20}$/) });
export const scanPath = hostPath.extend({ scanId: z.string().max(40) });
