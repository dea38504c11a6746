import type { Verdict } from '../../../shared/domain/reason.ts';
import type { MtaCase, RunningMta } from './case.ts';
import { type Refusals, startMilter } from './milter.ts';
import type { Namespace } from './namespace.ts';
import { startPostfix } from './postfix.ts';
import { joined, NO_HACKS } from './postfix-setups.ts';
import { type SendmailSettings, startSendmail } from './sendmail.ts';
import type { Letter } from './stranger.ts';

const STRANGER = '<stranger@stranger.example>';
const CANARY = '<someone@canary.example>';

const EVERYONE = "FEATURE(`promiscuous_relay')dnl";
const OWN_SENDERS = "FEATURE(`relay_local_from')dnl";
// Its local parts may have % and ! in them.
const ANY_CHARACTER = ["FEATURE(`nopercenthack')dnl", "FEATURE(`nouucp', `nospecial')dnl"];
const CATCH_ALL = [...ANY_CHARACTER, "define(`LUSER_RELAY', `local:discarded')dnl"];
const FOUR_A_MINUTE = { window: "define(`confCONNECTION_RATE_WINDOW_SIZE', `60s')dnl", access: ['ClientRate:198.18 4'] };
// Debian’s Sendmail takes ten connections of a client in ten minutes, which is longer than a test may last.
const ANY_RATE = ['ClientRate:198.18 0'];
const GREETS_LATE = ['GreetPause:198.18 35000', 'GreetPause:198.19 35000'];

// Those that take longest come first, so that the others run beside them.
const SLOW: readonly MtaCase[] = [
  {
    ...closed('takes four connections a minute, and relays nothing', { features: [FOUR_A_MINUTE.window], access: FOUR_A_MINUTE.access }),
    betweenMs: 20_000,
  },
  {
    ...open('takes four connections a minute, and relays for the whole world', {
      features: [FOUR_A_MINUTE.window, EVERYONE],
      access: FOUR_A_MINUTE.access,
    }),
    betweenMs: 20_000,
  },
  closed('greets after 35 seconds, and relays nothing', { access: GREETS_LATE }),
  open('greets after 35 seconds, and relays for the whole world', { access: GREETS_LATE, features: [EVERYONE] }),
  {
    rule: 'has a milter that takes five seconds to refuse whoever is not the postmaster, and would relay',
    truth: 'closed',
    start: filtered({ at: ['rcpt'], butFor: '<postmaster@served.example>', afterMs: 5_000 }, [EVERYONE], ANY_RATE),
  },
  {
    rule: 'has a milter that takes five seconds to refuse a message after the dot, and would relay',
    truth: 'closed',
    start: filtered({ at: ['message'], afterMs: 5_000 }, [EVERYONE], ANY_RATE),
  },
  closed('waits a second more before each answer after the first refusal, and relays nothing', {
    features: ["define(`confBAD_RCPT_THROTTLE', `1')dnl"],
  }),
  open(
    'waits a second more before each answer after the first refusal, and relays for senders at the served domain only',
    { features: ["define(`confBAD_RCPT_THROTTLE', `1')dnl", OWN_SENDERS] },
    { from: '<someone@served.example>', to: CANARY },
  ),
  open('takes one connection of a client at a time, and relays for the whole world', {
    features: [EVERYONE],
    access: ['ClientConn:198.18 1'],
  }),
  open(
    'takes one recipient in a message, and relays for senders at the served domain only',
    { features: ["define(`confMAX_RCPTS_PER_MESSAGE', `1')dnl", OWN_SENDERS] },
    { from: '<someone@served.example>', to: CANARY },
  ),
  // Its pauses at each refusal may use up the sittings before everything was put off once.
  {
    ...closed('puts every foreign recipient off, always', { features: ['define(`confRELAY_MSG\', `"451 4.3.0 Try again later"\')dnl'] }),
    told: ['closed', 'inconclusive'],
  },
];

