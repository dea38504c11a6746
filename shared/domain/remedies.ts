/** The mail servers that are told apart, and what each is called. */
export const MTA_NAMES = {
  postfix: 'Postfix',
  exim: 'Exim',
  sendmail: 'Sendmail',
  opensmtpd: 'OpenSMTPD',
  exchange: 'Microsoft Exchange',
  iis: 'IIS SMTP',
  hmailserver: 'hMailServer',
  mailenable: 'MailEnable',
  haraka: 'Haraka',
  qmail: 'qmail',
  courier: 'Courier',
  domino: 'HCL Domino',
  zimbra: 'Zimbra',
  os400: 'IBM i (OS/400)',
  postcast: 'PostCast Server',
} as const;

export type Mta = keyof typeof MTA_NAMES;

/** What a server is. `from` says how sure that is: its own greeting, or only the words of its answers, which others may borrow. */
export type Software = { readonly mta: Mta; readonly version?: string | undefined; readonly from: 'greeting' | 'answers' };

const REMEDIES: Record<Mta, readonly string[]> = {
  postfix: [
    'main.cf: smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination',
    'main.cf: narrow mynetworks to the machines that are yours, then run postfix reload.',
  ],
  exim: [
    'hostlist relay_from_hosts = localhost',
    'In the RCPT ACL keep "require message = relay not permitted" with "domains = +local_domains : +relay_to_domains".',
    'Leave percent_hack_domains unset.',
  ],
  sendmail: [
    'sendmail.mc: drop FEATURE promiscuous_relay, relay_local_from, relay_mail_from and loose_relay_check, then build sendmail.cf anew.',
  ],
  opensmtpd: ['smtpd.conf: have no "match from any for any action" that relays; let only "match auth from any for any" do so.'],
  exchange: [
    'Take ms-Exch-SMTP-Accept-Any-Recipient from ANONYMOUS LOGON on the receive connector.',
    'Give applications that must relay a connector of their own, its RemoteIPRanges narrowed to them.',
  ],
  iis: ['SMTP virtual server, Access, Relay: choose "Only the list below", and keep that list short.'],
  hmailserver: ['IP range "Internet": untick deliveries from external to external, and require authentication.'],
  mailenable: ['SMTP properties, Relay: allow relay for authenticated senders only; untick relay for local sender addresses.'],
  haraka: ['Find what sets connection.relaying; check config/host_list and the ACL of the plugin relay.'],
  qmail: ['Create control/rcpthosts with the domains you take mail for; set RELAYCLIENT for your own addresses only.'],
  courier: [
    '/etc/courier/smtpaccess: set RELAYCLIENT for your own networks only, then run makesmtpaccess.',
    'Keep esmtpacceptmailfor to the domains you take mail for, then run makeacceptmailfor.',
  ],
  domino: [
    'Configuration document, Router/SMTP, Restrictions and Controls, SMTP Inbound Controls: deny messages to be sent to the external Internet domains "*".',
    'Exempt only your own networks, and authenticated users.',
  ],
  zimbra: ["zmprov ms <server> zimbraMtaMyNetworks '127.0.0.0/8 ...' with your own networks only, then zmmtactl restart."],
  os400: [
    'CHGSMTPA ALWRLY(*NONE), or ALWRLY(*LIST) with none but your own addresses in the list that ADDSMTPLE keeps; then end and start the SMTP server.',
  ],
  postcast: [
    'Set Host Name to the local computer or a LAN address.',
    'Security: tick "Allow access ONLY for users with these IP addresses".',
  ],
};

/** The settings of a server's own that close it. */
export function settingsFor({ mta }: Software): readonly string[] {
  return REMEDIES[mta];
}

/** What we take the server for, as a sentence that does not claim more than its source. */
export function softwareSentence({ mta, version, from }: Software): string {
  const name = version === undefined ? MTA_NAMES[mta] : `${MTA_NAMES[mta]} ${version}`;
  return from === 'greeting' ? `Its greeting says that it is ${name}.` : `Its answers are worded as those of ${name}.`;
}

/** What closes an open relay whatever the software: always given, strongest first. */
export const GENERAL_REMEDIES: readonly string[] = [
  'Accept mail for other domains only from users who have authenticated.',
  'Restrict relaying to a short list of your own addresses and ranges; look for 0.0.0.0/0, ::/0 or a whole provider range in it.',
  'If nothing else needs to reach the server, let it listen only on the local computer or LAN.',
  'Moving the server to another port hides it from scanners of port 25 and closes nothing.',
];

/** What to fix where a server sees every client at a private address but is not open: it may come to trust that address. */
export const LOST_ADDRESSES =
  'It takes every client for a private address, so it has lost theirs on the way: with Docker, disable the userland proxy or publish IPv4 only.';
