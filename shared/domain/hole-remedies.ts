import type { Cause } from './cause.ts';
import type { Hole, Where } from './hole.ts';
import { GENERAL_REMEDIES, type Mta, type Software, settingsFor } from './remedies.ts';

/** What closes one thing: by a server's own settings where we know them, else in general. `{name}`, `{pattern}` and `{port}` are the hole's. */
type Remedy = { readonly general: readonly string[] } & Partial<Record<Mta, readonly string[]>>;

const BEFORE = 'before reject_unauth_destination in smtpd_relay_restrictions or smtpd_recipient_restrictions';
const NO_OK = (table: string) => `main.cf: have no ${table} that answers OK ${BEFORE}`;

// A gateway checks an address that its neighbour reads in another way, and is trusted by it.
const BEHIND = 'If it hands mail on to another server, that one may do the rewriting: switch it off there too.';
const EXIM_LOCAL_PARTS = 'RCPT ACL: keep "deny local_parts = ^[.] : ^.*[@%!/|]" for your own and your relayed domains.';
const POSTFIX_ROUTING = `main.cf: allow_untrusted_routing = no. ${NO_OK('check_recipient_access').replace('main.cf: have', 'Have')}.`;

const CLAIMED_SENDER: Remedy = {
  general: ['Drop the rule that trusts a sender: anybody can claim one. Let your users authenticate.'],
  postfix: [`${NO_OK('check_sender_access')}: anybody can claim a sender. Let your users authenticate (permit_sasl_authenticated).`],
  exim: ['RCPT ACL: have no accept that rests on senders or sender_domains alone; add authenticated = * or hosts = +relay_from_hosts.'],
  sendmail: [
    'sendmail.mc: drop FEATURE relay_local_from and relay_mail_from, and "From:... RELAY" from the access map; build sendmail.cf and the map anew.',
  ],
  opensmtpd: ['smtpd.conf: have no "match" with mail-from and "for any" that relays without auth.'],
  hmailserver: ['IP range "Internet": require SMTP authentication from local to external addresses.'],
  mailenable: ['SMTP properties, Relay: untick "Allow relay for local sender addresses".'],
  haraka: ['Find the plugin that sets connection.relaying by the sender, and let it do so for authenticated users only.'],
  qmail: ['If your qmail-smtpd is patched for it, empty control/relaymailfrom: whoever claims a sender in it may relay.'],
};

const CLAIMED_EHLO: Remedy = {
  general: ['Drop the rule that trusts a name in EHLO: anybody can say it.'],
  postfix: [`${NO_OK('check_helo_access')}: anybody can say EHLO by any name.`],
  exim: ['RCPT ACL: have no accept that rests on $sender_helo_name alone.'],
  opensmtpd: ['smtpd.conf: have no "match" with helo and "for any" that relays without auth.'],
  haraka: ['Find the plugin that sets connection.relaying by the name in EHLO, and take that out of it.'],
};

