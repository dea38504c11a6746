import type { Bounce } from './canary.ts';
import type { Mta } from './remedies.ts';
import type { LegEvidence, Scan } from './scan.ts';
import { legName } from './verdict.ts';

/** What a server does that bounces our messages, in a sentence, and what has it refuse them instead: its own settings first. */
export type Backscatter = { readonly sentence: string; readonly settings: readonly string[] };

const SENTENCE =
  'It takes mail for users whom it does not know, and bounces it later to whoever is named as the sender. Spam names innocent people as senders, so they get these bounces: that is backscatter, and some blocklists list servers for it. RFC 5321 §6.2 says to refuse such mail while its sender is still connected. This does not make it an open relay.';

// Servers known to accept unknown users by a setting. Others get the general advice.
const SETTINGS: Partial<Record<Mta, readonly string[]>> = {
  postfix: [
    'main.cf: do not empty local_recipient_maps; list the users of domains that you pass on in relay_recipient_maps, and those of virtual domains in virtual_mailbox_maps.',
    'Where you have no such list: reject_unverified_recipient in smtpd_recipient_restrictions asks the server behind it.',
  ],
  exim: [
    'In the RCPT ACL keep "require verify = recipient"; for domains that you pass on, make that "require verify = recipient/callout", which asks the server behind it.',
  ],
  sendmail: [
    'sendmail.mc: drop LUSER_RELAY. In the virtusertable, end each domain with "@example.org error:nouser 550 User unknown".',
    'In the access map name each user of the domains that you pass on ("To:user@example.org RELAY"), not the domain as a whole.',
  ],
  opensmtpd: [
    'smtpd.conf: name the users in the rule that takes mail from strangers: match from any for domain <domains> rcpt-to <users> action …',
    'In virtual tables have no catch-all entry ("@example.org" or "@").',
  ],
  exchange: [
    'Set-RecipientFilterConfig -Enabled $true -RecipientValidationEnabled $true, where the anti-spam agents are installed (Install-AntispamAgents.ps1); then restart MSExchangeTransport.',
    'Set-AcceptedDomain example.org -AddressBookEnabled $true: other domains are not looked up.',
  ],
  haraka: [
    'config/plugins: rcpt_to.in_host_list looks at the domain alone. Have a plugin beside it that knows the users, such as rcpt_to.ldap.',
  ],
  qmail: [
    'qmail-smtpd looks no user up by itself: build it with the validrcptto or the realrcptto patch. control/badrcptto refuses single addresses.',
  ],
  zimbra: ['zmprov mcf zimbraMtaSmtpdRejectUnlistedRecipient yes'],
};

const GENERAL: readonly string[] = [
  'Refuse users who do not exist at RCPT TO: give the server that strangers talk to a list of the users, or let it ask the server behind it.',
];

/** What bounces of our messages show of a server; undefined when there are none. `legs` is what its legs showed, its software among it. */
export function backscatterOf(bounces: readonly Pick<Bounce, 'leg'>[] | undefined, legs: readonly LegEvidence[]): Backscatter | undefined {
  const [first] = bounces ?? [];
  if (first === undefined) return undefined;
  const software = legs.find((leg) => legName(leg) === first.leg)?.software;
  const own = software === undefined ? undefined : SETTINGS[software.mta];
  return { sentence: SENTENCE, settings: [...(own ?? []), ...GENERAL] };
}

/**
 * Of some scans, newest first, the bounces that count today: those of the newest scan that could have had some, because it sent
 * messages or tried every test. A server that has learned to refuse has none in it.
 */
export function latestBounces(scans: readonly Scan[]): readonly Bounce[] {
  return scans.find(({ full, canaries = [], bounces = [] }) => full || canaries.length + bounces.length > 0)?.bounces ?? [];
}
