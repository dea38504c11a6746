import * as z from 'zod';
import { type Address, type Network, parseAddress, parseNetwork } from '../domain/address.ts';

/** Who may ask for an account, or for a new key of one: everybody, nobody, or readers of mail at one of these domains. */
export type Registration =
  | { readonly kind: 'open' }
  | { readonly kind: 'closed' }
  | { readonly kind: 'domains'; readonly domains: readonly string[] };

/** How long something takes, told in the unit of its setting's name and read in milliseconds. */
export type Duration = { readonly ms: number };

const UNITS_MS = { seconds: 1_000, days: 24 * 60 * 60_000 } as const;

const duration = (unit: keyof typeof UNITS_MS, fallback: number) =>
  z
    .string()
    .regex(/^\d+$/, `must be a whole number of ${unit}`)
    .default(String(fallback))
    .transform((text): Duration => ({ ms: Number(text) * UNITS_MS[unit] }));

const seconds = (fallback: number) => duration('seconds', fallback);

const list = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  );

const networks = list.transform((parts, context): Network[] =>
  parts.flatMap((part) => {
    const network = parseNetwork(part);
    if (network !== undefined) return network;
    context.addIssue({ code: 'custom', message: `${part} is not a network such as 192.0.2.0/24, without host bits` });
    return [];
  }),
);

const accounts = list.transform((ids, context): string[] => {
  for (const id of ids.filter((each) => !/^[0-9a-f]{20}$/.test(each)))
    context.addIssue({ code: 'custom', message: `${id} is not the id of an account, which has 20 hexadecimal digits` });
  return ids;
});

const addresses = list.transform((parts, context): Address[] =>
  parts.flatMap((part) => {
    const address = parseAddress(part);
    if (address !== undefined) return address;
    context.addIssue({ code: 'custom', message: `${part} is not an address such as 192.0.2.1` });
    return [];
  }),
);

const ports = z
  .string()
  .default('25,465,587')
  .transform((text) => text.split(',').map(Number))
  .refine((all) => all.every((port) => Number.isInteger(port) && port > 0 && port < 65_536), 'must be ports such as 25,2525');

const endpoints = list.transform((parts, context) =>
  parts.flatMap((part) => {
    const [, v4, v6, port] = /^(?:([0-9.]+)|\[([0-9a-f:.]+)\]):(\d{1,5})$/i.exec(part) ?? [];
    const address = parseAddress(v4 ?? v6 ?? '');
    if (address !== undefined) return { address: address.text, port: Number(port) };
    context.addIssue({ code: 'custom', message: `${part} is not an endpoint such as 192.0.2.1:25 or [2001:db8::1]:25` });
    return [];
  }),
);

const families = z
  .enum(['4', '4,6'], 'must be 4 or 4,6')
  .default('4,6')
  .transform((text): (4 | 6)[] => (text === '4' ? [4] : [4, 6]));

const domain = z.string().regex(/^([a-z0-9-]{1,63}\.)+[a-z0-9-]{1,63}$/, 'must be a domain name in lower case');

// Where the service answers, without a slash at the end: paths are put behind it.
const site = z.url().transform((url) => url.replace(/\/$/, ''));

const registration = z
  .string()
  .default('open')
  .transform((text, context): Registration => {
    if (text === 'open' || text === 'closed') return { kind: text };
    const domains = text.split(',').map((part) => part.trim());
    for (const each of domains.filter((part) => !domain.safeParse(part).success))
      context.addIssue({ code: 'custom', message: `must be open, closed, or domains in lower case such as example.org; ${each} is none` });
    return { kind: 'domains', domains };
  });

/** Settings that every function with a table has. */
const table = {
  TABLE_NAME: z.string().min(1),
  /** How long history is kept. 400 days: a year back at any time. */
  RETENTION_DAYS: duration('days', 400),
};

/** Settings of every function that sends mail. */
const sending = {
  /** The sender: a plain address. */
  MAIL_FROM: z.email(),
  /** The configuration set by which SES publishes what becomes of mails; none when empty. */
  SES_CONFIGURATION_SET: z.string().default(''),
};

