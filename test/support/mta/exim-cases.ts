import type { Verdict } from '../../../shared/domain/reason.ts';
import type { MtaCase } from './case.ts';
import { type EximSettings, expansion, startExim } from './exim.ts';
import type { Letter } from './stranger.ts';

const STRANGER = '<stranger@stranger.example>';
const CANARY = '<someone@canary.example>';
const PERCENT = '<someone%canary.example@served.example>';

// What an administrator sets who finds Debian's check of the characters in a local part in the way.
const NO_LOCAL_PART_CHECKS = 'CHECK_RCPT_LOCAL_LOCALPARTS =\nCHECK_RCPT_REMOTE_LOCALPARTS =\n';

const TRIPLET = '$sender_host_address-$sender_address-$local_part@$domain';

/** Debian's Exim under many configurations, closed and open. */
export const EXIM_CASES: readonly MtaCase[] = [
  closed('relays nothing: Debian’s defaults', {}),
  closed(
    'takes every recipient, and refuses foreign ones after the dot',
    {
      edit: both(
        firstRule('acl_check_rcpt', 'accept'),
        firstRule(
          'acl_check_data',
          'deny',
          `condition = ${expansion(`if forany{<, $recipients}{!match_domain{${expansion('domain:$item')}}{+local_domains}}`)}`,
          'message = relay not permitted',
        ),
      ),
    },
    'suspected',
  ),
  closed(
    'takes every recipient, and throws foreign mail away',
    {
      edit: firstRule('acl_check_rcpt', 'accept'),
      foreignMail: 'discarded',
    },
    'suspected',
  ),
  closed(
    'takes any local part, u%x among them, for a local mailbox',
    {
      main: `${NO_LOCAL_PART_CHECKS}recipient_unqualified_hosts = *`,
      edit: firstRouter('catch_all', 'redirect', 'domains = +local_domains', 'data = :blackhole:'),
    },
    'suspected',
  ),
  closed('reads u%x at its own domain as u@x, before it decides on relaying', {
    main: `${NO_LOCAL_PART_CHECKS}percent_hack_domains = *`,
  }),
  closed('asks for authentication at MAIL', {
    edit: firstRule('acl_check_mail', 'require', 'message = authentication required', 'authenticated = *'),
  }),
  closed('refuses every sender at MAIL', { edit: firstRule('acl_check_mail', 'deny', 'message = no mail from you') }, 'untestable'),
  closed('takes one connection from a host at a time', { main: 'smtp_accept_max_per_host = 1' }),
  open('relays for the whole world', { relayNets: '0.0.0.0/0' }),
  open(
    'relays for senders at the served domain only',
    { edit: relayIf('senders = *@served.example') },
    { from: '<someone@served.example>', to: CANARY },
  ),
  open('relays for the null sender only', { edit: relayIf('senders = :') }, { from: '<>', to: CANARY }),
  open('relays for senders at localhost only', { edit: relayIf('senders = *@localhost') }, { from: '<someone@localhost>', to: CANARY }),
  open(
    'relays for clients that claim its own name in HELO only',
    { edit: relayIf(`condition = ${expansion('if eqi{$sender_helo_name}{$primary_hostname}')}`) },
    { from: STRANGER, to: CANARY, ehlo: 'mx.served.example' },
  ),
  open(
    'relays u%x at its own domain to u@x only',
    {
      main: NO_LOCAL_PART_CHECKS,
      edit: firstRouter(
        'percent',
        'redirect',
        'domains = +local_domains',
        `condition = ${expansion('if match{$local_part}{\\N^[^%]+%[^%]+$\\N}')}`,
        `data = ${expansion('sg{$local_part}{%}{@}')}`,
      ),
    },
    { from: STRANGER, to: PERCENT },
  ),
  open('relays after STARTTLS only', { tls: true, edit: relayIf('encrypted = *') }, { from: STRANGER, to: CANARY, transport: 'starttls' }),
  open('relays for the whole world, for who comes again after 2 seconds', {
    relayNets: '0.0.0.0/0',
    edit: firstRule('acl_check_rcpt', 'defer', `!seen = -2s / key=${TRIPLET}`, 'message = greylisted, come again in 2 seconds'),
  }),
];

function closed(rule: string, settings: EximSettings, told?: Verdict): MtaCase {
  return {
    rule,
    truth: 'closed',
    ...(told === undefined ? {} : { told: [told] }),
    start: (namespace, n) => startExim(namespace, n, { foreignMail: 'canary-delivered', ...settings }),
  };
}

function open(rule: string, settings: EximSettings, proof: Letter = { from: STRANGER, to: CANARY }): MtaCase {
  return { rule, truth: 'open', proof, start: (namespace, n) => startExim(namespace, n, { foreignMail: 'canary-delivered', ...settings }) };
}

type Edit = (configuration: string) => string;

function both(one: Edit, other: Edit): Edit {
  return (configuration) => other(one(configuration));
}

function relayIf(condition: string): Edit {
  return firstRule('acl_check_rcpt', 'accept', condition, 'domains = ! +local_domains');
}

function firstRule(acl: string, verb: string, ...conditions: readonly string[]): Edit {
  return inFront(new RegExp(`^${acl}:\n`, 'm'), [`  ${verb}`, ...conditions.map((each) => `    ${each}`)]);
}

function firstRouter(name: string, driver: string, ...options: readonly string[]): Edit {
  return inFront(/^begin routers\n/m, [`${name}:`, `  driver = ${driver}`, ...options.map((each) => `  ${each}`)]);
}

function inFront(place: RegExp, lines: readonly string[]): Edit {
  return (configuration) => configuration.replace(place, (found) => `${found}\n${lines.join('\n')}\n\n`);
}
