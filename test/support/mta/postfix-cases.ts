import type { MtaCase } from './case.ts';
import {
  askingPolicy,
  behindPostscreen,
  besideFail2ban,
  CATCH_ALL,
  configured,
  DEMANDS_TLS,
  EVERYONE,
  greylist,
  inFrontOfAnother,
  listening,
  OFFERS_TLS,
  openOnIpv6,
  REFUSES_FOR_GOOD,
  relaysIf,
  type Settings,
} from './postfix-setups.ts';
import type { Letter } from './stranger.ts';

const FOREIGN: Letter = { from: '<stranger@stranger.example>', to: '<someone@canary.example>' };
const TAKES_EVERYTHING: Settings = { ...EVERYONE, smtpd_reject_unlisted_recipient: 'no' };

/**
 * Debian's Postfix under the configurations that its manual, its default files and its users' mistakes make likely. A server that
 * puts off a first try (`postscreen`, `greylists`) takes the proof when it is sent again, as a mail server would.
 */
export const POSTFIX_CASES: readonly MtaCase[] = [
  { rule: 'relays nothing, with Debian’s defaults', truth: 'closed', start: configured() },
  { rule: 'relays nothing and refuses for good, not for now', truth: 'closed', start: configured(REFUSES_FOR_GOOD) },
  { rule: 'offers STARTTLS and relays nothing before or after it', truth: 'closed', start: configured(OFFERS_TLS) },
  { rule: 'demands STARTTLS and relays nothing after it', truth: 'closed', start: configured(DEMANDS_TLS) },
  {
    rule: 'relays nothing on ports 25, 465 and 587',
    truth: 'closed',
    start: configured(OFFERS_TLS, { services: listening(['587', {}], ['465', { smtpd_tls_wrappermode: 'yes' }]) }),
  },
  {
    rule: 'refuses every stranger in its greeting',
    truth: 'closed',
    told: ['untestable'],
    start: configured({ smtpd_delay_reject: 'no', smtpd_client_restrictions: 'reject' }),
  },
  {
    rule: 'refuses every sender at MAIL',
    truth: 'closed',
    told: ['untestable'],
    start: configured({ smtpd_delay_reject: 'no', smtpd_sender_restrictions: 'reject' }),
  },
  {
    rule: 'takes every foreign recipient and refuses DATA',
    truth: 'closed',
    start: configured({ ...EVERYONE, smtpd_data_restrictions: 'reject' }),
  },
  {
    rule: 'takes every foreign recipient and refuses the message after the dot, by its envelope',
    truth: 'closed',
    start: configured({ ...EVERYONE, smtpd_end_of_data_restrictions: 'check_recipient_access inline:{ served.example=OK } reject' }),
  },
  {
    rule: 'takes every foreign recipient and refuses the message after the dot, by its header',
    truth: 'closed',
    start: configured({ ...EVERYONE, header_checks: 'regexp:{{/^Subject:/ REJECT}}' }),
  },
  {
    rule: 'takes everything and throws foreign mail away',
    truth: 'closed',
    told: ['suspected'],
    start: configured({ ...TAKES_EVERYTHING, transport_maps: '' }),
  },
  {
    rule: 'takes everything and bounces foreign mail later',
    truth: 'closed',
    told: ['suspected'],
    start: configured({
      ...TAKES_EVERYTHING,
      transport_maps: '',
      default_transport: 'error:5.1.2 no such domain here',
    }),
  },
  {
    rule: 'takes any local part at its own domain, u%x, x!u and "u@x" among them, and throws away what nobody is there for',
    truth: 'closed',
    start: configured(CATCH_ALL),
  },
  { rule: 'has postscreen with deep protocol tests in front and relays nothing', truth: 'closed', start: behindPostscreen() },
  {
    rule: 'has fail2ban beside it and relays nothing',
    truth: 'closed',
    told: ['closed', 'untestable'], // whichever is faster
    start: besideFail2ban(REFUSES_FOR_GOOD),
  },

  { rule: 'relays for everyone', truth: 'open', proof: FOREIGN, start: configured(EVERYONE) },
  {
    rule: 'relays for the null sender only',
    truth: 'open',
    proof: { ...FOREIGN, from: '<>' },
    start: configured(relaysIf('check_sender_access inline:{ <>=OK }')),
  },
  {
    rule: 'relays for senders at the served domain only',
    truth: 'open',
    proof: { ...FOREIGN, from: '<postmaster@served.example>' },
    start: configured(relaysIf('check_sender_access inline:{ served.example=OK }')),
  },
  {
    rule: 'relays for whoever says to be the server itself in EHLO only',
    truth: 'open',
    proof: { ...FOREIGN, ehlo: 'mx.served.example' },
    start: configured(relaysIf('check_helo_access inline:{ mx.served.example=OK }')),
  },
  {
    rule: 'demands STARTTLS and relays for everyone after it',
    truth: 'open',
    proof: { ...FOREIGN, transport: 'starttls' },
    start: configured({ ...DEMANDS_TLS, ...EVERYONE }),
  },
  {
    rule: 'relays for everyone after STARTTLS and for nobody before it',
    truth: 'open',
    proof: { ...FOREIGN, transport: 'starttls' },
    start: askingPolicy(
      () => (asked) => (asked.get('encryption_protocol') ? 'OK' : 'DUNNO'),
      (service) => ({ ...OFFERS_TLS, ...relaysIf(`check_policy_service ${service}`) }),
    ),
  },
  {
    rule: 'relays for everyone on port 587 only',
    truth: 'open',
    proof: { ...FOREIGN, port: 587 },
    start: configured({}, { services: listening(['587', EVERYONE]) }),
  },
  {
    rule: 'relays for everyone on port 465 only',
    truth: 'open',
    proof: { ...FOREIGN, port: 465, transport: 'tls' },
    start: configured(OFFERS_TLS, { services: listening(['465', { ...EVERYONE, smtpd_tls_wrappermode: 'yes' }]) }),
  },
  { rule: 'relays for everyone over IPv6 only', truth: 'open', proof: FOREIGN, start: openOnIpv6 },
  {
    rule: 'relays u%x, x!u and "u@x" at its own domain by a policy that looks behind the last @ only',
    truth: 'open',
    proof: { ...FOREIGN, to: '<someone%canary.example@served.example>' },
    start: askingPolicy(
      () => (asked) => (asked.get('recipient')?.endsWith('@served.example') ? 'OK' : 'DUNNO'),
      (service) => relaysIf(`check_policy_service ${service}`),
    ),
  },
  {
    rule: 'relays u%x, x!u and "u@x" at its own domain through the server behind it, which trusts it',
    truth: 'open',
    proof: { ...FOREIGN, to: '<someone%canary.example@served.example>' },
    start: inFrontOfAnother,
  },
  {
    rule: 'greylists, and relays for everyone who tries again',
    truth: 'open',
    proof: FOREIGN,
    start: askingPolicy(greylist, (service) => ({ ...EVERYONE, smtpd_recipient_restrictions: `check_policy_service ${service}` })),
  },
  {
    rule: 'has postscreen with deep protocol tests in front and relays for everyone',
    truth: 'open',
    proof: FOREIGN,
    start: behindPostscreen(EVERYONE),
  },
];
