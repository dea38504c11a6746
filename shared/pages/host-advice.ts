import type { Reason } from '../domain/reason.ts';
import { type Html, html } from '../markup/html.ts';

function exempt(from: string): Html {
  return html`Exempt our addresses from ${from} (<a href="/about">which they are</a>), and never let them relay.`;
}

/** What to do about a scan that could not tell, by its reason; nothing where there is nothing to do, or the remedy says it. */
export function adviceOn(reason: Reason, hostId: string): Html[] {
  const consent = html`<a href="/hosts/${hostId}/consent">See which proofs are there and what to add</a>.`;
  const settings = (words: string) => html`<a href="/hosts/${hostId}/settings">${words}</a>`;
  const gone = html`If it is gone for good, <a href="/hosts/${hostId}/delete">delete the host</a>.`;
  switch (reason) {
    case 'no-consent':
      return [html`Nothing shows that its address is yours. ${consent}`];
    case 'dns-trouble':
      return [html`DNS fails for it, so nothing may be sent. Each scheduled scan looks once more. ${consent}`];
    case 'too-many-lookups':
      return [html`Its DNS holds more than we look up for one server. ${consent}`];
    case 'vetoed':
      return [
        html`Probes of it are forbidden or paused. If an opt-out has paused them, <a href="/hosts/${hostId}/consent">its consent page</a> says until when, and you can lift the pause there.`,
      ];
    case 'forbidden-address':
      return [html`Its name leads to an address that nobody may audit, such as a private one. Mend its A and AAAA records.`];
    case 'control-refused':
      return [
        html`It refused even the control mailbox: postmaster at a served domain, unless you have named another. Let your server take mail for it, or <a href="/hosts/${hostId}/settings#controlMailbox">name another mailbox</a>. ${settings('Are the served domains right?')}`,
      ];
    case 'probably-banned':
    case 'policy-against-us':
      return [exempt('what bans or filters us')];
    case 'greylisted':
    case 'deferred':
    case 'dropped':
    case 'out-of-time':
      return [html`The next scan tries again. ${exempt('what greylists, limits or slows strangers')}`];
    case 'accepted-then-limited':
    case 'accepted-then-slow':
      return [
        html`Whether it relays is settled once a message of ours gets through to the final dot, or is refused there. ${exempt('what limits or slows strangers')}`,
      ];
    case 'not-carried-through':
      return [
        html`It let a recipient through that a closed server refuses, and then kept us from sending the message. The next scan tries again. ${exempt('what limits or slows strangers')}`,
      ];
    case 'fell-silent':
      return [
        html`It stopped answering partway: it is slow, or it has begun to ban us. The next scan tells which. ${exempt('ban tools and limits')}`,
      ];
    case 'always-deferred':
      return [
        html`It puts strangers’ mail off instead of refusing it, so they try again for days. Let it refuse for good: a reply that begins with 5, not with 4.`,
      ];
    case 'any-local-part':
      return [
        html`Let it refuse users that do not exist. Then its answers tell whether it relays, and nobody is sent bounces for mail that they never wrote.`,
      ];
    case 'tls-broken':
      return [html`Nobody can set up TLS with it: look at its certificate, key and versions of TLS, or stop offering STARTTLS.`];
    case 'no-recipient-reached':
      return [html`No sender of ours got as far as a recipient. ${exempt('checks of the sender')}`];
    case 'starttls-first':
    case 'tls-failed':
      return [html`Its TLS has to work before anything can be tested: look at its certificate, key and versions of TLS.`];
    default:
      return isSilence(reason) ? [html`${SILENCE[reason]} ${gone}`] : [];
  }
}

type Silence = keyof typeof SILENCE;

const WITHOUT_ANSWER = 'Does the server run, and does a firewall keep us out?';

const SILENCE = {
  'open-leg-silent': 'Let the address and port that was open answer again, so that it can be seen closed.',
  'no-address': 'Its name has no address in DNS.',
  'not-smtp': 'Is it the right port, and does the mail server run there?',
  'connection-refused': WITHOUT_ANSWER,
  'connection-timed-out': WITHOUT_ANSWER,
  'network-unreachable': WITHOUT_ANSWER,
  'no-greeting': WITHOUT_ANSWER,
  'closed-early': WITHOUT_ANSWER,
} as const satisfies Partial<Record<Reason, string>>;

function isSilence(reason: Reason): reason is Silence {
  return reason in SILENCE;
}
