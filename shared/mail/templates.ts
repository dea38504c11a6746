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
  const letter = notice.to === 'closed' ? closedAgain(notice, historyUrl) : answersAsRelay(notice, historyUrl);
  return { subject: letter.subject, text: asText(letter), html: asHtml(letter) };
}

function answersAsRelay(notice: Notice, historyUrl: string): Letter {
  const doubt = notice.acceptsEverything
    ? ' It accepted invented users of its own domain in the same way, so it may be a catch-all, a sink or a honeypot rather than a relay.'
    : '';
  return {
    subject: `${notice.hostName} answers as an open relay`,
    verdict:
      `${notice.hostName} accepted a recipient at a foreign domain from a stranger, in two scans one after the other. ` +
      `We stopped there and sent no message through it, so whether it delivers such mail is not proven.${doubt}`,
    sections: [
      { heading: 'What to do now', lines: FIRST_AID },
      { heading: 'What closes it', lines: remediesFor(notice.software) },
      { heading: 'What we saw', lines: [`Scan ${notice.scanId}, started ${utc(notice.scannedAt)}.`, ...evidenceLines(notice)], code: true },
      { heading: 'History', lines: history(historyUrl) },
    ],
  };
}

function closedAgain(notice: Notice, historyUrl: string): Letter {
  return {
    subject: `${notice.hostName} is closed again`,
    verdict:
      `${notice.hostName} refused every foreign recipient that we tried, in two scans one after the other. ` +
      'Before, it answered as an open relay.',
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
          'Stolen passwords, web forms, forwarding rules, SMTP smuggling and VRFY/EXPN are not tested, nor are IPv6, STARTTLS and the ports 465 and 587.',
        ],
      },
      { heading: 'What we saw', lines: [`Scan ${notice.scanId}, started ${utc(notice.scannedAt)}.`, ...evidenceLines(notice)], code: true },
      { heading: 'History', lines: history(historyUrl) },
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
