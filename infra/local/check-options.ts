import { parseArgs } from 'node:util';
import { type Network, parseAddress, parseNetwork } from '../../shared/domain/address.ts';
import { readControlMailbox, whyElsewhere } from '../../shared/domain/control-mailbox.ts';
import { type Host, type HostSettings, NEW_STATE } from '../../shared/domain/host.ts';
import { readName, readTarget } from '../../shared/domain/host-name.ts';
import { printable } from '../../shared/domain/transcript.ts';
import { newId } from '../../shared/runtime/ids.ts';
import { readDuration } from './duration.ts';
import { CANARY_DOMAIN } from './environment.ts';
import { UsageError } from './options.ts';

const USAGE =
  'Usage: npm run check-host -- HOST --own CIDR [--own CIDR] [--domain NAME] [--control MAILBOX] [--port 25] [--dns ADDRESS[:PORT]] [--retry-after 1m] [--max-time 15m] ' +
  '[--canary-domain NAME --canary-listen ADDRESS:PORT] [--wait 30s] [--json] [--transcript]';

const DEFAULT_PORTS = ['25', '465', '587'];
const DEFAULT_RETRY = '1m';
const DEFAULT_MAX_TIME = '15m';

/** What one audit from the terminal is to do. Times are milliseconds. */
export type CheckOptions = {
  readonly host: Host;
  readonly own: readonly Network[];
  readonly dns: readonly string[];
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

/** Reads the command line; throws a `UsageError` that says what is wrong with it. */
export function readCheckOptions(args: readonly string[]): CheckOptions {
  const { values, positionals } = parse(args);
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
    retryAfterMs: duration('--retry-after', values['retry-after']),
    maxTimeMs: someTime('--max-time', values['max-time']),
    canaryListen: listen === undefined ? undefined : endpoint(listen),
    canaryDomain: domain === undefined ? CANARY_DOMAIN : domainName('--canary-domain', domain),
    waitMs: values.wait === undefined ? undefined : duration('--wait', values.wait),
    json: values.json,
    transcript: values.transcript,
  };
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
  const many = (fallback: string[]) => ({ type: 'string', multiple: true, default: fallback }) as const;
  const flag = { type: 'boolean', default: false } as const;
  const one = { type: 'string' } as const;
  try {
    const options = {
      own: many([]),
      domain: many([]),
      control: one,
      port: many(DEFAULT_PORTS),
      dns: many([]),
      'retry-after': { type: 'string', default: DEFAULT_RETRY },
      'max-time': { type: 'string', default: DEFAULT_MAX_TIME },
      'canary-domain': one,
      'canary-listen': one,
      wait: one,
      json: flag,
      transcript: flag,
    } as const;
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message.split('\n')[0] : error} ${USAGE}`);
  }
}
