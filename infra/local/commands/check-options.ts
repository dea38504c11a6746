import { parseArgs } from 'node:util';
import { type Network, parseAddress, parseNetwork } from '../../../shared/domain/address.ts';
import { isToken } from '../../../shared/domain/consent-text.ts';
import { readControlMailbox, whyElsewhere } from '../../../shared/domain/control-mailbox.ts';
import { type Host, type HostSettings, NEW_STATE } from '../../../shared/domain/host.ts';
import { readName, readTarget } from '../../../shared/domain/host-name.ts';
import { printable } from '../../../shared/domain/transcript.ts';
import { newId } from '../../../shared/runtime/ids.ts';
import { CANARY_DOMAIN } from '../service/environment.ts';
import { readDuration } from './duration.ts';
import { UsageError } from './options.ts';

const USAGE = 'Usage: npm run check-host -- HOST --own CIDR [options]; --help lists them.';

const many = (fallback: string[]) => ({ type: 'string', multiple: true, default: fallback }) as const;

// Each as the parser takes it, with how its value is called and what it is for.
const OPTIONS = {
  own: { ...many([]), value: 'CIDR', help: 'a network that is yours to audit; may be repeated' },
  domain: { ...many([]), value: 'NAME', help: 'a domain that the server takes mail for; may be repeated' },
  control: { type: 'string', value: 'MAILBOX', help: 'the mailbox that is asked for first (postmaster at the first --domain)' },
  consent: { type: 'string', value: 'TOKEN', help: 'send nothing; say what DNS shows of consent for this token, and what to change' },
  port: { ...many(['25', '465', '587']), value: 'NUMBER', help: 'a port to probe; may be repeated (25, 465 and 587)' },
  dns: { ...many([]), value: 'ADDRESS[:PORT]', help: 'the resolver to ask (that of the system)' },
  'canary-domain': { type: 'string', value: 'NAME', help: 'a domain of yours whose mail comes to --canary-listen' },
  'canary-listen': { type: 'string', value: 'ADDRESS:PORT', help: 'where messages of ours that the server relays come back to' },
  wait: { type: 'string', value: 'TIME', help: 'how long to wait for such a message (30s, or 5m where only one would tell)' },
  'retry-after': { type: 'string', default: '1m', value: 'TIME', help: 'how long to leave a server alone that put us off (1m)' },
  'max-time': { type: 'string', default: '15m', value: 'TIME', help: 'how long the whole may take (15m)' },
  transcript: { type: 'boolean', default: false, value: '', help: 'show every line that went over the wire' },
  json: { type: 'boolean', default: false, value: '', help: 'one object on standard output, and nothing else there' },
  help: { type: 'boolean', default: false, value: '', help: 'show this' },
} as const;

const HELP_COLUMN = 32;

/** What `--help` shows: the options, one a line. */
function helpText(): string {
  const lines = Object.entries(OPTIONS).map(([name, { value, help }]) => `${`  --${name} ${value}`.padEnd(HELP_COLUMN)}${help}`);
  return ['Usage: npm run check-host -- HOST --own CIDR [options]', '', ...lines, '', 'docs/check-host.md says more.'].join('\n');
}

/** What one audit from the terminal is to do. Times are milliseconds. */
export type CheckOptions = {
  readonly host: Host;
  readonly own: readonly Network[];
  readonly dns: readonly string[];
  /** The token whose consent is looked at, instead of an audit. */
  readonly consent: string | undefined;
  /** How long to leave a server alone that has not answered everything, before the second sitting; the later ones wait up to three times as long. */
  readonly retryAfterMs: number;
  /** How long the whole may take. */
  readonly maxTimeMs: number;
  /** The mailbox that canaries come back to; undefined: none are sent. */
  readonly canaryListen: string | undefined;
  readonly canaryDomain: string;
  /** How long to wait for canaries to come back; undefined: as long as what is waited for deserves. */
  readonly waitMs: number | undefined;
  readonly json: boolean;
  readonly transcript: boolean;
};

