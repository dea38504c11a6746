import type { MtaCase, RunningMta } from './case.ts';
import { type MilterEvent, startMilter } from './milter.ts';
import type { Namespace } from './namespace.ts';
import { STARTED, startPostfix } from './postfix.ts';
import {
  BOUNCES,
  CATCH_ALL,
  configured,
  DEMANDS_TLS,
  EVERYONE,
  joined,
  OFFERS_TLS,
  REFUSES_FOR_GOOD,
  relaysIf,
  type Settings,
  smtpd,
} from './postfix-setups.ts';
import type { Letter } from './stranger.ts';

const FOREIGN: Letter = { from: '<stranger@stranger.example>', to: '<someone@canary.example>' };
const NULL_SENDER: Letter = { ...FOREIGN, from: '<>' };
const BY_NULL_SENDER = 'check_sender_access inline:{ <>=OK }';

// anvil counts by the minute, and lets $mynetworks alone unless it is told not to.
const COUNTED: Settings = { smtpd_client_event_limit_exceptions: '' };
const BY_THE_MINUTE = 20_000;
const A_MINUTE = 60_000;
const SOON_DELAYED: Settings = { smtpd_soft_error_limit: '1' }; // each error after the first costs a second
const NO_SHARED_CIPHER: Settings = {
  ...OFFERS_TLS, // with an EC certificate
  smtpd_tls_protocols: 'TLSv1.2',
  smtpd_tls_mandatory_protocols: 'TLSv1.2',
  smtpd_tls_ciphers: 'high',
  smtpd_tls_mandatory_ciphers: 'high',
  tls_high_cipherlist: 'ECDHE-RSA-AES128-GCM-SHA256',
};

/** What refuses a foreign recipient in the administrator's own words, after it has accepted its own. */
function refusing(words: string): Settings {
  return {
    smtpd_relay_restrictions: `permit_mynetworks permit_auth_destination check_recipient_access static:{${words}} reject_unauth_destination`,
  };
}

function slowly(restrictions: string): Settings {
  return { smtpd_relay_restrictions: `permit_mynetworks permit_auth_destination ${restrictions} reject_unauth_destination` };
}

const SLOW: readonly MtaCase[] = [
  { rule: 'waits five seconds before it refuses, and relays nothing', truth: 'closed', start: configured(slowly('sleep 5')) },
  {
    rule: 'waits five seconds before it refuses, and relays for the null sender only',
    truth: 'open',
    proof: NULL_SENDER,
    start: configured(slowly(`${BY_NULL_SENDER} sleep 5`)),
  },
  {
    rule: 'waits five seconds before it refuses, takes any local part, and relays nothing',
    truth: 'closed',
    start: configured({ ...CATCH_ALL, ...slowly('sleep 5') }),
  },
  {
    rule: 'waits 27 seconds before it refuses, as Courier does, and relays nothing',
    truth: 'closed',
    start: configured(slowly('sleep 27')),
  },
  {
    rule: 'answers each error with a pause of five seconds, and relays nothing',
    truth: 'closed',
    start: configured({ ...REFUSES_FOR_GOOD, ...SOON_DELAYED, smtpd_error_sleep_time: '5s' }),
  },
  {
    rule: 'greets after 35 seconds, and relays nothing',
    truth: 'closed',
    start: configured({ ...REFUSES_FOR_GOOD, smtpd_delay_reject: 'no', smtpd_client_restrictions: 'sleep 35' }, { ready: STARTED }),
  },
  {
    rule: 'greets after 35 seconds, and relays for everyone',
    truth: 'open',
    proof: FOREIGN,
    start: configured({ ...EVERYONE, smtpd_delay_reject: 'no', smtpd_client_restrictions: 'sleep 35' }, { ready: STARTED }),
  },
];

