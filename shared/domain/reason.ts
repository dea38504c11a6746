export const VERDICTS = ['open', 'suspected', 'inconclusive', 'untestable', 'unreachable', 'closed'] as const;

/** What the evidence of a scan proves. */
export type Verdict = (typeof VERDICTS)[number];

/**
 * Why a scan has its verdict: a closed list, one sentence each. `fault` says whose trouble an `untestable` is: ours
 * alarms the operator and never counts against the owner. A family that the deployment leaves out is nobody's.
 */
export const REASONS = {
  'canary-arrived': { verdict: 'open', sentence: 'A message that we sent through it as a stranger arrived at our mailbox.' },
  'message-accepted': {
    verdict: 'suspected',
    sentence: 'It accepted a message to a foreign domain from a stranger, to the final dot. The message has not come back to us.',
  },
  'recipient-accepted': { verdict: 'suspected', sentence: 'It accepted a recipient at a foreign domain from a stranger.' },
  'accepts-everything': {
    verdict: 'suspected',
    sentence: 'It accepted a recipient at a foreign domain from a stranger, and invented local users too: it may be a sink or a honeypot.',
  },
  'accepted-then-limited': {
    verdict: 'suspected',
    sentence:
      'It accepted a recipient at a foreign domain from a stranger. It put us off or cut us off each time we tried to send a message that way, so whether it delivers such mail is not known.',
  },
  'accepted-then-slow': {
    verdict: 'suspected',
    sentence:
      'It accepted a recipient at a foreign domain from a stranger. It answers so slowly that we could not send a message that way in all our sittings, so whether it delivers such mail is not known.',
  },
  'catch-all': {
    verdict: 'closed',
    sentence:
      'It refused every foreign recipient. It takes any local part at its own domains, and none of the messages that we sent that way came back.',
  },
  'always-deferred': {
    verdict: 'closed',
    sentence:
      'It put off every foreign recipient with a temporary error in all our sittings, while it took mail for its own: it does not relay.',
  },
  'all-refused': { verdict: 'closed', sentence: 'It refused every foreign recipient that we tried.' },
  'authentication-required': { verdict: 'closed', sentence: 'It takes no mail at all without authentication.' },
  'not-carried-through': {
    verdict: 'inconclusive',
    sentence:
      'It accepted a recipient that a closed server refuses. We have not been able to send a message that way yet, and will try again.',
  },
  'awaiting-messages': {
    verdict: 'inconclusive',
    sentence:
      'It refused every foreign recipient, and takes any local part at its own domains. We sent messages that way, and are waiting to see whether any comes back.',
  },
  'any-local-part': {
    verdict: 'inconclusive',
    sentence:
      'It refused every foreign recipient, and takes any local part at its own domains. Only a message that comes back would show that it relays, and none was sent.',
  },
  'fell-silent': { verdict: 'inconclusive', sentence: 'It fell silent after refusing some of our tests.' },
  greylisted: { verdict: 'inconclusive', sentence: 'It greylists us; some tests could not be completed.' },
  deferred: { verdict: 'inconclusive', sentence: 'It put off some tests with a temporary error.' },
  dropped: { verdict: 'inconclusive', sentence: 'It ended our sessions before every test was done.' },
  'out-of-time': { verdict: 'inconclusive', sentence: 'It answers so slowly that our time was over before every test was done.' },
  'starttls-first': { verdict: 'inconclusive', sentence: 'It talks only after STARTTLS, which it did not offer or which failed.' },
  'starttls-required': { verdict: 'closed', sentence: 'It takes no mail before STARTTLS; the tests were made after it.' },
  'tls-failed': { verdict: 'inconclusive', sentence: 'TLS could not be set up with it, so nothing was tested inside.' },
  'no-recipient-reached': {
    verdict: 'inconclusive',
    sentence: 'It refused every sender we tried, so no recipient could be tested.',
  },
  'open-leg-silent': {
    verdict: 'inconclusive',
    sentence:
      'An address and port that last answered as an open relay gave no answer this time, so nothing shows that it is closed. If it is gone for good, register the host anew.',
  },
  'no-consent': {
    verdict: 'untestable',
    fault: 'theirs',
    sentence: 'No consent: nothing shows that this address is yours to audit, so nothing was tested.',
  },
  vetoed: {
    verdict: 'untestable',
    fault: 'theirs',
    sentence:
      'Probes of this name or address are forbidden or paused: by a record in DNS, by an opt-out, which anybody may ask for, or by the operator. Nothing is sent while that holds.',
  },
  'too-many-lookups': {
    verdict: 'untestable',
    fault: 'theirs',
    sentence:
      'Its DNS holds more names and addresses than we look up for one server, so a veto among them may go unseen. No packet was sent.',
  },
  'forbidden-address': {
    verdict: 'untestable',
    fault: 'theirs',
    sentence: 'It is, or its name leads to, an address that nobody may audit. No packet was sent.',
  },
  'policy-against-us': {
    verdict: 'untestable',
    fault: 'theirs',
    sentence: 'It refuses our address, so its answers say nothing of relaying.',
  },
  'control-refused': {
    verdict: 'untestable',
    fault: 'theirs',
    sentence:
      'It refused even the control mailbox (postmaster at a served domain, unless another is named), so its refusals say nothing of relaying. Are the served domains right, and does it have that mailbox?',
  },
  'probably-banned': {
    verdict: 'untestable',
    fault: 'theirs',
    sentence:
      'It fell silent after refusing our tests: probably a ban tool such as fail2ban. Exempt our address there (ignoreip), never in the relay rules.',
  },
  'dns-trouble': {
    verdict: 'untestable',
    fault: 'ours',
    sentence: 'DNS does not answer a question that we ask before every scan, so nothing was sent.',
  },
  'egress-blocked': { verdict: 'untestable', fault: 'ours', sentence: 'Our own way out on port 25 is blocked.' },
  'address-busy': {
    verdict: 'untestable',
    fault: 'ours',
    sentence: 'The address was scanned only just now; this scan waits for its turn.',
  },
  'internal-error': { verdict: 'untestable', fault: 'ours', sentence: 'Something went wrong on our side.' },
  'no-ipv6-here': {
    verdict: 'untestable',
    sentence: 'This deployment has no way out over IPv6, so this address is not tested.',
  },
  'tls-broken': {
    verdict: 'unreachable',
    sentence: 'It offers TLS, and no version or cipher of it can be set up, so nobody gets in this way.',
  },
  'no-address': { verdict: 'unreachable', sentence: 'Its name has no address.' },
  'connection-refused': { verdict: 'unreachable', sentence: 'It refused the connection.' },
  'connection-timed-out': { verdict: 'unreachable', sentence: 'Nothing answered before the time-out.' },
  'network-unreachable': { verdict: 'unreachable', sentence: 'There is no route to it.' },
  'no-greeting': { verdict: 'unreachable', sentence: 'It took the connection and sent no SMTP greeting.' },
  'not-smtp': { verdict: 'unreachable', sentence: 'What answers there does not speak SMTP.' },
  'closed-early': { verdict: 'unreachable', sentence: 'It closed the connection before greeting us.' },
} as const satisfies Record<string, { verdict: Verdict; sentence: string; fault?: 'ours' | 'theirs' }>;