/** Reads the command line; undefined when help was asked for and shown. Throws a `UsageError` that says what is wrong with it. */
export function readCheckOptions(args: readonly string[]): CheckOptions | undefined {
  const { values, positionals } = parse(args);
  if (values.help) {
    console.log(helpText());
    return undefined;
  }
  const [name, ...more] = positionals;
  if (name === undefined || more.length > 0) throw new UsageError(USAGE);
  const target = readTarget(name);
  if (target.kind === 'invalid') throw new UsageError(`${printable(name)} ${target.why}.`);
  const { 'canary-domain': domain, 'canary-listen': listen } = values;
  if ((domain === undefined) !== (listen === undefined))
    throw new UsageError('--canary-domain and --canary-listen go together: the domain whose mail comes to that address and port.');
  return {
    host: hostOf(name.toLowerCase(), { ...control(values), ports: values.port.map(port) }),
    own: values.own.map(network),
    dns: values.dns.map(resolver),
    consent: values.consent === undefined ? undefined : tokenOf(values.consent),
    retryAfterMs: duration('--retry-after', values['retry-after']),
    maxTimeMs: someTime('--max-time', values['max-time']),
    canaryListen: listen === undefined ? undefined : endpoint(listen),
    canaryDomain: domain === undefined ? CANARY_DOMAIN : domainName('--canary-domain', domain),
    waitMs: values.wait === undefined ? undefined : duration('--wait', values.wait),
    json: values.json,
    transcript: values.transcript,
  };
}

function tokenOf(text: string): string {
  const token = text.trim().toLowerCase();
  if (!isToken(token))
    throw new UsageError(`--consent must be the token of an account, ra1- and 24 letters and digits, not ${printable(text)}.`);
  return token;
}

type Asked = Pick<HostSettings, 'servedDomains' | 'controlMailbox' | 'ports'>;

function hostOf(name: string, asked: Asked): Host {
  const settings = { ...asked, name, ports: [...new Set(asked.ports)], period: 'day', alertRecipients: [], reminders: false } as const;
  return { accountId: 'terminal', id: newId(), createdAt: Date.now(), revision: 1, settings, state: NEW_STATE };
}

function control({ domain, control: text }: { domain: string[]; control?: string | undefined }): Omit<Asked, 'ports'> {
  const servedDomains = domain.map(servedDomain);
  if (text === undefined) return { servedDomains };
  const read = readControlMailbox(text);
  if (read.kind === 'invalid') throw new UsageError(`--control ${printable(text)} ${read.why}.`);
  if (whyElsewhere(read.mailbox, servedDomains) !== undefined)
    throw new UsageError(`--control ${printable(text)} must be at a domain that a --domain names.`);
  return { servedDomains, controlMailbox: read.mailbox };
}

function servedDomain(text: string): string {
  return domainName('--domain', text);
}

function domainName(option: string, text: string): string {
  const name = readName(text);
  if (name.kind === 'invalid') throw new UsageError(`${option} ${printable(text)} ${name.why}.`);
  return name.name;
}

function port(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) < 1 || Number(text) > 65_535)
    throw new UsageError(`--port must be a port, not ${printable(text)}.`);
  return Number(text);
}

function duration(option: string, text: string): number {
  const ms = readDuration(text);
  if (ms === undefined) throw new UsageError(`${option} must be a time of at most a day, such as 25s or 2m, not ${printable(text)}.`);
  return ms;
}

function someTime(option: string, text: string): number {
  const ms = duration(option, text);
  if (ms === 0) throw new UsageError(`${option} must be longer than ${printable(text)}: nothing could be asked in it.`);
  return ms;
}

function network(text: string): Network {
  const parsed = parseNetwork(text.includes('/') ? text : `${text}/${text.includes(':') ? 128 : 32}`);
  if (parsed === undefined)
    throw new UsageError(`--own must be a network such as 192.0.2.0/24, without host bits, not ${printable(text)}.`);
  return parsed;
}

function resolver(text: string): string {
  const [, address = '', , at] = /^([0-9.]+)(:(\d{1,5}))?$/.exec(text) ?? [];
  if (parseAddress(address) === undefined || Number(at ?? 53) > 65_535)
    throw new UsageError(`--dns must be an address such as 192.0.2.53 or 192.0.2.53:5353, not ${printable(text)}.`);
  return text;
}

function endpoint(text: string): string {
  const [, v4, v6, at] = /^(?:([0-9.]+)|\[([0-9a-f:.]+)\]):(\d{1,5})$/i.exec(text) ?? [];
  if (parseAddress(v4 ?? v6 ?? '') === undefined || Number(at) > 65_535)
    throw new UsageError(`--canary-listen must be an address and a port such as 192.0.2.25:25, not ${printable(text)}.`);
  return text;
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new UsageError(`${parserWords(error)} --help lists the options.`);
  }
}

// The parser's own words are several sentences on how to write a host that begins with a dash.
function parserWords(error: unknown): string {
  const words = error instanceof Error ? error.message : String(error);
  const [, name = ''] = /'(?:-\w, )?(--?[\w-]+)/.exec(words) ?? [];
  const option = new Map<string, { readonly type: string }>(Object.entries(OPTIONS)).get(name.replace(/^--/, ''));
  if (option === undefined) return `There is no option ${name}.`;
  return option.type === 'string' ? `${name} needs a value.` : `${name} takes no value.`;
}