const LIMITED: readonly MtaCase[] = [
  {
    rule: 'takes four connections a minute, and relays nothing',
    truth: 'closed',
    betweenMs: BY_THE_MINUTE,
    start: configured({ ...COUNTED, ...REFUSES_FOR_GOOD, smtpd_client_connection_rate_limit: '4' }),
  },
  {
    rule: 'takes four connections a minute, and relays for everyone',
    truth: 'open',
    proof: FOREIGN,
    betweenMs: BY_THE_MINUTE,
    start: configured({ ...COUNTED, ...EVERYONE, smtpd_client_connection_rate_limit: '4' }),
  },
  {
    rule: 'takes five recipients a minute, and relays nothing',
    truth: 'closed',
    told: ['closed', 'inconclusive'],
    betweenMs: A_MINUTE, // the whole table has more than ten times as many
    start: configured({ ...COUNTED, ...REFUSES_FOR_GOOD, smtpd_client_recipient_rate_limit: '5' }),
  },
  {
    rule: 'takes five recipients a minute, and relays for everyone',
    truth: 'open',
    proof: FOREIGN,
    betweenMs: BY_THE_MINUTE,
    start: configured({ ...COUNTED, ...EVERYONE, smtpd_client_recipient_rate_limit: '5' }),
  },
  {
    rule: 'takes two messages a minute, and relays for senders at the served domain only',
    truth: 'open',
    proof: { ...FOREIGN, from: '<postmaster@served.example>' },
    betweenMs: BY_THE_MINUTE,
    start: configured({
      ...COUNTED,
      ...relaysIf('check_sender_access inline:{ served.example=OK }'),
      smtpd_client_message_rate_limit: '2',
    }),
  },
  {
    rule: 'hangs up at the second error, and relays nothing',
    truth: 'closed',
    start: configured({ ...REFUSES_FOR_GOOD, smtpd_hard_error_limit: '2' }),
  },
  {
    rule: 'hangs up at the second error, and relays for everyone',
    truth: 'open',
    proof: FOREIGN,
    start: configured({ ...EVERYONE, smtpd_hard_error_limit: '2' }),
  },
  {
    rule: 'hangs up at the second error, and relays for the null sender only',
    truth: 'open',
    proof: NULL_SENDER,
    start: configured({ ...relaysIf(BY_NULL_SENDER), smtpd_hard_error_limit: '2' }),
  },
  {
    rule: 'takes one connection of a client at a time, and relays for everyone',
    truth: 'open',
    proof: FOREIGN,
    start: configured({ ...COUNTED, ...EVERYONE, smtpd_client_connection_count_limit: '1' }),
  },
];

const REFUSING: readonly MtaCase[] = [
  {
    rule: 'takes every foreign recipient and refuses DATA, more slowly with each error',
    truth: 'closed',
    start: configured({ ...EVERYONE, ...SOON_DELAYED, smtpd_data_restrictions: 'reject' }),
  },
  {
    rule: 'takes every foreign recipient and refuses the message after the dot, more slowly with each error',
    truth: 'closed',
    start: configured({ ...EVERYONE, ...SOON_DELAYED, header_checks: 'regexp:{{/^Subject:/ REJECT}}' }),
  },
  {
    rule: 'takes every foreign recipient, refuses the message after the dot, and hangs up at the third error',
    truth: 'closed',
    start: configured({ ...EVERYONE, smtpd_hard_error_limit: '3', smtpd_end_of_data_restrictions: 'reject' }),
  },
  {
    rule: 'has a milter that refuses every message after the dot, and would relay for everyone',
    truth: 'closed',
    start: filtered(['message'], EVERYONE),
  },
  {
    rule: 'has a milter that refuses every message at DATA, and would relay for everyone',
    truth: 'closed',
    start: filtered(['data'], EVERYONE),
  },
  {
    rule: 'has a milter that refuses every recipient, the postmaster among them',
    truth: 'closed',
    told: ['untestable'],
    start: filtered(['rcpt'], EVERYONE),
  },
  { rule: 'has a milter that lets everything pass, and relays nothing', truth: 'closed', start: filtered([], REFUSES_FOR_GOOD) },
  { rule: 'has a milter that lets everything pass, and relays for everyone', truth: 'open', proof: FOREIGN, start: filtered([], EVERYONE) },
  {
    rule: 'has a filter before the queue that refuses every message, and would relay for everyone',
    truth: 'closed',
    start: proxied({ smtpd_end_of_data_restrictions: 'reject' }),
  },
  {
    rule: 'has a filter before the queue that lets everything pass, and relays for everyone',
    truth: 'open',
    proof: FOREIGN,
    start: proxied({}),
  },
];