export type Reason = keyof typeof REASONS;

/** How much of the plan was completed: `completed` of `planned` relay tests. */
export type Counts = { readonly completed: number; readonly planned: number };

/** A reason with the verdict that it is of, and how much of the plan was completed. */
export type Judgement = Counts & { [R in Reason]: { readonly reason: R; readonly verdict: (typeof REASONS)[R]['verdict'] } }[Reason];

/** The judgement of a reason. */
export function judged(reason: Reason, { completed, planned }: Counts): Judgement {
  return { verdict: REASONS[reason].verdict, reason, completed, planned } as Judgement;
}

/** The relay state that a verdict proves; undefined when it proves none, and the state stays what it was. */
export function provenState(verdict: Verdict): RelayState | undefined {
  return RELAY_STATES.find((state) => state === verdict);
}

export const RELAY_STATES = ['open', 'suspected', 'closed'] as const satisfies readonly Verdict[];

/** What scans have proven of a host. */
export type RelayState = (typeof RELAY_STATES)[number];

/** The same, with what is said of a host of which nothing is proven yet. */
export const KNOWN_STATES = [...RELAY_STATES, 'unknown'] as const;

export type KnownState = (typeof KNOWN_STATES)[number];

/** Whether the trouble is on our side: the scan is then no result, and stays owed. */
export function isOurs(reason: Reason): boolean {
  const entry = REASONS[reason];
  return 'fault' in entry && entry.fault === 'ours';
}

/** A judgement that no test stands behind, such as a missing consent. */
export function untested(reason: Reason): Judgement {
  return judged(reason, { completed: 0, planned: 0 });
}
