import type { DnsFailure } from '../domain/consent.ts';
import { failureSentence, isReverse } from '../domain/dns-failure.ts';
import type { HostNotice, Occasion } from '../domain/notice.ts';
import { REASONS } from '../domain/reason.ts';
import type { Line } from './parts.ts';
import type { Unsigned } from './relay-letters.ts';
import { evidenceSection, linksSection, type NoticeLinks, pageOf, stepsSection } from './sections.ts';
import { whatIsKnown } from './silence-letters.ts';
import { isBad, newsOf, span, utc } from './words.ts';

// Letters about a host whose scan waits, or has waited, for DNS.

/** The letter that the first scan, which had waited for consent, has been made. */
export function provenLetter(notice: HostNotice, { since }: Extract<Occasion, { kind: 'proven' }>, links: NoticeLinks): Unsigned {
  const { hostName, relay, owedAt } = notice;
  return {
    subject: newsOf(notice),
    label: 'First scan',
    tone: isBad(relay) ? 'warning' : 'plain',
    opening: `DNS shows that ${hostName} is yours, and we have scanned it for the first time. We had been looking since ${utc(since)}, ${span(owedAt - since)} ago. ${whatIsKnown(notice)}`,
    sections: [
      ...(isBad(relay) ? [stepsSection(notice)] : []),
      {
        heading: 'What comes next',
        lines: [
          'We scan it on schedule from now on, and write to you when something changes. Leave the records in DNS: we check them before every scan.',
        ],
      },
      ...evidenceSection(notice, links),
      linksSection(notice, links),
    ],
  };
}

/** The letter that we have stopped waiting for consent. */
export function gaveUpLetter(notice: HostNotice, occasion: Extract<Occasion, { kind: 'gave-up' }>, links: NoticeLinks): Unsigned {
  const { hostName, hostId, owedAt } = notice;
  const { reason, since } = occasion;
  const host = pageOf(links, hostId);
  return {
    subject: newsOf(notice),
    label: 'Not audited',
    tone: 'warning',
    opening: `${hostName} was registered ${span(owedAt - since)} ago and has never been scanned: DNS has not let us. We have stopped looking every day.`,
    sections: [
      { heading: 'Why', lines: [REASONS[reason].sentence] },
      {
        heading: 'What to do now',
        lines: [
          `See what is missing, with the record to add, and press "Look again" when you have added it: ${host}/consent`,
          `If you do not want it audited, remove the host: ${host}/delete`,
        ],
      },
      {
        heading: 'What comes next',
        lines: ['Each scheduled scan looks once more. You are told when one gets through, and hear no more of this until then.'],
      },
      linksSection(notice, links),
    ],
  };
}

/** The letter that DNS fails for a host, with the question that fails and how to fix it. */
export function dnsTroubleLetter(notice: HostNotice, occasion: Extract<Occasion, { kind: 'dns-trouble' }>, links: NoticeLinks): Unsigned {
  const { hostName, hostId } = notice;
  const { since, failure } = occasion;
  return {
    subject: newsOf(notice),
    label: 'DNS fails',
    tone: 'warning',
    opening: `${hostName} cannot be audited: a question to DNS that we ask before every scan has failed since ${utc(since)}, at every look. Until it is answered we send nothing to your server, since a record that forbids us may hide behind the failure.`,
    sections: [
      { heading: 'What fails', lines: [failure === undefined ? REASONS['dns-trouble'].sentence : failureSentence(failure)] },
      {
        heading: 'What to do now',
        lines: [
          ...mends(failure),
          `See what we ask and what comes, and press "Look again" when it is fixed: ${pageOf(links, hostId)}/consent`,
        ],
      },
      {
        heading: 'What comes next',
        lines: ['We go on looking by ourselves. You are told when the host can be audited again, and hear no more of this until then.'],
      },
      linksSection(notice, links),
    ],
  };
}

// "There is no such record" is an answer too: none of these questions needs a record.
function mends(failure: DnsFailure | undefined): Line[] {
  if (failure === undefined) return ['Have the name servers of your zones checked: one of them does not answer.'];
  if (isReverse(failure))
    return [
      'This name lies in the reverse zone of the address, which is kept by whoever gave you the address: most often your provider. Send them the lines above, and ask them to have their name servers answer. "There is no such record" is answer enough.',
      'If the zone was handed over to you, look whether all its name servers still serve it.',
    ];
  if (failure.type === 'A' || failure.type === 'AAAA')
    return [
      'Look whether all name servers of this zone serve it, and have them answer for A and for AAAA. "There is no such record" is answer enough.',
      'If the name comes from a PTR record that you no longer need, have that record removed.',
    ];
  return [
    'Look whether all name servers of this zone serve it, and whether a CNAME, a wildcard among them, or a delegation leads from this name to a zone that is gone: remove it. "There is no such record" is answer enough.',
    'If the name comes from a PTR record that you no longer need, have that record removed.',
  ];
}