const WORDS: readonly MtaCase[] = [
  {
    rule: 'refuses relaying as if it were about the client: your host is not allowed to send',
    truth: 'closed',
    start: configured(refusing('550 5.7.1 your host is not allowed to send to that domain through us')),
  },
  {
    rule: 'refuses relaying as if the client were blocklisted',
    truth: 'closed',
    start: configured(refusing('554 5.7.1 Client host rejected: Access denied')),
  },
  {
    rule: 'puts every foreign recipient off, always',
    truth: 'closed',
    start: configured(refusing('451 4.3.0 Temporary lookup failure, try again later')),
  },
  {
    rule: 'has no postmaster, and relays nothing',
    truth: 'closed',
    start: configured({ ...REFUSES_FOR_GOOD, local_recipient_maps: 'inline:{ info=x }' }),
  },
  {
    rule: 'has no postmaster, and refuses relaying for now, as by default',
    truth: 'closed',
    start: configured({ local_recipient_maps: 'inline:{ info=x }' }),
  },
  {
    rule: 'has no postmaster, and relays for the null sender only',
    truth: 'open',
    proof: NULL_SENDER,
    start: configured({ ...relaysIf(BY_NULL_SENDER), local_recipient_maps: 'inline:{ info=x }' }),
  },
  {
    rule: 'takes any local part at its own domain, and bounces later what nobody is there for',
    truth: 'closed',
    start: configured({ ...CATCH_ALL, ...BOUNCES, smtpd_reject_unlisted_recipient: 'no', local_transport: 'error:5.1.1 user unknown' }),
  },
  {
    rule: 'is a backup that knows no recipients, and bounces what the main server would not take',
    truth: 'closed',
    start: backupOfAnother,
  },
];

const BROKEN_TLS: readonly MtaCase[] = [
  {
    rule: 'offers STARTTLS with no cipher that its key can serve, and relays nothing',
    truth: 'closed',
    start: configured({ ...REFUSES_FOR_GOOD, ...NO_SHARED_CIPHER }),
  },
  {
    rule: 'offers STARTTLS with no cipher that its key can serve, and relays for everyone',
    truth: 'open',
    proof: FOREIGN,
    start: configured({ ...EVERYONE, ...NO_SHARED_CIPHER }),
  },
  {
    rule: 'offers STARTTLS without a certificate, which it then has no use for, and relays nothing',
    truth: 'closed',
    start: configured({ ...REFUSES_FOR_GOOD, smtpd_tls_security_level: 'may', smtpd_tls_chain_files: '' }),
  },
  {
    rule: 'demands STARTTLS with no cipher that its key can serve, and would relay for everyone',
    truth: 'closed',
    told: ['inconclusive'],
    start: configured({ ...DEMANDS_TLS, ...EVERYONE, ...NO_SHARED_CIPHER, smtpd_tls_security_level: 'encrypt' }),
  },
];

/**
 * Debian's Postfix where it is slow, counts, filters, or says no in words of its own. Those that take longest come first, so that
 * the others run beside them.
 */
export const POSTFIX_LIMITS_CASES: readonly MtaCase[] = [...SLOW, ...LIMITED, ...REFUSING, ...WORDS, ...BROKEN_TLS];

async function backupOfAnother(namespace: Namespace, n: number): Promise<RunningMta> {
  const inside = `127.0.0.${n}`;
  const main = await startPostfix(namespace, n, { myhostname: 'inside.served.example' }, { inside }); // its own name would be a mail loop
  return joined(namespace.address(n), main, () =>
    startPostfix(namespace, n, {
      ...BOUNCES,
      mydestination: 'localhost',
      relay_domains: 'served.example',
      relay_transport: `smtp:[${inside}]:25`,
    }),
  );
}

function filtered(refuses: readonly MilterEvent[], settings: Settings): MtaCase['start'] {
  return async (namespace, n) => {
    const milter = await startMilter(namespace.ourAddress, { at: refuses });
    const milters = `inet:${namespace.ourAddress}:${milter.port}`;
    return joined(namespace.address(n), milter, () => startPostfix(namespace, n, { ...settings, smtpd_milters: milters }));
  };
}

/** A filter before the queue (SMTPD_PROXY_README): another smtpd, which is given what the first has let in. */
function proxied(filter: Settings): MtaCase['start'] {
  return (namespace, n) => {
    const inside = `127.0.0.${n}:10025`;
    return startPostfix(
      namespace,
      n,
      { ...EVERYONE, smtpd_proxy_filter: inside },
      { services: (stock) => stock + smtpd(inside, { ...filter, smtpd_proxy_filter: '' }) },
    );
  };
}