const CAUSE_REMEDIES: Readonly<Record<Exclude<Cause, 'anyone'>, Remedy>> = {
  'null-sender': {
    general: ['Drop the rule that lets the empty sender through: bounces for your own users need no right to relay.'],
    postfix: [`${NO_OK('check_sender_access')} for <>: bounces for your own users need no right to relay.`],
    exim: ['RCPT ACL: have no accept with "senders = :" that lacks "domains = +local_domains : +relay_to_domains".'],
  },
  'claimed-sender': CLAIMED_SENDER,
  'localhost-sender': CLAIMED_SENDER,
  'bare-sender': CLAIMED_SENDER,
  'bang-sender': CLAIMED_SENDER,
  'nonexistent-sender': {
    general: ['Drop the rule that lets a sender through because its domain is unknown, and refuse such senders.'],
    postfix: [`${NO_OK('check_sender_access')}, and refuse such senders with reject_unknown_sender_domain.`],
  },
  'own-recipient': { general: ['Drop the rule that trusts whoever writes to the address that they give as the sender.'] },
  unbracketed: {
    general: ['Refuse recipients without angle brackets: what reads them and what checks them do not agree.'],
    postfix: ['main.cf: strict_rfc821_envelopes = yes', `${NO_OK('check_recipient_access')}.`],
  },
  quoted: {
    general: ['Refuse recipients with @, % or ! in the local part, quoted or not.', BEHIND],
    postfix: ['main.cf: resolve_dequoted_address = yes', POSTFIX_ROUTING, BEHIND],
    exim: [EXIM_LOCAL_PARTS, BEHIND],
  },
  percent: {
    general: ['Switch the percent hack off, and refuse recipients with % in the local part.', BEHIND],
    postfix: [POSTFIX_ROUTING, BEHIND],
    exim: ['Leave percent_hack_domains unset.', EXIM_LOCAL_PARTS, BEHIND],
    sendmail: ['sendmail.mc: drop FEATURE loose_relay_check, and build sendmail.cf anew.', BEHIND],
    qmail: ['Delete control/percenthack.', BEHIND],
  },
  'double-at': {
    general: ['Refuse recipients with more than one @.', BEHIND],
    postfix: [POSTFIX_ROUTING, BEHIND],
    exim: [EXIM_LOCAL_PARTS, BEHIND],
  },
  'source-route': { general: ['Refuse source routes, or drop the route and check the address behind it.', BEHIND] },
  bang: {
    general: ['Refuse recipients with ! in the local part.', BEHIND],
    postfix: [POSTFIX_ROUTING, 'main.cf: swap_bangpath = no, unless you use UUCP.', BEHIND],
    exim: [EXIM_LOCAL_PARTS, BEHIND],
    sendmail: ["sendmail.mc: FEATURE(`nouucp', `reject'), and build sendmail.cf anew.", BEHIND],
  },
  'claimed-ehlo': CLAIMED_EHLO,
  'localhost-ehlo': CLAIMED_EHLO,
  xclient: {
    general: ['Allow XCLIENT to the addresses of your own proxies only.'],
    postfix: ['main.cf: smtpd_authorized_xclient_hosts names your own proxies only, and is empty if you have none.'],
    exim: ['hosts_xclient names your own proxies only, and is unset if you have none.'],
    haraka: ['config/xclient.hosts names your own proxies only; if you have none, take xclient out of config/plugins.'],
  },
  'unanchored-recipient': {
    general: ['Anchor the pattern at both ends (^{pattern}$ for a domain, @{pattern}$ for an address), or list the domains by name.'],
    postfix: [
      'Anchor the pattern in the regexp: or pcre: table at both ends: /@{pattern}$/',
      'main.cf: put reject_unauth_destination before check_recipient_access.',
    ],
    exim: ['Name the domain in its list as {name}, or anchor its pattern at both ends: ^{pattern}$'],
    opensmtpd: ['smtpd.conf: write "for domain {name}" instead of "for domain regex", or anchor it at both ends: ^{pattern}$'],
  },
  'unanchored-sender': {
    general: [...CLAIMED_SENDER.general, 'Anchor the pattern at both ends, as in @{pattern}$.'],
    postfix: [...(CLAIMED_SENDER.postfix ?? []), 'Anchor the pattern in the regexp: or pcre: table at both ends: /@{pattern}$/'],
    exim: CLAIMED_SENDER.exim ?? [],
    opensmtpd: CLAIMED_SENDER.opensmtpd ?? [],
  },
  'first-recipient-only': {
    general: ['Check each recipient of a message: look at the filter, proxy or plugin that lets one speak for the others.'],
    haraka: ['Find the plugin that sets connection.relaying at a recipient: it then holds for every recipient behind that one.'],
  },
  srs: {
    general: ['Decode SRS addresses only when their hash was made with a secret of your own.'],
    postfix: ['Decode SRS addresses with postsrsd and its secret, not with a pattern in recipient_canonical_maps or virtual_alias_maps.'],
    exim: ['Give SRS_SECRET a value: "inbound_srs {$local_part} {SRS_SECRET}" checks no hash while it is empty.'],
  },
  'written-into-local-part': {
    general: ['Drop the rule or gateway that makes an address out of a local part, or leave it to users who have authenticated.'],
    postfix: [
      'Have no pattern in virtual_alias_maps, recipient_canonical_maps or transport_maps that makes an address out of a local part.',
    ],
    exim: ['Have no redirect router that makes an address out of $local_part.'],
  },
};

const DOCKER =
  'With Docker: its userland proxy gives clients an address of the Docker network. Set "userland-proxy": false in daemon.json, or publish the port over IPv4 only.';
const PRIVATE = 'Until it sees who its clients are, let no private range relay.';

