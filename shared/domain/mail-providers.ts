/**
 * What a provider does for the domains of others: it keeps their mail; it takes their mail and passes it on (filters,
 * forwarders, gateways into applications); or it runs a machine that many of them share.
 */
export const PROVIDER_KINDS = ['mailbox-provider', 'filter', 'shared-hosting'] as const;

export type ProviderKind = (typeof PROVIDER_KINDS)[number];

/** Who runs a mail server that is not its customers' to audit. */
export type RunBy = { readonly provider: string; readonly kind: ProviderKind };

/**
 * The names that providers give their mail servers, as MX records and reverse DNS show them. A pattern stands for itself and
 * for every name below it; `*` is one whole label, `#` is a number. Names under which providers let customers run servers of
 * their own are left out on purpose (`clients.your-server.de`, `vps.ovh.net`, `stratoserver.net`, `unifiedlayer.com`,
 * `compute.amazonaws.com`): those may well be the customer's to audit. Written down in November 2026.
 */
export const PROVIDERS: Record<ProviderKind, Readonly<Record<string, readonly string[]>>> = {
  'mailbox-provider': {
    'Google Workspace': ['l.google.com', 'smtp.google.com', 'googlemail.com', '1e100.net'],
    'Microsoft 365': [
      'mail.protection.outlook.com',
      'olc.protection.outlook.com',
      'inbound.protection.outlook.com',
      'mx.microsoft',
      'mail.eo.outlook.com',
      'mail.protection.partner.outlook.cn',
      'mail.protection.office365.us',
    ],
    'Yahoo and AOL': ['yahoodns.net', 'biz.mail.yahoo.com'],
    iCloud: ['mail.icloud.com'],
    Fastmail: ['messagingengine.com'],
    Proton: ['protonmail.ch'],
    Tuta: ['tutanota.de'],
    Zoho: [
      ...['zoho.com', 'zoho.eu', 'zoho.in', 'zoho.com.au', 'zoho.com.cn', 'zoho.jp', 'zoho.sa', 'zohocloud.ca'],
      ...['zohomail.com', 'zohomail.eu', 'zohomail.in'],
    ],
    Yandex: ['mx.yandex.net', 'mx.yandex.ru', 'mx.yandex.com'],
    'Mail.ru': ['emx.mail.ru', 'mxs.mail.ru'],
    GMX: ['gmx.net', 'gmx.com'],
    'WEB.DE': ['mx-ha.web.de', 'mx-ha#.web.de'],
    'mail.com': ['mx#.mail.com'],
    IONOS: [
      ...['mx#.ionos.de', 'mx#.ionos.com', 'mx#.ionos.co.uk', 'mx#.ionos.fr', 'mx#.ionos.es', 'mx#.ionos.it'],
      ...['mx#.1and1.com', 'mx#.1and1.co.uk', 'mx#.1and1.fr', 'mx#.1and1.es', 'mx#.1and1.it'],
      ...['mx#.kundenserver.de', 'mx#.perfora.net', 'mx#.schlund.de'],
    ],
    STRATO: ['rzone.de'],
    OVHcloud: ['mail.ovh.net', 'mail.ovh.ca'],
    Gandi: ['mail.gandi.net'],
    Infomaniak: ['mta-gw.infomaniak.ch'],
    Hostpoint: ['mail.hostpoint.ch'],
    TransIP: ['transip.email'],
    'mailbox.org': ['mailbox.org'],
    Posteo: ['posteo.de'],
    Runbox: ['mx.runbox.com'],
    Migadu: ['migadu.com'],
    MXroute: ['mxrouting.net', 'mxlogin.com'],
    'Rackspace Email': ['emailsrvr.com'],
    'GoDaddy Email': [
      ...['smtp.secureserver.net', 'mailstore1.secureserver.net'],
      ...['smtp.*.secureserver.net', 'mailstore1.*.secureserver.net'],
    ],
    'Namecheap Private Email': ['privateemail.com'],
    'Hostinger Email': ['mx#.hostinger.com', 'mx#.hostinger.co.uk', 'mx#.hostinger.com.br', 'mx#.hostinger.in', 'mx#.hostinger.es'],
    Titan: ['titan.email'],
    'ResellerClub mail': ['mailhostbox.com'],
    'Amazon SES or WorkMail': ['inbound-smtp.*.amazonaws.com'],
    Seznam: ['mx#.seznam.cz', 'emailprofi.seznam.cz'],
    'Tencent Exmail': ['mxbiz#.qq.com', 'mx#.qq.com'],
    'Alibaba Mail': ['mxhichina.com', 'qiye.aliyun.com'],
    'NetEase Mail': ['mxmail.netease.com'],
    'Naver Works': ['worksmobile.com'],
  },
  filter: {
    Mimecast: ['mimecast.com', 'mimecast.co.za', 'mimecast-offshore.com'],
    Proofpoint: ['pphosted.com', 'gpphosted.com'],
    'Proofpoint Essentials': ['ppe-hosted.com'],
    Barracuda: ['ess.barracudanetworks.com', 'ess.*.barracudanetworks.com'],
    'Cisco Secure Email': ['iphmx.com'],
    'Sophos Email': ['hydra.sophos.com'],
    'Trend Micro Email Security': ['in.*.trendmicro.com', 'in.*.trendmicro.eu', 'in.*.trendmicro.co.jp'],
    'Symantec Email Security.cloud': ['messagelabs.com'],
    'Forcepoint Email Security': ['mailcontrol.com'],
    Hornetsecurity: ['hornetsecurity.com', 'antispameurope.com'],
    'N-able Mail Assure': ['antispamcloud.com', 'mx.spamexperts.com'],
    'FortiMail Cloud': ['fortimailcloud.com'],
    'Trellix Email Security': ['fireeyecloud.com'],
    Combell: ['mailprotect.be'],
    'Cloudflare Email Security': ['mxrecord.io', 'mxrecord.mx'],
    'Cloudflare Email Routing': ['mx.cloudflare.net'],
    'Forward Email': ['forwardemail.net'],
    ImprovMX: ['improvmx.com'],
    'Namecheap forwarding': ['eforward#.registrar-servers.com'],
    SimpleLogin: ['simplelogin.co'],
    'addy.io': ['mail.anonaddy.me', 'mail#.anonaddy.me'],
    Mailgun: ['mailgun.org'],
    'SendGrid Inbound Parse': ['mx.sendgrid.net'],
    Postmark: ['inbound.postmarkapp.com'],
    SparkPost: ['sparkpostmail.com'],
    Mandrill: ['in#.mandrillapp.com'],
  },
  'shared-hosting': {
    'Hetzner web hosting': ['www#.your-server.de', 'dedi#.your-server.de', 'mail.your-server.de'],
    'ALL-INKL': ['kasserver.com'],
    'Host Europe': ['webpack.hosteurope.de'],
    domainFACTORY: ['mxlb.ispgateway.de'],
    Mittwald: ['agenturserver.de'],
    Uberspace: ['uberspace.de'],
    'one.com': ['pub.*.one.com'],
    Loopia: ['mailcluster.loopia.se'],
    'home.pl': ['serwer#.home.pl'],
    Bluehost: ['box#.bluehost.com'],
    HostGator: ['gator#.hostgator.com'],
    HostMonster: ['host#.hostmonster.com'],
    JustHost: ['just#.justhost.com'],
    DreamHost: ['mail.dreamhost.com'],
    SiteGround: ['mailspamprotection.com'],
    'Namecheap hosting': ['web-hosting.com', 'jellyfish.systems'],
    'GoDaddy hosting': ['prod.*.secureserver.net'],
    'InMotion Hosting': ['ecbiz#.inmotionhosting.com', 'biz#.inmotionhosting.com'],
    Xserver: ['sv#.xserver.jp'],
    'Sakura Internet': ['www#.sakura.ne.jp'],
  },
};

const KNOWN = PROVIDER_KINDS.flatMap((kind) =>
  Object.entries(PROVIDERS[kind]).map(([provider, patterns]) => ({ runBy: { provider, kind }, shape: shapeOf(patterns) })),
);

/**
 * Who runs the server of this name, by the name alone; undefined when no provider that we know does. Only whole labels at
 * the end of the name count, so `evilgoogle.com` and `aspmx.l.google.com.evil.example` are nobody's.
 */
export function providerOf(name: string): RunBy | undefined {
  const plain = name.toLowerCase().replace(/\.$/, '');
  return KNOWN.find(({ shape }) => shape.test(plain))?.runBy;
}

function shapeOf(patterns: readonly string[]): RegExp {
  const forms = patterns.map((pattern) => pattern.replaceAll('.', '\\.').replaceAll('*', '[^.]+').replaceAll('#', '[0-9]+'));
  return new RegExp(`^(?:.*\\.)?(?:${forms.join('|')})$`);
}