const CATCH_ALLS: readonly MtaCase[] = [
  closed('takes any local part, u%x among them, and throws away what nobody is there for', { features: CATCH_ALL }),
  open(
    'takes any local part, and relays for senders at the served domain',
    { features: [...CATCH_ALL, OWN_SENDERS] },
    { from: '<someone@served.example>', to: CANARY },
  ),
  {
    rule: 'is a backup that knows no recipients, and bounces what the main server would not take',
    truth: 'closed',
    start: (namespace, n) => inFrontOfPostfix(namespace, n, []),
  },
  {
    rule: 'hands any local part, u%x among them, to a server behind it, and bounces what that would not take',
    truth: 'closed',
    start: (namespace, n) => inFrontOfPostfix(namespace, n, ANY_CHARACTER, NO_HACKS),
  },
  {
    rule: 'hands any local part, u%x among them, to a server behind it, which trusts it and relays u%x to u@x',
    truth: 'open',
    proof: { from: STRANGER, to: '<someone%canary.example@served.example>' },
    start: (namespace, n) => inFrontOfPostfix(namespace, n, ANY_CHARACTER),
  },
];

const MORE: readonly MtaCase[] = [
  open(
    'takes for its own what begins like a recipient at its domain',
    { rulesets: acceptedRecipients('< $- @ served.example . $* >') },
    { from: STRANGER, to: '<someone@served.example.canary.example>' },
  ),
  closed('has no postmaster, and relays nothing', { postmaster: false }),
  open(
    'has no postmaster, and relays for senders at the served domain only',
    { postmaster: false, features: [OWN_SENDERS] },
    { from: '<someone@served.example>', to: CANARY },
  ),
  closed('refuses relaying as if it were about the client: your host is not allowed to send', {
    features: ['define(`confRELAY_MSG\', `"550 your host is not allowed to send to that domain through us"\')dnl'],
  }),
  {
    rule: 'has a milter that refuses every message after the dot, and would relay',
    truth: 'closed',
    start: filtered({ at: ['message'] }, [EVERYONE]),
  },
  {
    rule: 'has a milter that refuses every recipient',
    truth: 'closed',
    told: ['untestable'],
    start: filtered({ at: ['rcpt'] }, [EVERYONE]),
  },
  { rule: 'has a milter that lets everything pass, and relays nothing', truth: 'closed', start: filtered({}, []) },
  {
    rule: 'has a milter that lets everything pass, and relays for the whole world',
    truth: 'open',
    proof: { from: STRANGER, to: CANARY },
    start: filtered({}, [EVERYONE]),
  },
];

const PLAIN: readonly MtaCase[] = [
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

/** Debian's Sendmail under many configurations, closed and open; all but those named otherwise keep its limits and its pause before the greeting. */
export const SENDMAIL_CASES: readonly MtaCase[] = [...SLOW, ...CATCH_ALLS, ...MORE, ...PLAIN];

// A rule of the administrator's own, who wants all mail that names his domain to come in.
function acceptedRecipients(pattern: string): readonly string[] {
  return ['SLocal_check_rcpt', `R${pattern}\t$#OK`];
}

function filtered(refuses: Refusals, features: readonly string[], access: readonly string[] = []): MtaCase['start'] {
  return async (namespace, n) => {
    const milter = await startMilter(namespace.ourAddress, refuses);
    const filter = `INPUT_MAIL_FILTER(\`filter', \`S=inet:${milter.port}@${namespace.ourAddress}, F=R')dnl`;
    return joined(namespace.address(n), milter, () => startSendmail(namespace, n, { features: [...features, filter], access }));
  };
}

async function inFrontOfPostfix(namespace: Namespace, n: number, features: readonly string[], behind = {}): Promise<RunningMta> {
  const inside = `127.0.0.${n}`;
  const postfix = await startPostfix(namespace, n, { myhostname: 'inside.served.example', ...behind }, { inside });
  const settings = { features, relayedDomains: ['served.example'], routes: [`served.example esmtp:[${inside}]`] };
  return joined(namespace.address(n), postfix, () => startSendmail(namespace, n, settings));
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
