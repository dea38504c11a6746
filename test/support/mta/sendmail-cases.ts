import type { Verdict } from '../../../shared/domain/reason.ts';
import type { MtaCase } from './case.ts';
import { type SendmailSettings, startSendmail } from './sendmail.ts';
import type { Letter } from './stranger.ts';

const STRANGER = '<stranger@stranger.example>';
const CANARY = '<someone@canary.example>';

/** Debian's Sendmail under many configurations, closed and open; all keep its limits and its pause of a second before the greeting. */
export const SENDMAIL_CASES: readonly MtaCase[] = [
  closed('relays nothing: Debian’s defaults, the pause before the greeting among them', {}),
  closed('takes every foreign recipient, and refuses every message after the dot', {
    features: ["FEATURE(`promiscuous_relay')dnl"],
    rulesets: ['Scheck_eom', 'R$*\t$#error $@ 5.7.1 $: "550 Relaying denied"'],
  }),
  closed(
    'takes every recipient, and throws the mail away',
    {
      features: ["FEATURE(`promiscuous_relay')dnl", "define(`LUSER_RELAY', `local:discarded')dnl"],
      canaryMail: 'discarded',
    },
    'suspected',
  ),
  closed('relays nothing, though it checks u%x at a domain loosely: that domain is its own', {
    features: ["FEATURE(`loose_relay_check')dnl"],
  }),
  open('relays for the whole world', { features: ["FEATURE(`promiscuous_relay')dnl"] }),
  open(
    'relays for senders at the served domain only',
    { features: ["FEATURE(`relay_local_from')dnl"] },
    { from: '<someone@served.example>', to: CANARY },
  ),
  open(
    'relays for the senders that its access file names only, all of the served domain',
    { features: ["FEATURE(`relay_mail_from', `domain')dnl"], access: ['From:served.example RELAY'] },
    { from: '<someone@served.example>', to: CANARY },
  ),
  open(
    'relays for the senders that its access file names only, the postmaster of the served domain',
    { features: ["FEATURE(`relay_mail_from')dnl"], access: ['From:postmaster@served.example RELAY'] },
    { from: '<postmaster@served.example>', to: CANARY },
  ),
  open(
    'relays u%x, x!u and "u@x" at a domain to u@x only: it does mail for that domain without being it, and checks loosely',
    { features: ["FEATURE(`loose_relay_check')dnl"], relayedDomains: ['served.example'] },
    { from: STRANGER, to: '<someone%canary.example@served.example>' },
  ),
  open(
    'relays x!u and "u@x" at its own domain to u@x only',
    { features: ["FEATURE(`nopercenthack', `nospecial')dnl"], rulesets: acceptedRecipients('$* @ served.example >') },
    { from: STRANGER, to: '<canary.example!someone@served.example>' },
  ),
  open(
    'relays by source routes over its own domain only',
    { rulesets: acceptedRecipients('< @ served.example : $* >') },
    { from: STRANGER, to: '<@served.example:someone@canary.example>' },
  ),
  open('relays for the networks that its access file names only, a far too wide one', { access: ['Connect:198.18 RELAY'] }),
  open('relays over IPv6 only', { ipv6: true, access: ['Connect:IPv6:fd98:18 RELAY'] }),
];

// A rule of the administrator's own, who wants all mail that names his domain to come in.
function acceptedRecipients(pattern: string): readonly string[] {
  return ['SLocal_check_rcpt', `R${pattern}\t$#OK`];
}

function closed(rule: string, settings: SendmailSettings, told?: Verdict): MtaCase {
  return {
    rule,
    truth: 'closed',
    ...(told === undefined ? {} : { told: [told] }),
    start: (namespace, n) => startSendmail(namespace, n, settings),
  };
}

function open(rule: string, settings: SendmailSettings, proof: Letter = { from: STRANGER, to: CANARY }): MtaCase {
  return { rule, truth: 'open', proof, start: (namespace, n) => startSendmail(namespace, n, settings) };
}
