import type { Notice } from '../domain/notice.ts';
import { FIRST_AID, remediesFor } from '../domain/remedies.ts';
import { printable } from '../domain/transcript.ts';
import { type Letter, type Mail, renderLetter, type Section } from './letter.ts';

const SIGNATURE = 'Relay Audit writes to you because you are an alert recipient of this host.';

// A letter of a notice before it is signed.
type Alert = Omit<Letter, 'signature'>;

/** The mail of a notice. `historyUrl` is where the scan history of the host can be read. */
export function renderNotice(notice: Notice, historyUrl: string): Mail {
  return renderLetter({ ...LETTERS[notice.to](notice, historyUrl), signature: SIGNATURE });
}

const LETTERS: Record<Notice['to'], (notice: Notice, historyUrl: string) => Alert> = {
  open: isRelay,
  suspected: answersAsRelay,
  closed: closedAgain,
};

function isRelay(notice: Notice, historyUrl: string): Alert {
  const { hostName, arrival } = notice;
  const sent =
    arrival === undefined
      ? `A message that we sent through ${hostName} as a stranger arrived at our mailbox.`
      : `A message that we sent through ${hostName} as a stranger at ${utc(arrival.sentAt)} arrived at our mailbox at ${utc(arrival.at)}.`;
  return {
    subject: `${hostName} is an open relay`,
    opening: `${sent} So it forwards mail from anyone to anyone, and spammers who find it can use it as we did.`,
    sections: [...remedySections(notice), ...waySections(notice), ...closingSections(notice, historyUrl)],
  };
}

function answersAsRelay(notice: Notice, historyUrl: string): Alert {
  const { hostName } = notice;
  const doubt = notice.acceptsEverything
    ? ' It accepted invented users of its own domain in the same way, so it may be a catch-all, a sink or a honeypot rather than a relay.'
    : '';
  const howFar = notice.messageAccepted
    ? 'It took a whole message of ours, to the final dot. The message has not come back to us, so whether it delivers such mail is not proven.'
    : 'It got no further than that, so whether it delivers such mail is not proven.';
  return {
    subject: `${hostName} answers as an open relay`,
    opening: `${hostName} accepted a recipient at a foreign domain from a stranger, in two scans one after the other. ${howFar}${doubt}`,
    sections: [...remedySections(notice), ...closingSections(notice, historyUrl)],
  };
}

function remedySections({ software }: Notice): Section[] {
  return [
    { heading: 'What to do now', lines: FIRST_AID },
    { heading: 'What closes it', lines: remediesFor(software) },
  ];
}

// By which address the message went in and by which it came out tells the owner where to look when they are not the same.
function waySections({ arrival }: Notice): Section[] {
  if (arrival === undefined) return [];
  const hops = arrival.path.map(({ from, address, by }) => {
    const sender = [...new Set([...(from === undefined ? [] : [from]), ...(address === undefined ? [] : [`[${address}]`])])];
    return `  from ${sender.join(' ') || 'unknown'} to ${by ?? 'unknown'}`;
  });
  const lines = [
    `Into the server by ${arrival.leg}.`,
    `Out of it by ${arrival.path[0]?.address ?? 'an address that was not written down'}, as our mailbox saw it.`,
    ...(hops.length === 0 ? [] : ['', 'Its Received headers, newest first:', ...hops]),
  ];
  return [{ heading: 'The way it took', lines: lines.map(printable), code: true }];
}

function closingSections(notice: Notice, historyUrl: string): Section[] {
  return [
    { heading: 'What we saw', lines: [`Scan ${notice.scanId}, started ${utc(notice.scannedAt)}.`, ...evidenceLines(notice)], code: true },
    { heading: 'History', lines: history(historyUrl) },
  ];
}

function closedAgain(notice: Notice, historyUrl: string): Alert {
  return {
    subject: `${notice.hostName} is closed again`,
    opening:
      `${notice.hostName} refused every foreign recipient that we tried, in two scans one after the other. ` +
      (notice.from === 'open' ? 'Before, it was an open relay.' : 'Before, it answered as an open relay.'),
    sections: [
      {
        heading: 'What is left to do',
        lines: [
          'Look through the outgoing queue and delete what is not yours before you release it.',
          'Check whether the address is on blocklists, and ask for its removal only now that it is closed.',
        ],
      },
      {
        heading: 'What this does not show',
        lines: [
          'Stolen passwords, web forms, forwarding rules, SMTP smuggling and VRFY/EXPN are not tested, nor is any port that is not registered with us.',
        ],
      },
      ...closingSections(notice, historyUrl),
    ],
  };
}

function evidenceLines(notice: Notice): string[] {
  const { evidence, envelopes } = notice;
  const lines = evidence.flatMap(({ leg, from, to, reply }, index) => [
    '',
    ...(leg === evidence[index - 1]?.leg ? [] : [leg]),
    `  MAIL FROM:${printable(from)}`,
    `  RCPT TO:${printable(to)}`,
    `  ${printable(reply)}`,
  ]);
  const more = envelopes - evidence.length;
  return more === 0 ? lines : [...lines, '', `and ${more} more like ${more === 1 ? 'it' : 'these'}; the history has all.`];
}

function history(historyUrl: string): string[] {
  return [historyUrl, 'Read it with your API key in the header Authorization: Bearer <key>.'];
}

function utc(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
