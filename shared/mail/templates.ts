import type { Notice } from '../domain/notice.ts';
import { FIRST_AID, remediesFor } from '../domain/remedies.ts';
import { printable } from '../domain/transcript.ts';

/** A mail to one recipient, without its envelope. */
export type Mail = { readonly subject: string; readonly text: string; readonly html: string };

// A mail before it is rendered: the text and the HTML say the same things in the same order.
type Section = { readonly heading: string; readonly lines: readonly string[]; readonly code?: boolean };
type Letter = { readonly subject: string; readonly verdict: string; readonly sections: readonly Section[] };

/** The mail of a notice. `historyUrl` is where the scan history of the host can be read. */
export function renderNotice(notice: Notice, historyUrl: string): Mail {
  const letter = LETTERS[notice.to](notice, historyUrl);
  return { subject: letter.subject, text: asText(letter), html: asHtml(letter) };
}

const LETTERS: Record<Notice['to'], (notice: Notice, historyUrl: string) => Letter> = {
  open: isRelay,
  suspected: answersAsRelay,
  closed: closedAgain,
};

function isRelay(notice: Notice, historyUrl: string): Letter {
  const { hostName, arrival } = notice;
  const sent =
    arrival === undefined
      ? `A message that we sent through ${hostName} as a stranger arrived at our mailbox.`
      : `A message that we sent through ${hostName} as a stranger at ${utc(arrival.sentAt)} arrived at our mailbox at ${utc(arrival.at)}.`;
  return {
    subject: `${hostName} is an open relay`,
    verdict: `${sent} So it forwards mail from anyone to anyone, and spammers who find it can use it as we did.`,
    sections: [...remedySections(notice), ...waySections(notice), ...closingSections(notice, historyUrl)],
  };
}

function answersAsRelay(notice: Notice, historyUrl: string): Letter {
  const { hostName } = notice;
  const doubt = notice.acceptsEverything
    ? ' It accepted invented users of its own domain in the same way, so it may be a catch-all, a sink or a honeypot rather than a relay.'
    : '';
  const howFar = notice.messageAccepted
    ? 'It took a whole message of ours, to the final dot. The message has not come back to us, so whether it delivers such mail is not proven.'
    : 'It got no further than that, so whether it delivers such mail is not proven.';
  return {
    subject: `${hostName} answers as an open relay`,
    verdict: `${hostName} accepted a recipient at a foreign domain from a stranger, in two scans one after the other. ${howFar}${doubt}`,
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

function closedAgain(notice: Notice, historyUrl: string): Letter {
  return {
    subject: `${notice.hostName} is closed again`,
    verdict:
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

function asText({ verdict, sections }: Letter): string {
  const parts = sections.map(({ heading, lines, code }) =>
    [heading, ...lines.map((line) => (code ? `  ${line}`.trimEnd() : `- ${line}`))].join('\n'),
  );
  return `${[verdict, ...parts, SIGNATURE].join('\n\n')}\n`;
}

const SIGNATURE = 'Relay Audit writes to you because you are an alert recipient of this host.';

function asHtml({ subject, verdict, sections }: Letter): string {
  const body = sections.map(({ heading, lines, code }) => {
    const content = code
      ? `<pre style="white-space:pre-wrap;font-size:13px">${lines.map(escapeHtml).join('\n')}</pre>`
      : `<ul>${lines.map((line) => `<li>${linked(line)}</li>`).join('')}</ul>`;
    return `<h2 style="font-size:16px">${escapeHtml(heading)}</h2>${content}`;
  });
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark">',
    '<meta name="viewport" content="width=device-width">',
    `<title>${escapeHtml(subject)}</title></head>`,
    '<body style="font-family:sans-serif;max-width:42em;margin:1em auto;padding:0 1em;line-height:1.5">',
    `<h1 style="font-size:20px">${escapeHtml(subject)}</h1><p>${escapeHtml(verdict)}</p>`,
    ...body,
    `<p style="font-size:13px">${escapeHtml(SIGNATURE)}</p></body></html>`,
  ].join('\n');
}

function linked(line: string): string {
  const escaped = escapeHtml(line);
  return /^https?:\/\/\S+$/.test(line) ? `<a href="${escaped}">${escaped}</a>` : escaped;
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
