import type { MtaCase } from './case.ts';
import { askingPolicy, CATCH_ALL, configured, type Decide, relaysIf } from './postfix-setups.ts';
import type { Letter } from './stranger.ts';

const FOREIGN: Letter = { from: '<stranger@stranger.example>', to: '<someone@canary.example>' };
const NULL_SENDER = '<>';

const OWN_DOMAIN = /@served\.example$/;
// Patterns as main.cf has them, where $$ is a $.
const SRS0 = '{/^SRS0[=+-][^=]+=[^=]+=([^=]+)=([^@]+)@served[.]example$$/ $$2@$$1}';
const SRS1 = '{/^SRS1[=+-][^=]+=([^=]+)=([=+-][^@]+)@served[.]example$$/ SRS0$$2@$$1}';

const PATTERNS: readonly MtaCase[] = [
  {
    rule: 'has a pattern for its own domain in recipients that is anchored nowhere',
    truth: 'open',
    proof: { ...FOREIGN, to: '<someone@xserved.example.canary.example>' },
    start: configured(relaysIf('check_recipient_access regexp:{{/served\\.example/ OK}}')),
  },
  {
    rule: 'has a pattern for its own domain in recipients that is anchored at the @ only',
    truth: 'open',
    proof: { ...FOREIGN, to: '<someone@served.example.canary.example>' },
    start: configured(relaysIf('check_recipient_access regexp:{{/@served\\.example/ OK}}')),
  },
  {
    rule: 'has a pattern for its own domain and those below it in recipients that is not anchored at the end',
    truth: 'open',
    proof: { ...FOREIGN, to: '<someone@served.example.canary.example>' },
    start: configured(relaysIf('check_recipient_access regexp:{{/[@.]served\\.example/ OK}}')),
  },
  {
    rule: 'has a pattern for its own domain in recipients that is anchored at both ends',
    truth: 'closed',
    start: configured(relaysIf('check_recipient_access regexp:{{/^[^@%!]+@served\\.example$$/ OK}}')),
  },
  {
    rule: 'refuses senders of its own domain, and has a pattern for names below it that is anchored nowhere',
    truth: 'open',
    proof: { ...FOREIGN, from: '<someone@served.example.canary.example>' },
    start: configured(relaysIf('check_sender_access regexp:{{/@(mx\\.)?served\\.example$$/ REJECT},{/served\\.example/ OK}}')),
  },
  {
    rule: 'has a pattern for its own domain in senders that is anchored at the @ only, and takes any local part',
    truth: 'open',
    proof: { ...FOREIGN, from: '<someone@served.example.canary.example>' },
    start: configured({
      ...CATCH_ALL,
      ...relaysIf('check_sender_access regexp:{{/@(mx\\.)?served\\.example$$/ DUNNO},{/@served\\.example/ OK}}'),
    }),
  },
];

const FORWARDING: readonly MtaCase[] = [
  {
    rule: 'decodes SRS addresses by a pattern, without a look at the hash',
    truth: 'open',
    proof: { ...FOREIGN, to: '<SRS0=abcd=TT=canary.example=someone@served.example>' },
    start: configured({ recipient_canonical_maps: `regexp:{${SRS0}}` }),
  },
  {
    rule: 'decodes SRS addresses by a pattern, from the null sender only',
    truth: 'open',
    proof: { from: NULL_SENDER, to: '<SRS0=abcd=TT=canary.example=someone@served.example>' },
    start: configured({
      recipient_canonical_maps: `regexp:{${SRS0}}`,
      smtpd_restriction_classes: 'for_bounces',
      for_bounces: 'check_sender_access inline:{ <>=OK } check_sender_access static:{REJECT}',
      smtpd_recipient_restrictions: 'check_recipient_access regexp:{{/^SRS[01]/ for_bounces}}',
    }),
  },
  {
    rule: 'decodes doubly rewritten SRS addresses only, without a look at the hash',
    truth: 'open',
    proof: { ...FOREIGN, to: '<SRS1=abcd=canary.example==dcba=TT=stranger.example=someone@served.example>' },
    start: configured({ recipient_canonical_maps: `regexp:{${SRS1}}` }),
  },
  {
    rule: 'decodes SRS addresses with its own hash only',
    truth: 'closed',
    start: configured({ recipient_canonical_maps: `regexp:{${SRS0.replace('[^=]+', 'k7Xw')}}` }),
  },
  {
    rule: 'decodes u=x at its own domain to u@x, as mailing lists write it',
    truth: 'open',
    proof: { ...FOREIGN, to: '<someone=canary.example@served.example>' },
    start: configured({ recipient_canonical_maps: 'regexp:{{/^([^=]+)=([^=@]+[.][^=@]+)@served[.]example$$/ $$1@$$2}}' }),
  },
];

