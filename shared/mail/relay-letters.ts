import type { HostNotice, Occasion } from '../domain/notice.ts';
import type { Letter } from './letter.ts';
import { evidenceSection, linksSection, type NoticeLinks, span, stepsSection, utc } from './sections.ts';

// Letters about what a host's relay state is, or has become.

/** A letter before it is signed. */
export type Unsigned = Omit<Letter, 'signature' | 'unsubscribeUrl'>;

/** The letter of a confirmed change: that it is open, answers as an open relay, or is closed again. */
export function changeLetter(notice: HostNotice, occasion: Extract<Occasion, { kind: 'change' }>, links: NoticeLinks): Unsigned {
  if (occasion.to === 'closed') return closedAgain(notice, occasion, links);
  const sections = [stepsSection(notice), ...evidenceSection(notice, links), linksSection(notice, links)];
  if (occasion.to === 'open') return { ...openHead(notice, `${notice.hostName} is an open relay`), sections };
  const known = occasion.from === 'suspected' ? 'You have told us that it is a sink that accepts everything. It no longer does. ' : '';
  return {
    ...suspectedHead(notice, `${notice.hostName} answers as an open relay`, known),
    sections: [...sinkSections(notice, links), ...sections],
  };
}

/** The letter that reminds of a state that stands. */
export function reminderLetter(notice: HostNotice, { count }: Extract<Occasion, { kind: 'reminder' }>, links: NoticeLinks): Unsigned {
  const { hostName, relay, since, owedAt, hostId } = notice;
  const long = since === undefined ? '' : ` for ${span(owedAt - since)}`;
  const sections = [
    ...(relay === 'suspected' ? sinkSections(notice, links) : []),
    stepsSection(notice),
    ...evidenceSection(notice, links),
    {
      heading: 'No more reminders',
      lines: [
        {
          text: `This is reminder ${count}. They come after 1, 7 and then every 30 days, until it is closed. To switch them off:`,
          code: [
            `curl -X PATCH -H "Authorization: Bearer KEY" -H "Content-Type: application/json" -d '{"reminders":false}' ${links.siteUrl}/v1/hosts/${hostId}`,
          ],
        },
      ],
    },
    linksSection(notice, links),
  ];
  if (relay !== 'open') return { ...suspectedHead(notice, `${hostName} still answers as an open relay`, `It has${long}. `), sections };
  const head = openHead(notice, `${hostName} is still an open relay`);
  const opening =
    notice.seen?.arrival === undefined
      ? `A message that we sent through ${hostName} as a stranger came back to us${since === undefined ? '' : ` on ${utc(since)}`}, and it still answers as it did then. So it has been an open relay${long}.`
      : `${head.opening} It has been an open relay${long}.`;
  return { ...head, opening, sections };
}

function openHead({ hostName, seen }: HostNotice, subject: string) {
  const arrival = seen?.arrival;
  const sent =
    arrival === undefined
      ? `A message that we sent through ${hostName} as a stranger arrived at our mailbox.`
      : `A message that we sent through ${hostName} as a stranger at ${utc(arrival.sentAt)} arrived at our mailbox at ${utc(arrival.at)}.`;
  const opening = `${sent} So it forwards mail from anyone to anyone, and spammers who find it can use it as we did.`;
  return { subject, label: 'Open relay', tone: 'alarm', opening } as const;
}

function suspectedHead({ hostName, seen }: HostNotice, subject: string, before: string) {
  const doubt =
    seen?.reason === 'accepts-everything'
      ? ' It accepted invented users of its own domain in the same way, so it may be a catch-all, a sink or a honeypot rather than a relay.'
      : '';
  const howFar =
    seen?.messageAccepted === true
      ? 'It took a whole message of ours, to the final dot. The message has not come back to us, so whether it delivers such mail is not proven.'
      : 'It got no further than that, so whether it delivers such mail is not proven.';
  const opening = `${before}${hostName} accepted a recipient at a foreign domain from a stranger. ${howFar}${doubt}`;
  return { subject, label: 'Answers as an open relay', tone: 'warning', opening } as const;
}

function sinkSections({ seen, hostId }: HostNotice, { siteUrl }: NoticeLinks): Letter['sections'][number][] {
  if (seen?.reason !== 'accepts-everything') return [];
  const acknowledge = `curl -X POST -H "Authorization: Bearer KEY" ${siteUrl}/v1/hosts/${hostId}/acknowledge`;
  return [
    {
      heading: 'If it is a sink on purpose',
      lines: [
        {
          text: 'A mail sink or a honeypot that delivers nothing is no danger. Tell us that you know of it, and we are quiet until that changes:',
          code: [acknowledge],
        },
      ],
    },
  ];
}

function closedAgain(notice: HostNotice, { from }: Extract<Occasion, { kind: 'change' }>, links: NoticeLinks): Unsigned {
  const { hostName } = notice;
  return {
    subject: `${hostName} is closed again`,
    label: 'Closed',
    tone: 'good',
    opening: `${hostName} refused every foreign recipient that we tried, in two scans one after the other. Before, it ${from === 'open' ? 'was' : 'answered as'} an open relay.`,
    sections: [
      {
        heading: 'What is left to do',
        lines: [
          'Look through the outgoing queue and delete what is not yours before you release it.',
          'Check whether its address is on blocklists (Spamhaus, Barracuda, SpamCop), and ask for its removal only now that it is closed.',
        ],
      },
      {
        heading: 'What this does not show',
        lines: [
          'Stolen passwords, web forms, forwarding rules, SMTP smuggling and VRFY/EXPN are not tested, nor is any port that is not registered with us.',
        ],
      },
      ...evidenceSection(notice, links),
      linksSection(notice, links),
    ],
  };
}