/** The settings of each function: what it reads from its environment, and nothing else reads the environment. */
export const SETTINGS = {
  api: z.object({
    ...table,
    /** Where the secret is: `arn:aws:secretsmanager:…` or `file:/path`. */
    SECRET: z.string().min(1),
    /** The ports that may be registered. */
    PROBE_PORTS: ports,
    /** Who may ask for an account, or a new key of one: `open`, `closed`, or a list of the domains of mail addresses. Mails sent before stay good. */
    REGISTRATION: registration,
    ...sending,
    /** Where the links of confirmation mails lead to; empty is the very address that the API was called by. */
    BASE_URL: z.union([z.literal(''), site]).default(''),
    EHLO_NAME: domain,
    /** The addresses that our connections come from. */
    EGRESS_ADDRESSES: addresses,
    /** Networks that the accounts of `OPERATOR_ACCOUNTS` audit without further proof. */
    OPERATOR_NETWORKS: networks,
    OPERATOR_ACCOUNTS: accounts,
    DNS_SERVERS: list,
  }),
  pages: z.object({
    ...table,
    /** Where the secret is that sessions and the tokens of mails hang on. */
    SECRET: z.string().min(1),
    /** The ports that may be registered. */
    PROBE_PORTS: ports,
    /** Who may open an account by signing in: as for the API. */
    REGISTRATION: registration,
    /** Networks that the accounts of `OPERATOR_ACCOUNTS` audit without further proof. */
    OPERATOR_NETWORKS: networks,
    OPERATOR_ACCOUNTS: accounts,
    /** The name we say EHLO with, by which readers know our connections in their log. */
    EHLO_NAME: domain,
    /** Whom readers may write to; postmaster at the EHLO name when left out. */
    OPT_OUT_ADDRESS: z.email().optional(),
    /** The addresses that our connections come from. */
    EGRESS_ADDRESSES: addresses,
    /** Resolvers to ask, `address` or `address:port`; the system's when empty. */
    DNS_SERVERS: list,
    ...sending,
    /** Where the pages and the API answer; empty is the very address that they were called by. */
    BASE_URL: z.union([z.literal(''), site]).default(''),
  }),
  dispatch: z.object({
    ...table,
    SCANS_QUEUE_URL: z.url(),
    NOTICES_QUEUE_URL: z.url(),
    /** How long a scan whose message was sent is left alone before it is sent again: longer than a probe may run. */
    OWED_LEASE_SECONDS: seconds(900),
    /** An HTTPS address of the operator's own monitor, asked after every dispatch that went well; none when empty. */
    HEARTBEAT_URL: z.union([z.literal(''), z.url({ protocol: /^https$/ })]).default(''),
  }),
  probe: z.object({
    ...table,
    /** Where the secret is that canaries' tokens hang on: `arn:aws:secretsmanager:…` or `file:/path`. */
    SECRET: z.string().min(1),
    SCANS_QUEUE_URL: z.url(),
    NOTICES_QUEUE_URL: z.url(),
    /** The name we say EHLO with: it must resolve to our egress address and back. */
    EHLO_NAME: domain,
    /** Our domain that foreign recipients are at. */
    CANARY_DOMAIN: domain,
    /** Where the pages answer that canaries name. */
    BASE_URL: site,
    /** Whom a canary tells its reader to write to; postmaster at the EHLO name when left out. */
    OPT_OUT_ADDRESS: z.email().optional(),
    /** The address families that there is a way out over: `4` or `4,6`. */
    FAMILIES: families,
    /** Networks that the accounts of `OPERATOR_ACCOUNTS` audit without further proof. */
    OPERATOR_NETWORKS: networks,
    OPERATOR_ACCOUNTS: accounts,
    /** Resolvers to ask, `address` or `address:port`; the system's when empty. */
    DNS_SERVERS: list,
    /** SMTP endpoints of the operator that show whether our own way out is open. */
    EGRESS_ENDPOINTS: endpoints,
    CONFIRM_DELAY_SECONDS: seconds(300),
    /** How long after a scan began the next one of the same address may, confirmations and continuations apart. */
    ADDRESS_SPACING_SECONDS: seconds(600),
    /** When a scan that met trouble on our side is tried again. */
    PUT_OFF_SECONDS: seconds(900),
    /** How long after a sitting its scan goes on, when it could not be ended in it. */
    CONTINUE_SECONDS: seconds(300),
    /** How long the messages are waited for that a server took for local parts of its own. */
    AWAIT_SECONDS: seconds(3_600),
  }),
  canary: z.object({
    ...table,
    SECRET: z.string().min(1),
    NOTICES_QUEUE_URL: z.url(),
    /** Where SES keeps the mails that came, each under its id behind this: a bucket and the prefix of its keys. */
    CANARY_MAIL_URL: z.url({ protocol: /^https?$/ }).endsWith('/', 'must end with a slash'),
    /** The region of that bucket, which requests are signed for. */
    CANARY_MAIL_REGION: z.string().min(1),
  }),
  notify: z.object({
    ...table,
    ...sending,
    /** Where the secret is that unsubscribe links and the signatures of webhooks hang on. */
    SECRET: z.string().min(1),
    /** Where the API and the pages answer; mails link to them. */
    BASE_URL: site,
    /** The addresses that our connections come from, which readers look for in their logs. */
    EGRESS_ADDRESSES: addresses,
    /** Networks in which webhooks of the operator's accounts may be called though they are not public. */
    WEBHOOK_NETWORKS: networks,
    OPERATOR_ACCOUNTS: accounts,
    DNS_SERVERS: list,
    /** How long a claimed notice is left to its claimant before it is sent again: longer than a sender may run, and than SES's events take. */
    CLAIM_LEASE_SECONDS: seconds(600),
    /** How long alerts of further hosts of an account are gathered, after one was mailed, into one mail. */
    GATHER_SECONDS: seconds(600),
  }),
  feedback: z.object(table),
  preflight: z.object({
    EHLO_NAME: domain,
    CANARY_DOMAIN: domain,
    EGRESS_ADDRESS: z.ipv4(),
    DNS_SERVERS: list,
    /** Blocklist zones to look ourselves up in; none by default, since the public ones want to be asked for leave. */
    BLOCKLISTS: list,
  }),
} as const;

export type FunctionName = keyof typeof SETTINGS;

export type Settings<Name extends FunctionName> = z.output<(typeof SETTINGS)[Name]>;

/** Parses a function's settings once, at cold start. Throws with every fault in one message. */
export function readSettings<Name extends FunctionName>(name: Name, environment: NodeJS.ProcessEnv = process.env): Settings<Name> {
  const schema: z.ZodType = SETTINGS[name];
  const parsed = schema.safeParse(environment);
  if (parsed.success) return parsed.data as Settings<Name>;
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new Error(`The settings of ${name} are wrong. ${faults.join('; ')}`);
}
