import { describe, expect, test } from 'vitest';
import { PROVIDER_KINDS, PROVIDERS, providerOf } from '../../../shared/domain/mail-providers.ts';

const entries = PROVIDER_KINDS.flatMap((kind) =>
  Object.entries(PROVIDERS[kind]).flatMap(([provider, patterns]) => patterns.map((pattern) => ({ kind, provider, pattern }))),
);
const sampleOf = (pattern: string) => pattern.replaceAll('*', 'a-1').replaceAll('#', '07');

describe('the names of provider’s mail servers are known', () => {
  test.each([
    ['aspmx.l.google.com', 'Google Workspace', 'mailbox-provider'],
    ['alt1.aspmx.l.google.com', 'Google Workspace', 'mailbox-provider'],
    ['ASPMX2.GOOGLEMAIL.COM.', 'Google Workspace', 'mailbox-provider'],
    ['smtp.google.com', 'Google Workspace', 'mailbox-provider'],
    ['example-org.mail.protection.outlook.com', 'Microsoft 365', 'mailbox-provider'],
    ['example-org.c-v1.mx.microsoft', 'Microsoft 365', 'mailbox-provider'],
    ['mta5.am0.yahoodns.net', 'Yahoo and AOL', 'mailbox-provider'],
    ['mx01.mail.icloud.com', 'iCloud', 'mailbox-provider'],
    ['in1-smtp.messagingengine.com', 'Fastmail', 'mailbox-provider'],
    ['mailsec.protonmail.ch', 'Proton', 'mailbox-provider'],
    ['mx2.zoho.eu', 'Zoho', 'mailbox-provider'],
    ['mx.yandex.net', 'Yandex', 'mailbox-provider'],
    ['emx.mail.ru', 'Mail.ru', 'mailbox-provider'],
    ['mx00.emig.gmx.net', 'GMX', 'mailbox-provider'],
    ['mx01.ionos.de', 'IONOS', 'mailbox-provider'],
    ['mx00.kundenserver.de', 'IONOS', 'mailbox-provider'],
    ['smtpin.rzone.de', 'STRATO', 'mailbox-provider'],
    ['mx1.mail.ovh.net', 'OVHcloud', 'mailbox-provider'],
    ['spool.mail.gandi.net', 'Gandi', 'mailbox-provider'],
    ['mta-gw.infomaniak.ch', 'Infomaniak', 'mailbox-provider'],
    ['mxext1.mailbox.org', 'mailbox.org', 'mailbox-provider'],
    ['mx01.posteo.de', 'Posteo', 'mailbox-provider'],
    ['mx1.emailsrvr.com', 'Rackspace Email', 'mailbox-provider'],
    ['smtp.secureserver.net', 'GoDaddy Email', 'mailbox-provider'],
    ['mailstore1.europe.secureserver.net', 'GoDaddy Email', 'mailbox-provider'],
    ['mx1.privateemail.com', 'Namecheap Private Email', 'mailbox-provider'],
    ['mx2.hostinger.com', 'Hostinger Email', 'mailbox-provider'],
    ['inbound-smtp.eu-west-1.amazonaws.com', 'Amazon SES or WorkMail', 'mailbox-provider'],
    ['eu-smtp-inbound-1.mimecast.com', 'Mimecast', 'filter'],
    ['mx0a-00123456.pphosted.com', 'Proofpoint', 'filter'],
    ['mx1-eu1.ppe-hosted.com', 'Proofpoint Essentials', 'filter'],
    ['d123456.a.ess.uk.barracudanetworks.com', 'Barracuda', 'filter'],
    ['mx1.hc1234-56.eu.iphmx.com', 'Cisco Secure Email', 'filter'],
    ['mx-01-eu-west-1.prod.hydra.sophos.com', 'Sophos Email', 'filter'],
    ['example.in.tmes.trendmicro.eu', 'Trend Micro Email Security', 'filter'],
    ['route1.mx.cloudflare.net', 'Cloudflare Email Routing', 'filter'],
    ['mx1.forwardemail.net', 'Forward Email', 'filter'],
    ['mx2.improvmx.com', 'ImprovMX', 'filter'],
    ['mxa.eu.mailgun.org', 'Mailgun', 'filter'],
    ['mx.sendgrid.net', 'SendGrid Inbound Parse', 'filter'],
    ['www537.your-server.de', 'Hetzner web hosting', 'shared-hosting'],
    ['w0123456.kasserver.com', 'ALL-INKL', 'shared-hosting'],
    ['box5620.bluehost.com', 'Bluehost', 'shared-hosting'],
    ['gator4166.hostgator.com', 'HostGator', 'shared-hosting'],
    ['p3plcpnl0995.prod.phx3.secureserver.net', 'GoDaddy hosting', 'shared-hosting'],
  ] as const)('%s is run by %s, a %s', (name, provider, kind) => {
    expect(providerOf(name)).toEqual({ provider, kind });
  });
});

