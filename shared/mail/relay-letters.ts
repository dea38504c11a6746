import { holeSentence } from '../domain/hole.ts';
import type { HostNotice, Occasion, Seen } from '../domain/notice.ts';
import { REASONS } from '../domain/reason.ts';
import type { Letter, Section } from './parts.ts';
import { blocklistsStep, evidenceSection, linksSection, type NoticeLinks, pageOf, stepsSection } from './sections.ts';
import { continued, isBad, newsOf, relayWords, span, utc } from './words.ts';

// Letters about what a host's relay state is, or has become.

/** A letter before it is signed. */
export type Unsigned = Omit<Letter, 'signature' | 'unsubscribeUrl'>;

/** The letter of a confirmed change: that it is open, answers as an open relay, or is closed again. */
export function changeLetter(notice: HostNotice, occasion: Extract<Occasion, { kind: 'change' }>, links: NoticeLinks): Unsigned {
  if (occasion.to === 'closed') return closedAgain(notice, occasion, links);
  const sections = badSections(notice, links);
  if (occasion.to === 'open') return { ...openHead(notice), sections: [...sections, linksSection(notice, links)] };
  const known =
    occasion.from === 'suspected'
      ? ' You have told us that you know it as a sink that accepts everything. It no longer accepts everything.'
      : '';
  const head = suspectedHead(notice);
  return { ...head, opening: `${head.opening}${known}`, sections: [...sections, linksSection(notice, links)] };
}

/** The letter that reminds of a state that stands. */
export function reminderLetter(notice: HostNotice, { count }: Extract<Occasion, { kind: 'reminder' }>, links: NoticeLinks): Unsigned {
  const { relay, since, owedAt, hostId } = notice;
  const head = relay === 'open' ? openHead(notice) : suspectedHead(notice);
  const long = since === undefined ? '' : ` It has been so for ${span(owedAt - since)}, since ${utc(since)}.`;
  return {
    ...head,
    opening: `${head.opening}${long}`,
    sections: [
      ...badSections(notice, links),
      {
        heading: 'No more reminders',
        lines: [
          `This is reminder ${count}. They come after 1, 7 and then every 30 days while nothing changes, for about a year. To switch them off: ${pageOf(links, hostId)}/settings`,
        ],
      },
      linksSection(notice, links),
    ],
  };
}

/** The letter that tells together what changed too often to be told one by one. */
export function digestLetter(notice: HostNotice, { changes, from }: Extract<Occasion, { kind: 'digest' }>, links: NoticeLinks): Unsigned {
  const { hostName, relay, since, owedAt } = notice;
  const times = changes === 1 ? 'once more' : `${changes} times`;
  const why: Section = {
    heading: 'Why it may change',
    lines: [
      'Several servers behind one address or name, of which some relay; a tool that writes the configuration anew; a firewall that comes and goes.',
      'Take it for an open relay until you have found out: whoever comes at the right moment can send through it.',
    ],
  };
  return {
    subject: newsOf(notice),
    label: 'Keeps changing',
    tone: relay === 'open' ? 'alarm' : 'warning',
    opening: `${hostName} ${relayWords(relay)} at the moment${since === undefined ? '' : `, since ${utc(since)}`}. But it keeps changing: ${times} in the ${span(owedAt - from)} since ${utc(from)}.`,
    sections: [
      ...(isBad(relay) ? [stepsSection(notice), why] : [{ ...why, heading: 'What to do now: find out why it changes' }]),
      {
        heading: 'What comes next',
        lines: [
          'While this goes on you get one such mail a day, in the place of one for each change. The history has each change at once.',
        ],
      },
      ...evidenceSection(notice, links),
      linksSection(notice, links),
    ],
  };
}

// Open only by a message that came back: that of the scan, or, as in a reminder, one that came back before.
function openHead(notice: HostNotice) {
  const { hostName, seen, occasion } = notice;
  const still = occasion.kind === 'reminder' ? ' still' : '';
  const at = seen?.arrival === undefined ? ', and it has not been closed since.' : ` at ${utc(seen.arrival.at)}.`;
  const proof = `a message that we sent through it as a stranger arrived at our mailbox${at}`;
  return {
    subject: newsOf(notice),
    label: 'Open relay',
    tone: 'alarm',
    opening: `${hostName} is${still} an open relay: ${proof}${holeOf(seen)} Spammers who find it can send through it in the same way, in your name.`,
  } as const;
}

function suspectedHead(notice: HostNotice) {
  const { hostName, seen, occasion } = notice;
  const still = occasion.kind === 'reminder' ? ' still' : '';
  return {
    subject: newsOf(notice),
    label: 'Answers as an open relay',
    tone: 'warning',
    opening: `${hostName}${still} answers as an open relay: ${howFar(seen)}${holeOf(seen)}${doubtOf(seen)}`,
  } as const;
}

function holeOf(seen: Seen | undefined): string {
  return seen?.hole === undefined ? '' : ` ${holeSentence(seen.hole)}`;
}

function howFar(seen: Seen | undefined): string {
  if (seen?.reason === 'accepted-then-limited' || seen?.reason === 'accepted-then-slow') return continued(REASONS[seen.reason].sentence);
  if (seen?.messageAccepted === true)
    return 'it took a message to a foreign domain from a stranger, to the final dot. The message has not come back to us, so whether it delivers such mail is not proven.';
  const recipient = 'it accepted a recipient at a foreign domain from a stranger.';
  return seen === undefined
    ? `${recipient} Whether it delivers such mail is not proven.`
    : `${recipient} We got no further than that, so whether it delivers such mail is not proven.`;
}

function doubtOf(seen: Seen | undefined): string {
  return seen?.reason === 'accepts-everything'
    ? ' It accepts invented users of a domain of its own too, so it may be a sink or a honeypot rather than a relay.'
    : '';
}

/** What follows the verdict that a host is, or may be, open: what to do, and what was seen. */
function badSections(notice: HostNotice, links: NoticeLinks): Section[] {
  return [...sinkSections(notice, links), stepsSection(notice), ...evidenceSection(notice, links)];
}

// Before the steps, because the owner of an intended sink needs none of them.
function sinkSections({ seen, relay, hostId }: HostNotice, links: NoticeLinks): Section[] {
  if (seen?.reason !== 'accepts-everything' || relay !== 'suspected') return [];
  return [
    {
      heading: 'If it is a sink on purpose',
      lines: [
        `A mail sink or a honeypot that delivers nothing is no danger. Acknowledge it on its page, and we are quiet until that changes: ${pageOf(links, hostId)}`,
      ],
    },
  ];
}

function closedAgain(notice: HostNotice, { from }: Extract<Occasion, { kind: 'change' }>, links: NoticeLinks): Unsigned {
  const { hostName, seen } = notice;
  const what =
    seen !== undefined && REASONS[seen.reason].verdict === 'closed'
      ? continued(REASONS[seen.reason].sentence)
      : continued(REASONS['all-refused'].sentence);
  const before = isBad(from) ? ` Before, it ${from === 'open' ? 'was' : 'answered as'} an open relay.` : '';
  return {
    subject: newsOf(notice),
    label: 'Closed',
    tone: 'good',
    opening: `${hostName} is closed again: ${what} Two scans, one after the other, agree.${before}`,
    sections: [
      {
        heading: 'What is left to do',
        lines: ['Look through the outgoing queue, and delete what is not yours before you release it.', blocklistsStep(undefined)],
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