const LOST_CLIENTS: Remedy = {
  general: [
    DOCKER,
    'With a proxy: have it pass on the addresses of clients (PROXY protocol or XCLIENT), and trust nobody else to.',
    PRIVATE,
  ],
  postfix: [
    DOCKER,
    'With haproxy: send-proxy there, smtpd_upstream_proxy_protocol = haproxy here. With nginx: xclient on there, its address in smtpd_authorized_xclient_hosts here.',
    'Until it sees who its clients are, take private ranges out of mynetworks.',
  ],
  exim: [DOCKER, 'With a proxy: send the PROXY protocol, and list the proxy alone in hosts_proxy.', PRIVATE],
  haraka: [DOCKER, 'With a proxy: send the PROXY protocol, and list the proxy alone in haproxy_hosts.', PRIVATE],
  opensmtpd: [
    DOCKER,
    'With a proxy: send the PROXY protocol (version 2), and add proxy-v2 to the "listen on" that the proxy alone reaches.',
    PRIVATE,
  ],
};

const FRONT = 'If something in front ends TLS (stunnel, haproxy, nginx), every client looks like that front: do not let its address relay.';
const RANGE =
  'Without Docker: look for an IPv6 range that is too wide, such as ::/0 or that of a whole provider, among those that may relay.';

const WHERE_REMEDIES: Readonly<Record<Where, Remedy>> = {
  'over-ipv6': {
    general: [DOCKER, RANGE],
    postfix: [DOCKER, 'Without Docker: main.cf: narrow the IPv6 ranges in mynetworks to your own, such as [::1]/128 [2001:db8:1::]/64'],
  },
  'inside-tls': {
    general: [FRONT, 'Else look for a rule that lets through whoever uses TLS.'],
    exim: [FRONT, 'RCPT ACL: have no accept that rests on "encrypted = *" alone; add authenticated = *'],
    opensmtpd: [FRONT, 'smtpd.conf: have no "match tls" with "from any for any" that relays without auth.'],
  },
  'on-port': {
    general: ['Look for what is different at port {port}: a listener with rules of its own, or a front that hides its clients.'],
    postfix: [
      'master.cf: look at the -o lines of the service at port {port}, which win over main.cf: -o smtpd_relay_restrictions=permit_sasl_authenticated,reject',
    ],
    exim: ['RCPT ACL: look for an accept that rests on $received_port; at port {port} add authenticated = *'],
    sendmail: ["sendmail.mc: DAEMON_OPTIONS(`Port={port}, Name=MSA, M=Ea') has everybody authenticate; build sendmail.cf anew."],
    opensmtpd: ['smtpd.conf: add auth to the "listen on" of port {port}, and let no rule with its tag and "for any" relay without auth.'],
    exchange: ['Receive connector of port {port}: take AnonymousUsers out of its PermissionGroups.'],
  },
};

const ZIMBRA = 'Zimbra writes main.cf and master.cf anew: make the change with zmprov or under /opt/zimbra/conf, or it will be lost.';

/** What closes this very hole: the settings of the server, if we know it and them, or what does so in general. Never empty. */
export function holeRemedies(hole: Hole, software: Software | undefined): readonly string[] {
  const name = hole.name?.replace(/^.*@/, '') ?? 'example.org';
  return [...new Set(remediesOf(hole, software))].map((line) =>
    line
      .replaceAll('{name}', () => name)
      .replaceAll('{pattern}', () => name.replaceAll('.', '\\.'))
      .replaceAll('{port}', () => String(hole.port)),
  );
}

function remediesOf({ cause, sender, where, seesUsAs }: Hole, software: Software | undefined): readonly string[] {
  if (seesUsAs !== undefined) return chosen(LOST_CLIENTS, software);
  const there = where === undefined ? [] : chosen(WHERE_REMEDIES[where], software);
  if (cause === 'anyone') {
    if (there.length > 0) return there;
    return software === undefined ? GENERAL_REMEDIES.slice(0, 2) : settingsFor(software);
  }
  return [...there, ...chosen(CAUSE_REMEDIES[cause], software), ...(sender === undefined ? [] : chosen(CAUSE_REMEDIES[sender], software))];
}

function chosen(remedy: Remedy, software: Software | undefined): readonly string[] {
  if (software?.mta === 'zimbra' && remedy.postfix !== undefined) return [...remedy.postfix, ZIMBRA];
  return (software === undefined ? undefined : remedy[software.mta]) ?? remedy.general;
}

/** What closes any relay: the server's settings, if we know it, and the general remedies, without those that close its hole. */
export function otherRemedies(hole: Hole | undefined, software: Software | undefined): readonly string[] {
  const first = hole === undefined ? [] : holeRemedies(hole, software);
  return [...(software === undefined ? [] : settingsFor(software)), ...GENERAL_REMEDIES].filter((line) => !first.includes(line));
}
