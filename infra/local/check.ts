// `npm run check-host -- HOST`: one audit from the terminal. It keeps nothing and needs no running service; consent and
// target policy are those of the service, and `--own` is the operator's word for a network.
import { parseArgs } from 'node:util';
import { legView } from '../../functions/api/views.ts';
import { auditHost, type Finding } from '../../functions/probe/audit-host.ts';
import { type Network, parseAddress, parseNetwork } from '../../shared/domain/address.ts';
import { type Host, NEW_STATE } from '../../shared/domain/host.ts';
import { readName, readTarget } from '../../shared/domain/host-name.ts';
import { REASONS, type Verdict } from '../../shared/domain/reason.ts';
import { remediesFor, softwareSentence } from '../../shared/domain/remedies.ts';
import type { LegEvidence } from '../../shared/domain/scan.ts';
import { printable } from '../../shared/domain/transcript.ts';
import { judgeLeg, legName } from '../../shared/domain/verdict.ts';
import { PROBE_LIMITS } from '../../shared/network/probe.ts';
import { dnsResolver } from '../../shared/network/resolve.ts';
import { newId } from '../../shared/runtime/ids.ts';
import { CANARY_DOMAIN, EHLO_NAME } from './environment.ts';
import { UsageError } from './options.ts';

const USAGE =
  'Usage: npm run check-host -- HOST --own CIDR [--own CIDR] [--domain NAME] [--port 25] [--dns ADDRESS[:PORT]] [--json] [--transcript]';

/** What the process ends with: what a script can go by. */
const EXIT: Record<Verdict, number> = { closed: 0, open: 1, suspected: 2, inconclusive: 3, untestable: 3, unreachable: 3 };
const EXIT_USAGE = 4;

type Arguments = {
  readonly host: Host;
  readonly own: readonly Network[];
  readonly dns: readonly string[];
  readonly json: boolean;
  readonly transcript: boolean;
};

async function main(args: readonly string[]): Promise<void> {
  const { host, own, dns, json, transcript } = readArguments(args);
  const finding = await auditHost(host, {
    resolve: dnsResolver(dns),
    operatorNetworks: own,
    ehloName: EHLO_NAME,
    canaryDomain: CANARY_DOMAIN,
    limits: PROBE_LIMITS,
    onProgress: ({ leg, answered, planned }) => console.error(`${leg}: ${answered} of ${planned} tests`),
  });
  console.log(json ? JSON.stringify(asJson(host, finding), null, 2) : asText(host, finding, transcript));
  process.exitCode = EXIT[finding.judgement.verdict];
}

function asJson({ settings }: Host, { judgement, legs }: Finding) {
  const { verdict, reason, completed, planned } = judgement;
  return {
    host: settings.name,
    verdict,
    reason,
    explanation: REASONS[reason].sentence,
    testsCompleted: completed,
    testsPlanned: planned,
    legs: legs.map(legView),
  };
}

function asText({ settings }: Host, { judgement, legs }: Finding, transcript: boolean): string {
  const { verdict, reason, completed, planned } = judgement;
  const counts = planned === 0 ? '' : ` ${completed} of ${planned} tests were completed.`;
  const open = legs.filter((leg) => ['open', 'suspected'].includes(judgeLeg(leg).verdict));
  return [
    `${settings.name}: ${verdict}`,
    `${REASONS[reason].sentence}${counts}`,
    ...(reason === 'no-consent' || reason === 'forbidden-address' ? ['If the address is yours, say so: --own ADDRESS/32'] : []),
    ...legs.flatMap((leg) => [
      '',
      ...legLines(leg),
      ...(transcript ? ['', ...leg.transcript.map((line) => `    ${printable(line)}`)] : []),
    ]),
    ...(open.length === 0 ? [] : ['', 'What closes it', ...remediesFor(open[0]?.software).map((line) => `  - ${line}`)]),
  ].join('\n');
}

function legLines(leg: LegEvidence): string[] {
  const { verdict, reason } = judgeLeg(leg);
  const accepted = leg.tests.filter((test) => test.outcome === 'accepted');
  return [
    `  ${legName(leg)}: ${verdict}. ${REASONS[reason].sentence}`,
    ...(leg.software === undefined ? [] : [`    ${softwareSentence(leg.software)}`]),
    ...accepted.flatMap(({ test, from = '', to = '', reply = '' }) => [
      `    ${test}: MAIL FROM:${printable(from)} RCPT TO:${printable(to)}`,
      `      ${printable(reply)}`,
    ]),
  ];
}

function readArguments(args: readonly string[]): Arguments {
  const { values, positionals } = parse(args);
  const [name, ...more] = positionals;
  if (name === undefined || more.length > 0) throw new UsageError(USAGE);
  const target = readTarget(name);
  if (target.kind === 'invalid') throw new UsageError(`${printable(name)} ${target.why}.`);
  if (target.kind === 'address' && target.address.family === 6) throw new UsageError('IPv6 addresses cannot be audited yet.');
  return {
    host: hostOf(name.toLowerCase(), values.domain.map(servedDomain), values.port.map(port)),
    own: values.own.map(network),
    dns: values.dns.map(resolver),
    json: values.json,
    transcript: values.transcript,
  };
}

function hostOf(name: string, servedDomains: string[], ports: number[]): Host {
  const settings = { name, servedDomains, ports, period: 'day', alertRecipients: [] } as const;
  return { accountId: 'terminal', id: newId(), createdAt: Date.now(), revision: 1, settings, state: NEW_STATE };
}

function servedDomain(text: string): string {
  const name = readName(text);
  if (name.kind === 'invalid') throw new UsageError(`--domain ${printable(text)} ${name.why}.`);
  return name.name;
}

function port(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) < 1 || Number(text) > 65_535)
    throw new UsageError(`--port must be a port, not ${printable(text)}.`);
  return Number(text);
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

function parse(args: readonly string[]) {
  const many = (fallback: string[]) => ({ type: 'string', multiple: true, default: fallback }) as const;
  const flag = { type: 'boolean', default: false } as const;
  try {
    const options = { own: many([]), domain: many([]), port: many(['25']), dns: many([]), json: flag, transcript: flag };
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message.split('\n')[0] : error} ${USAGE}`);
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof UsageError ? `check-host: ${error.message}` : error);
  process.exitCode = error instanceof UsageError ? EXIT_USAGE : EXIT.untestable;
});
