import type { HostNotice, Occasion } from '../domain/notice.ts';
import { provenState, REASONS, type Reason } from '../domain/reason.ts';
import type { Line } from './parts.ts';
import type { Unsigned } from './relay-letters.ts';
import { evidenceSection, linksSection, type NoticeLinks, pageOf, stepsSection } from './sections.ts';
import { isBad, newsOf, relayWords, span, utc } from './words.ts';

// Letters about a host that cannot be audited, and that can be again.

/** The letter that a host cannot be audited: nothing is known of it since. */
export function silentLetter(notice: HostNotice, occasion: Extract<Occasion, { kind: 'silent' }>, links: NoticeLinks): Unsigned {
  const { hostName, relay } = notice;
  const { scans, since, reason } = occasion;
  const before =
    relay === 'unknown'
      ? 'It has never been audited to the end.'
      : `When it was audited last, before that, it ${{ open: 'was an open relay', suspected: 'answered as an open relay', closed: 'was closed' }[relay]}.`;
  return {
    subject: newsOf(notice),
    label: REASONS[occasion.reason].verdict === 'unreachable' ? 'Unreachable' : 'Cannot be audited',
    tone: 'warning',
    opening: `${hostName} cannot be audited: ${scans} scheduled scans in a row, since ${utc(since)}, could not tell whether it relays. ${before}`,
    sections: [
      { heading: 'Why', lines: [REASONS[reason].sentence] },
      { heading: 'What to do now', lines: whatToDo(notice, reason, links) },
      {
        heading: 'What comes next',
        lines: ['Scans go on as scheduled. You are told once when it can be audited again, and hear no more of this until then.'],
      },
      ...evidenceSection(notice, links),
      linksSection(notice, links),
    ],
  };
}

/** The letter that a host can be audited again, with what is known of it now. */
export function backLetter(notice: HostNotice, { silentSince }: Extract<Occasion, { kind: 'back' }>, links: NoticeLinks): Unsigned {
  const { hostName, relay, owedAt } = notice;
  return {
    subject: newsOf(notice),
    label: 'Audited again',
    tone: relay === 'open' ? 'alarm' : relay === 'suspected' ? 'warning' : 'plain',
    opening: `${hostName} can be audited again, after ${span(owedAt - silentSince)} in which it could not. ${whatIsKnown(notice)}`,
    sections: [...(isBad(relay) ? [stepsSection(notice)] : []), ...evidenceSection(notice, links), linksSection(notice, links)],
  };
}

/** What is known of a host after a scan, which may have proven nothing, or what a second scan has yet to confirm. */
export function whatIsKnown({ relay, seen }: HostNotice): string {
  const proven = seen === undefined ? relay : provenState(REASONS[seen.reason].verdict);
  if (proven === relay) return `It ${relayWords(relay)}.`;
  const last = relay === 'unknown' ? '' : ` What was confirmed last is that it ${relayWords(relay)}.`;
  if (seen === undefined || proven === undefined) return `${seen === undefined ? '' : REASONS[seen.reason].sentence}${last}`;
  // A canary that has not come back does not make an open relay less of one.
  if (relay === 'open' && proven === 'suspected') return `It is an open relay as before: it still answers as one, and has not been closed.`;
  return `By this scan it ${relayWords(proven)}, which a second scan has to confirm.${last}`;
}

function whatToDo({ hostId }: HostNotice, reason: Reason, links: NoticeLinks): Line[] {
  const { egressAddresses } = links;
  const host = pageOf(links, hostId);
  const us = egressAddresses.length === 0 ? 'our address' : egressAddresses.join(' and ');
  const never =
    'Never put our address into mynetworks or any other list of clients that may relay: every scan would then find an open relay.';
  const gone: Line = `If it is gone for good, remove the host: ${host}/delete`;
  switch (reason) {
    case 'no-consent':
      return [`See which proof of your consent is missing, with the record to add: ${host}/consent`];
    case 'dns-trouble':
      return [`See which question to DNS fails, and have the name servers of that zone answer it: ${host}/consent`];
    case 'too-many-lookups':
      return [`See which address has more names in reverse DNS than we look up, and have them removed: ${host}/consent`];
    case 'vetoed':
      return [
        `See what forbids the scans: a TXT record in DNS, a request to stop that somebody made, or the operator of Relay Audit: ${host}/consent`,
        gone,
      ];
    case 'probably-banned':
      return [`Exempt ${us} in your ban tool, such as by ignoreip of fail2ban.`, never];
    case 'policy-against-us':
      return [`Let ${us} through what refuses it: a blocklist, a reputation or geography filter, a firewall that answers SMTP.`, never];
    case 'control-refused':
      return [
        `It refused even the control mailbox: postmaster at a served domain, unless you have named another. Look at the served domains, and name another mailbox if it has no postmaster: ${host}/settings#controlMailbox`,
      ];
    case 'forbidden-address':
      return ['Its name leads to an address that is not public. Correct its DNS, or register the host by its public name.', gone];
    case 'no-ipv6-here':
      return [
        'It has IPv6 addresses only, which this Relay Audit cannot reach. Give it an IPv4 address, or have it audited elsewhere.',
        gone,
      ];
    case 'no-address':
      return ['Its name has neither an A nor an AAAA record. Correct its DNS.', gone];
    case 'no-greeting':
    case 'not-smtp':
    case 'closed-early':
      return [
        `Something answers there, but not as a mail server. See whether the mail service runs behind it, and whether a proxy or a filter keeps out ${us}.`,
        gone,
      ];
    default:
      return [`See whether the server runs, and whether a firewall keeps out ${us} while it lets others in.`, gone];
  }
}
