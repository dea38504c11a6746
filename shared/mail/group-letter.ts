import type { NewsOfHost, Occasion } from '../domain/notice.ts';
import { GENERAL_REMEDIES } from '../domain/remedies.ts';
import type { Section } from './parts.ts';
import type { Unsigned } from './relay-letters.ts';
import { type NoticeLinks, pageOf } from './sections.ts';
import { counted, newsOf, utc } from './words.ts';

/** What a host adds to a letter of several, the worst first. Of one that cannot be audited the state is not known. */
const RANKS = ['open', 'suspected', 'silent', 'unknown', 'closed'] as const;

type Rank = (typeof RANKS)[number];

/** The letter about several hosts whose alerts came within minutes: the worst first. */
export function groupLetter(hosts: readonly NewsOfHost[], links: NoticeLinks): Unsigned {
  const sorted = hosts.toSorted((a, b) => RANKS.indexOf(rankOf(a)) - RANKS.indexOf(rankOf(b)));
  const [worst] = sorted;
  if (worst === undefined) throw new Error('a letter about no host');
  const rank = rankOf(worst);
  const bad = rank === 'open' || rank === 'suspected';
  return {
    subject: `${newsOf(worst)}, and news of ${counted(hosts.length - 1, 'more host')}`,
    label: `${hosts.length} hosts`,
    tone: rank === 'open' ? 'alarm' : rank === 'closed' ? 'good' : 'warning',
    opening: `${summary(sorted)} This came within minutes of an alert that went to you by itself: look first at what these hosts have in common, such as a configuration tool, a firewall or a load balancer.`,
    sections: [{ heading: 'Host by host', lines: sorted.map((host) => lineOf(host, links)) }, ...(bad ? [STEPS] : [])],
  };
}

function rankOf({ occasion, relay }: NewsOfHost): Rank {
  return isUnaudited(occasion) ? 'silent' : relay;
}

function isUnaudited(occasion: Occasion): occasion is Extract<Occasion, { kind: 'silent' | 'gave-up' | 'dns-trouble' }> {
  return occasion.kind === 'silent' || occasion.kind === 'gave-up' || occasion.kind === 'dns-trouble';
}

const VERBS: Record<Rank, readonly [one: string, many: string]> = {
  open: ['is an open relay', 'are open relays'],
  suspected: ['answers as an open relay', 'answer as open relays'],
  silent: ['cannot be audited', 'cannot be audited'],
  unknown: ['has not been proven open or closed', 'have not been proven open or closed'],
  closed: ['is closed', 'are closed'],
};

/** `Of 3 hosts 1 is an open relay and 2 are closed.` */
function summary(hosts: readonly NewsOfHost[]): string {
  const parts = RANKS.flatMap((rank) => {
    const count = hosts.filter((host) => rankOf(host) === rank).length;
    return count === 0 ? [] : [`${count} ${VERBS[rank][count === 1 ? 0 : 1]}`];
  });
  return `Of ${hosts.length} hosts ${[parts.slice(0, -1).join(', '), ...parts.slice(-1)].filter((part) => part !== '').join(' and ')}.`;
}

function lineOf(host: NewsOfHost, links: NoticeLinks): string {
  const at = sinceOf(host);
  return `${newsOf(host)}${at === undefined ? '' : `, since ${utc(at)}`}. Its page: ${pageOf(links, host.hostId)}`;
}

function sinceOf({ occasion, since }: NewsOfHost): number | undefined {
  if (isUnaudited(occasion)) return occasion.since;
  return occasion.kind === 'back' ? undefined : since;
}

const STEPS: Section = {
  heading: 'What to do now with each that is open, or answers so',
  lines: [
    'Stop SMTP from outside: close port 25 at the firewall, or stop the mail service.',
    'Hold what waits in the outgoing queue, so that no spam in it goes out.',
    'See on its page which envelopes got through.',
    { text: 'Close it. What closes any server, the surest first:', items: GENERAL_REMEDIES },
    'Look through the queue and delete what is not yours.',
    'Open SMTP again, have it scanned on its page, and release the queue when it is closed.',
  ],
  steps: true,
};
