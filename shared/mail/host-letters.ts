import type { HostNotice, NewsOfHost, Occasion } from '../domain/notice.ts';
import { REASONS, type Reason } from '../domain/reason.ts';
import type { Line } from './letter.ts';
import type { Unsigned } from './relay-letters.ts';
import { evidenceSection, linksSection, type NoticeLinks, span, utc } from './sections.ts';

// Letters about a host that cannot be audited, or turns too often, and about several hosts at once.

/** The letter that a host cannot be audited: nothing is known of it since. */
export function silentLetter(notice: HostNotice, occasion: Extract<Occasion, { kind: 'silent' }>, links: NoticeLinks): Unsigned {
  const { hostName, relay } = notice;
  const before =
    relay === 'open' || relay === 'suspected'
      ? ` When it was audited last, it ${relay === 'open' ? 'was' : 'answered as'} an open relay.`
      : '';
  return {
    subject: `${hostName} cannot be audited`,
    label: occasion.verdict === 'unreachable' ? 'Unreachable' : 'Cannot be audited',
    tone: 'warning',
    opening: `${occasion.scans} scheduled scans in a row, since ${utc(occasion.since)}, could not tell whether ${hostName} relays: ${sentenceOf(occasion.reason)}${before} Whether it is closed now, nobody can say.`,
    sections: [
      { heading: 'What to do now', lines: whatToDo(notice, occasion.reason, links) },
      {
        heading: 'What comes next',
        lines: ['Scans go on as scheduled. You are told once when it can be audited again, and hear no more of this until then.'],
      },
      ...evidenceSection(notice, links),
      linksSection(notice, links),
    ],
  };
}

/** The letter that a host can be audited again. */
export function backLetter(notice: HostNotice, { silentSince }: Extract<Occasion, { kind: 'back' }>, links: NoticeLinks): Unsigned {
  const { hostName, relay, owedAt } = notice;
  return {
    subject: `${hostName} can be audited again`,
    label: 'Audited again',
    tone: relay === 'open' || relay === 'suspected' ? 'warning' : 'plain',
    opening: `${hostName} answers again, after ${span(owedAt - silentSince)} in which it could not be audited. It ${wordsOf(relay)}.`,
    sections: [...evidenceSection(notice, links), linksSection(notice, links)],
  };
}

/** The letter that tells together what changed too often to be told one by one. */
export function digestLetter(notice: HostNotice, { changes, from }: Extract<Occasion, { kind: 'digest' }>, links: NoticeLinks): Unsigned {
  const { hostName, relay, since, owedAt } = notice;
  const now = since === undefined ? '' : ` since ${utc(since)}`;
  return {
    subject: `${hostName} keeps changing: it ${wordsOf(relay)}`,
    label: 'Keeps changing',
    tone: relay === 'closed' ? 'warning' : 'alarm',
    opening: `The relay state of ${hostName} changed ${changes === 1 ? 'once' : `${changes} times`} in the ${span(owedAt - from)} since ${utc(from)}. It ${wordsOf(relay)}${now}.`,
    sections: [
      {
        heading: 'What to do now',
        lines: [
          'Look for what switches it: several servers behind one address of which some relay, a configuration that is written anew by a tool, a firewall that comes and goes.',
          'Treat it as an open relay until you have found it: whoever comes at the right moment can send through it.',
        ],
      },
      {
        heading: 'What comes next',
        lines: [
          'While it goes on you get one such mail a day, in the place of one for each change. Each change is in the history at once.',
        ],
      },
      ...evidenceSection(notice, links),
      linksSection(notice, links),
    ],
  };
}

/** The letter about several hosts whose alerts came within minutes. */
export function groupLetter(hosts: readonly NewsOfHost[], links: NoticeLinks): Unsigned {
  const bad = hosts.filter(({ relay }) => relay === 'open' || relay === 'suspected').length;
  const [only] = hosts;
  const many = `${hosts.length} of your hosts`;
  const some = bad === 0 ? 'none of them open' : `${bad} of them open or suspected`;
  return {
    subject: hosts.length === 1 && only !== undefined ? newsOf(only) : `News of ${many}: ${some}`,
    label: bad === 0 ? 'Several hosts' : 'Several hosts, some of them open',
    tone: bad === 0 ? 'plain' : 'alarm',
    opening: `Within minutes of an alert that went to you by itself there was news of ${hosts.length === 1 ? 'another host' : `${hosts.length} other hosts`} of the same account. Where many servers turn at once, look first at what they have in common: a configuration tool, a firewall, a load balancer.`,
    sections: [
      {
        heading: 'What is new',
        lines: hosts.map((host) => ({
          text: `${newsOf(host)}${host.since === undefined ? '' : ` (since ${utc(host.since)})`}`,
          code: [`curl -H "Authorization: Bearer KEY" ${links.siteUrl}/v1/hosts/${host.hostId}/scans`],
        })),
      },
      {
        heading: 'What to do now',
        lines: [
          'For each that is open or suspected: stop SMTP from outside, hold its queue, close it, and look through the queue before you release it.',
          'The history of each host, under the commands above, has the evidence and what closes its software.',
        ],
      },
    ],
  };
}

function newsOf({ hostName, occasion, relay }: NewsOfHost): string {
  if (occasion.kind === 'silent') return `${hostName} cannot be audited`;
  if (occasion.kind === 'back') return `${hostName} can be audited again; it ${wordsOf(relay)}`;
  if (occasion.kind === 'digest') return `${hostName} keeps changing; it ${wordsOf(relay)}`;
  const still = occasion.kind === 'reminder' ? ' still' : '';
  if (relay === 'open') return `${hostName} is${still} an open relay`;
  if (relay === 'suspected') return `${hostName}${still} answers as an open relay`;
  return `${hostName} is closed${occasion.kind === 'change' ? ' again' : ''}`;
}

function wordsOf(relay: NewsOfHost['relay']): string {
  if (relay === 'open') return 'is an open relay';
  if (relay === 'suspected') return 'answers as an open relay';
  return relay === 'closed' ? 'is closed' : 'has not been proven open or closed';
}

function sentenceOf(reason: Reason): string {
  const { sentence } = REASONS[reason];
  return `${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}`;
}

function whatToDo({ hostId }: HostNotice, reason: Reason, { siteUrl, egressAddresses }: NoticeLinks): Line[] {
  const exempt = egressAddresses.length === 0 ? 'our address' : egressAddresses.join(' and ');
  switch (reason) {
    case 'no-consent':
    case 'vetoed':
      return [
        {
          text: 'See which proof of consent is missing, or what forbids the scans; the answer holds the record to add:',
          code: [`curl -H "Authorization: Bearer KEY" ${siteUrl}/v1/hosts/${hostId}/consent`],
        },
      ];
    case 'probably-banned':
    case 'policy-against-us':
      return [
        `Exempt ${exempt} in your ban tool (ignoreip) and blocklist rules.`,
        'Never put it into mynetworks or any other list of clients that may relay: every scan would then find an open relay.',
      ];
    case 'control-refused':
      return [
        'Look at the served domains of the host: it refused even the postmaster of one. Correct them by PATCH, or let postmaster be reached.',
      ];
    case 'forbidden-address':
      return ['Its name leads to an address that is not public. Correct its DNS, or register the host by its public name.'];
    default:
      return [
        'See whether the server runs and whether a firewall keeps us out while it lets others in.',
        `If it is gone for good, remove the host: DELETE ${siteUrl}/v1/hosts/${hostId}`,
      ];
  }
}
