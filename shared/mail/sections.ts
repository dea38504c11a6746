import type { HostNotice, Seen } from '../domain/notice.ts';
import { queueCommands } from '../domain/queue-commands.ts';
import { remediesFor, softwareSentence } from '../domain/remedies.ts';
import { printable } from '../domain/transcript.ts';
import type { Line, Section } from './letter.ts';

// Parts that letters about a host have in common.

/** What letters link to, and what their readers look for in their logs. `siteUrl` has no slash at its end. */
export type NoticeLinks = {
  readonly siteUrl: string;
  readonly egressAddresses: readonly string[];
  /** Ends this account's mail to the reader. */
  readonly unsubscribeUrl?: string | undefined;
};

/** The steps from an open relay to one that is closed and trusted again, in their order. */
export function stepsSection({ seen }: HostNotice): Section {
  const software = seen?.software;
  const queue = queueCommands(software);
  const known = software === undefined ? '' : ` ${softwareSentence(software)}`;
  const lines: Line[] = [
    'Stop SMTP from outside: close port 25 at the firewall, or stop the mail service. Every minute it is open sends more spam in your name.',
    withCommands('Hold what waits in the queue, so that spam which is in it does not go out.', queue?.hold),
    {
      text: `Close it.${known} What closes it, the surest first:`,
      code: remediesFor(software)
        .filter((line) => !line.startsWith('Its '))
        .map((line) => `- ${line}`),
    },
    withCommands('Look through the queue for mail that is not yours.', queue?.look),
    withCommands('Delete that mail.', queue?.remove),
    withCommands('Open SMTP again and release the queue.', queue?.release),
    'Check whether your address is on blocklists (Spamhaus, Barracuda, SpamCop), and ask for its removal only now that it is closed.',
  ];
  return { heading: 'What to do now', lines, steps: true };
}

function withCommands(text: string, code: readonly string[] | undefined): Line {
  return code === undefined ? text : { text, code };
}

/** What the scan saw, in words that stand in the server's log too. */
export function evidenceSection(notice: HostNotice, { egressAddresses }: NoticeLinks): Section[] {
  const { seen } = notice;
  if (seen === undefined) return [];
  const from = egressAddresses.length === 0 ? [] : [`We came from ${egressAddresses.join(', ')}.`];
  return [
    {
      heading: 'What we saw',
      lines: [`Scan ${seen.scanId}, started ${utc(seen.scannedAt)}.`, ...from, ...arrivalLines(seen), ...envelopeLines(seen)],
      code: true,
    },
  ];
}

// By which address the message went in and by which it came out tells the owner where to look when they are not the same.
function arrivalLines({ arrival }: Seen): string[] {
  if (arrival === undefined) return [];
  const hops = arrival.path.map(({ from, address, by }) => {
    const sender = [...new Set([...(from === undefined ? [] : [from]), ...(address === undefined ? [] : [`[${address}]`])])];
    return `  from ${sender.join(' ') || 'unknown'} to ${by ?? 'unknown'}`;
  });
  return [
    '',
    `Canary ${arrival.canary}`,
    `  sent ${utc(arrival.sentAt)} into the server by ${arrival.leg}`,
    `  came back ${utc(arrival.at)} from ${arrival.path[0]?.address ?? 'an address that was not written down'}`,
    ...(hops.length === 0 ? [] : ['Its Received headers, newest first:', ...hops]),
  ].map(printable);
}

function envelopeLines({ evidence, envelopes }: Seen): string[] {
  const lines = evidence.flatMap(({ leg, from, to, reply }, index) => [
    '',
    ...(leg === evidence[index - 1]?.leg ? [] : [leg]),
    `  MAIL FROM:${shortened(from)}`,
    `  RCPT TO:${shortened(to)}`,
    `  ${shortened(reply)}`,
  ]);
  const more = envelopes - evidence.length;
  return more <= 0 ? lines : [...lines, '', `and ${more} more like ${more === 1 ? 'it' : 'these'}; the history has all.`];
}

/** Where more is to be found, and how to have the host scanned again. */
export function linksSection({ hostId }: { readonly hostId: string }, { siteUrl }: NoticeLinks): Section {
  const scans = `${siteUrl}/v1/hosts/${hostId}/scans`;
  return {
    heading: 'History, and another scan',
    lines: [
      `All scans with their evidence, to be read with your API key: ${scans}`,
      {
        text: 'When you have changed something, have it scanned again at once, with your API key in the place of KEY:',
        code: [`curl -X POST -H "Authorization: Bearer KEY" ${scans}`],
      },
    ],
  };
}

const REPLY_LIMIT = 200; // characters of what a server said; the history has the rest

function shortened(text: string): string {
  const shown = printable(text);
  return shown.length <= REPLY_LIMIT ? shown : `${shown.slice(0, REPLY_LIMIT)} …`;
}

export function utc(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

const HOUR_MS = 3_600_000;

/** A span of time in the words of a person: `3 hours`, `12 days`. */
export function span(ms: number): string {
  const hours = Math.max(1, Math.round(ms / HOUR_MS));
  const [count, unit] = hours < 48 ? [hours, 'hour'] : [Math.round(hours / 24), 'day'];
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}