const TRANSACTIONS: readonly MtaCase[] = [
  {
    rule: 'looks at the first recipient of a transaction only',
    truth: 'open',
    proof: { ...FOREIGN, before: '<postmaster@served.example>' },
    start: askingPolicy(firstDecides, (service) => relaysIf(`check_policy_service ${service}`)),
  },
  {
    rule: 'looks at the recipient at DATA only, where it knows none if there were several',
    truth: 'open',
    proof: { ...FOREIGN, before: '<postmaster@served.example>' },
    start: askingPolicy(
      () => (asked) =>
        asked.get('protocol_state') === 'DATA' && isForeign(asked.get('recipient') ?? '') ? 'REJECT 5.7.1 no relaying' : 'DUNNO',
      (service) => ({
        ...relaysIf('check_recipient_access static:OK'),
        smtpd_data_restrictions: `check_policy_service ${service}`,
      }),
    ),
  },
];

const CLAIMS: readonly MtaCase[] = [
  {
    rule: 'takes XCLIENT from everybody',
    truth: 'open',
    proof: { ...FOREIGN, xclient: 'ADDR=127.0.0.1' },
    start: configured({ smtpd_authorized_xclient_hosts: '0.0.0.0/0' }),
  },
  {
    rule: 'takes XCLIENT from everybody, and trusts one private network',
    truth: 'open',
    proof: { ...FOREIGN, xclient: 'ADDR=10.1.2.3' },
    start: configured({ smtpd_authorized_xclient_hosts: '0.0.0.0/0', mynetworks: '10.0.0.0/8' }),
  },
  {
    rule: 'takes XCLIENT from everybody, and trusts nobody',
    truth: 'closed',
    start: configured({
      smtpd_authorized_xclient_hosts: '0.0.0.0/0',
      mynetworks: '',
      smtpd_relay_restrictions: 'reject_unauth_destination',
    }),
  },
  {
    rule: 'takes XFORWARD from everybody, which changes nothing',
    truth: 'closed',
    start: configured({ smtpd_authorized_xforward_hosts: '0.0.0.0/0' }),
  },
];

const CATCH_ALLS: readonly MtaCase[] = [
  {
    rule: 'takes any local part, and relays for whoever says to be the server itself in EHLO',
    truth: 'open',
    proof: { ...FOREIGN, ehlo: 'mx.served.example' },
    start: configured({ ...CATCH_ALL, ...relaysIf('check_helo_access inline:{ mx.served.example=OK }') }),
  },
  {
    rule: 'takes any local part, and relays for senders at localhost',
    truth: 'open',
    proof: { ...FOREIGN, from: '<someone@localhost>' },
    start: configured({ ...CATCH_ALL, ...relaysIf('check_sender_access inline:{ localhost=OK }') }),
  },
  {
    rule: 'takes any local part, and relays u%x at its own domain to u@x',
    truth: 'open',
    proof: { ...FOREIGN, to: '<someone%canary.example@served.example>' },
    start: askingPolicy(
      () => (asked) => (OWN_DOMAIN.test(asked.get('recipient') ?? '') ? 'OK' : 'DUNNO'),
      (service) => ({ local_recipient_maps: '', ...relaysIf(`check_policy_service ${service}`) }),
    ),
  },
  {
    rule: 'takes any local part, and decodes SRS addresses without a look at the hash',
    truth: 'open',
    proof: { ...FOREIGN, to: '<SRS0=abcd=TT=canary.example=someone@served.example>' },
    start: configured({ ...CATCH_ALL, recipient_canonical_maps: `regexp:{${SRS0}}` }),
  },
];

/** Debian's Postfix with holes that no plain recipient finds: patterns, forwarders, XCLIENT, and what hides beside a catch-all. */
export const POSTFIX_HOLES_CASES: readonly MtaCase[] = [...PATTERNS, ...FORWARDING, ...TRANSACTIONS, ...CLAIMS, ...CATCH_ALLS];

function isForeign(recipient: string): boolean {
  return recipient !== '' && !OWN_DOMAIN.test(recipient);
}

/** Lets a whole transaction through when its first recipient is the server's own. */
function firstDecides(): Decide {
  const verdicts = new Map<string, string>();
  return (asked) => {
    const transaction = asked.get('instance') ?? '';
    const verdict = verdicts.get(transaction) ?? (isForeign(asked.get('recipient') ?? '') ? 'DUNNO' : 'OK');
    verdicts.set(transaction, verdict);
    return verdict;
  };
}
