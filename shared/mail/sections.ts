import { holeRemedies, otherRemedies } from '../domain/hole-remedies.ts';
import type { HostNotice, Seen } from '../domain/notice.ts';
import { queueCommands } from '../domain/queue-commands.ts';
import { softwareSentence } from '../domain/remedies.ts';
import { printable } from '../domain/transcript.ts';
import type { Line, Section } from './parts.ts';
import { utc } from './words.ts';

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
  const queue = queueCommands(seen?.software);
  const lines: Line[] = [
    'Stop SMTP from outside: close port 25 at the firewall, or stop the mail service.',
    withCommands('Hold what waits in the outgoing queue, so that no spam in it goes out.', queue?.hold),
    ...closeSteps(seen),
    withCommands('Look through the queue for mail that is not yours.', queue?.look),
    withCommands('Delete that mail.', queue?.remove),
    'Open SMTP again and have it scanned, on the page at the end of this mail.',
    withCommands('When it is closed, release the queue.', queue?.release),
    blocklistsStep(seen),
  ];
  return { heading: 'What to do now', lines, steps: true };
}

function withCommands(text: string, code: readonly string[] | undefined): Line {
  return code === undefined ? text : { text, code };
}

// The hole before all else, where it has a name; what closes any relay after it.
function closeSteps(seen: Seen | undefined): Line[] {
  const { hole, software } = seen ?? {};
  const known = software === undefined ? '' : `${shortened(softwareSentence(software))} `;
  const items = otherRemedies(hole, software);
  if (hole !== undefined)
    return [
      { text: `Close the hole. ${known}What closes it:`, items: holeRemedies(hole, software) },
      { text: 'Make sure that nothing else relays:', items },
    ];
  if (software === undefined) return [{ text: 'Close it. What closes any server, the surest first:', items }];
  return [{ text: `Close it. ${known}What closes it, its own settings first:`, items }];
}

/** Where an address is looked up and taken off, after a relay was closed. */
export function blocklistsStep(seen: Seen | undefined): Line {
  const output = outputAddress(seen);
  return {
    text: `Check whether ${output ?? 'the address from which it sends'} is on blocklists. Ask for its removal only when the server is closed; whoever is listed again waits longer.`,
    items: [
      'Spamhaus: https://check.spamhaus.org/',
      'Barracuda: https://www.barracudacentral.org/lookups',
      'SpamCop: https://www.spamcop.net/bl.shtml',
    ],
  };
}

function outputAddress(seen: Seen | undefined): string | undefined {
  const address = seen?.arrival?.path[0]?.address ?? '';
  return /^[\da-f.:]{2,45}$/i.test(address) ? address : undefined;
}

/** What the scan saw, in words that stand in the server's log too. */
export function evidenceSection(notice: HostNotice, { egressAddresses }: NoticeLinks): Section[] {
  const { seen } = notice;
  if (seen === undefined) return [];
  const from = egressAddresses.length === 0 ? [] : [`We came from ${egressAddresses.join(', ')}.`];
  const scan = `Scan ${shortened(seen.scanId)}, started ${utc(seen.scannedAt)}.`;
  return [{ heading: 'What to look for in your log', lines: [scan, ...from, ...arrivalLines(seen), ...envelopeLines(seen)], code: true }];
}

// By which address the message went in and by which it came out tells the owner where to look when they are not the same.
function arrivalLines({ arrival }: Seen): string[] {
  if (arrival === undefined) return [];
  const hops = arrival.path.slice(0, HOPS_LIMIT).map(({ from, address, by }) => {
    const sender = [...new Set([...(from === undefined ? [] : [from]), ...(address === undefined ? [] : [`[${address}]`])])];
    return `  from ${sender.map(shortened).join(' ') || 'unknown'} to ${shortened(by ?? 'unknown')}`;
  });
  return [
    '',
    `Canary ${shortened(arrival.canary)}`,
    `  went in ${utc(arrival.sentAt)} at ${shortened(arrival.leg)}`,
    `  came back ${utc(arrival.at)} from ${shortened(arrival.path[0]?.address ?? 'an address that was not written down')}`,
    ...(hops.length === 0 ? [] : ['Its Received headers, newest first:', ...hops]),
  ];
}

function envelopeLines({ evidence, envelopes }: Seen): string[] {
  const lines = evidence.flatMap(({ leg, from, to, reply }, index) => [
    '',
    ...(leg === evidence[index - 1]?.leg ? [] : [shortened(leg)]),
    `  MAIL FROM:${shortened(from)}`,
    `  RCPT TO:${shortened(to)}`,
    `  ${shortened(reply)}`,
  ]);
  const more = envelopes - evidence.length;
  return more <= 0 ? lines : [...lines, '', `and ${more} more like ${more === 1 ? 'it' : 'these'}; the history has all.`];
}

/** Where more is to be found, and how to have the host scanned again. */
export function linksSection({ hostId }: Pick<HostNotice, 'hostId'>, links: NoticeLinks): Section {
  return {
    heading: 'Everything else, and another scan',
    lines: [
      `The page of the host has every scan with all it saw, and a button to have it scanned again. It opens for whoever signs in to the account that registered the host: ${pageOf(links, hostId)}`,
    ],
  };
}

/** The page of a host, for its owner to sign in to. */
export function pageOf({ siteUrl }: Pick<NoticeLinks, 'siteUrl'>, hostId: string): string {
  return `${siteUrl}/hosts/${hostId}`;
}

const TEXT_LIMIT = 200; // characters of what others said; the history has the rest
const HOPS_LIMIT = 10; // Received headers; a way is seldom longer than four

function shortened(text: string): string {
  const shown = printable(text);
  return shown.length <= TEXT_LIMIT ? shown : `${shown.slice(0, TEXT_LIMIT)} …`;
}
