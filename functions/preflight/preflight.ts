import type { Dns } from '../../shared/network/lookups.ts';

/** What a receiving server would hold against us, found before it does. */
export type Fault = {
  readonly check:
    | 'name-forward'
    | 'name-reverse'
    | 'canary-mx'
    | 'below-canary-mx'
    | 'canary-spf'
    | 'bounces-mx'
    | 'bounces-spf'
    | 'blocklist';
  readonly detail: string;
};

export type Rules = {
  readonly ehloName: string;
  readonly canaryDomain: string;
  readonly egressAddress: string;
  readonly blocklists: readonly string[];
};

/**
 * Checks what makes our probes welcome: our EHLO name leads to our egress address and back, the canary domain and the names
 * below it take mail, it and the domain of our sender say who sends for them, and no blocklist that the operator watches has us. Gives the
 * faults; none is well.
 */
export async function preflight(rules: Rules, dns: Dns): Promise<Fault[]> {
  const { ehloName, egressAddress, canaryDomain } = rules;
  const sender = `bounces.${canaryDomain}`;
  const checks: (readonly [Fault['check'], string, Promise<boolean>])[] = [
    ['name-forward', `${ehloName} does not resolve to ${egressAddress}`, dns.resolve4(ehloName).then((all) => all.includes(egressAddress))],
    [
      'name-reverse',
      `${egressAddress} does not resolve back to ${ehloName}`,
      dns.reverse(egressAddress).then((all) => all.includes(ehloName)),
    ],
    ['canary-mx', `${canaryDomain} has no MX record`, takesMail(dns, canaryDomain)],
    ['below-canary-mx', `*.${canaryDomain} has no MX record`, takesMail(dns, `${ANY_NAME}.${canaryDomain}`)],
    ['canary-spf', `${canaryDomain} has no SPF record`, spfOf(dns, canaryDomain).then((spf) => spf !== undefined)],
    ['bounces-mx', `${sender} has no MX record`, takesMail(dns, sender)],
    [
      'bounces-spf',
      `${sender} has no SPF record with ${egressAddress}`,
      spfOf(dns, sender).then((spf) => spf?.includes(egressAddress) ?? false),
    ],
    ...rules.blocklists.map((zone) => ['blocklist', `${egressAddress} is listed in ${zone}`, notListed(dns, egressAddress, zone)] as const),
  ];
  const faults = await Promise.all(checks.map(async ([check, detail, holds]) => faultOf(check, detail, holds)));
  return faults.flat();
}

const ANY_NAME = 'served.example'; // two labels, as a served domain has at least

async function takesMail(dns: Dns, domain: string): Promise<boolean> {
  return (await dns.resolveMx(domain)).some((mx) => mx.exchange !== '');
}

async function spfOf(dns: Dns, domain: string): Promise<string | undefined> {
  return (await dns.resolveTxt(domain)).map((parts) => parts.join('')).find((text) => text.startsWith('v=spf1'));
}

async function faultOf(check: Fault['check'], detail: string, holds: Promise<boolean>): Promise<Fault[]> {
  try {
    return (await holds) ? [] : [{ check, detail }];
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    return [{ check, detail: code === 'ENOTFOUND' || code === 'ENODATA' ? detail : `could not be checked: ${code}` }];
  }
}

// A DNS blocklist answers with an address for what it lists, and with NXDOMAIN for what it does not (RFC 5782 §2.1).
async function notListed(dns: Dns, address: string, zone: string): Promise<boolean> {
  try {
    const answers = await dns.resolve4(`${address.split('.').reverse().join('.')}.${zone}`);
    return answers.length === 0;
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOTFOUND' || error.code === 'ENODATA')) return true;
    throw error;
  }
}