describe('a name that only looks like a provider’s is nobody’s', () => {
  test.each([
    ['another label that ends alike', 'evilgoogle.com'],
    ['another label that ends alike, with a server’s name', 'aspmx.l.evilgoogle.com'],
    ['the provider’s name at the front', 'aspmx.l.google.com.evil.example'],
    ['the provider’s name in the middle', 'mx.mimecast.com.example.org'],
    ['a hyphen in place of the dot', 'example-mx.microsoft.example'],
    ['another top-level domain', 'mx00.ionos.evil'],
    ['the provider’s name as one label', 'iphmx-com.example'],
    ['a dot where the pattern has another character', 'iphmxxcom'],
    ['a label where the pattern has a number', 'wwwevil.your-server.de'],
    ['no number where the pattern has one', 'www.your-server.de'],
    ['more labels than the pattern has', 'inbound-smtp.a.b.amazonaws.com'],
    ['nothing', ''],
  ])('%s: %s', (_, name) => {
    expect(providerOf(name)).toBeUndefined();
  });
});

describe('what customers run in a provider’s networks is theirs to audit', () => {
  test.each([
    ['a dedicated server at Hetzner', 'static.1.2.0.192.clients.your-server.de'],
    ['a virtual server at OVHcloud', 'vps-1234abcd.vps.ovh.net'],
    ['a server at STRATO', 'h1234567.stratoserver.net'],
    ['an instance at Amazon', 'ec2-192-0-2-1.eu-west-1.compute.amazonaws.com'],
    ['an instance at Google', '1.2.0.192.bc.googleusercontent.com'],
    ['a virtual server at GoDaddy', '1.2.0.192.host.secureserver.net'],
    ['a virtual server at Hostinger', 'srv123456.hstgr.cloud'],
    ['a virtual server at IONOS', 's12345678.onlinehome-server.info'],
    ['a server at Bluehost and its sisters', '192-0-2-1.unifiedlayer.com'],
  ])('%s', (_, name) => {
    expect(providerOf(name)).toBeUndefined();
  });
});

describe('every pattern', () => {
  test.each(entries)('$pattern stands for a name of $provider and all below it, on label borders only', ({ kind, provider, pattern }) => {
    const sample = sampleOf(pattern);
    expect(providerOf(sample)).toEqual({ provider, kind });
    expect(providerOf(`a.b.${sample}`)).toEqual({ provider, kind });
    expect(providerOf(`evil${sample}`)).toBeUndefined();
    expect(providerOf(`${sample}.evil.example`)).toBeUndefined();
  });

  test('is written in lower-case labels, with its last two in full, and only once', () => {
    for (const { pattern } of entries) expect(pattern).toMatch(/^([a-z0-9*#-]+\.)*[a-z0-9-]+\.[a-z]+$/);
    expect(new Set(entries.map(({ pattern }) => pattern)).size).toBe(entries.length);
  });
});
