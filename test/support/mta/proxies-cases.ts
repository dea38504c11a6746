import type { MtaCase, RunningMta } from './case.ts';
import { startExim } from './exim.ts';
import { startHaraka } from './haraka.ts';
import type { Namespace } from './namespace.ts';
import { startOpenSmtpd } from './opensmtpd.ts';
import { startPostfix } from './postfix.ts';
import { joined, relaysIf, type Settings } from './postfix-setups.ts';
import { type Front, startForwarder, startHaproxy, startNginx } from './proxies.ts';
import { startSendmail } from './sendmail.ts';
import type { Letter } from './stranger.ts';

const FOREIGN: Letter = { from: '<stranger@stranger.example>', to: '<someone@canary.example>' };
const NULL_SENDER: Letter = { ...FOREIGN, from: '<>' };
const TRUSTS_NOBODY: Settings = { mynetworks: '', smtpd_relay_restrictions: 'reject_unauth_destination' };
const TAKES_XCLIENT: Settings = { smtpd_authorized_xclient_hosts: '127.0.0.0/8' };
const TAKES_PROXY: Settings = { smtpd_upstream_proxy_protocol: 'haproxy' };

type Behind = (namespace: Namespace, n: number, inside: string) => Promise<{ stop(): Promise<void> }>;
type InFront = (namespace: Namespace, n: number, front: Front) => Promise<RunningMta>;

const nginx =
  (xclient = false): InFront =>
  (namespace, n, front) =>
    startNginx(namespace, n, front, xclient);

const haproxy =
  (version?: 1 | 2): InFront =>
  (namespace, n, front) =>
    startHaproxy(namespace, n, front, version);

/** As the gateway of a container network: it calls from the n-th address, which is the server's neighbour. */
const gateway: InFront = (namespace, n, front) => startForwarder(namespace, n, front, namespace.address(n));

const postfix =
  (settings: Settings = {}): Behind =>
  (namespace, n, inside) =>
    startPostfix(namespace, n, settings, { inside });

function inFront(front: InFront, behind: Behind): MtaCase['start'] {
  return async (namespace, n) => {
    const inside = `127.0.0.${n}`;
    const server = await behind(namespace, n, inside);
    return joined(namespace.address(n), server, () => front(namespace, n, { behind: inside }));
  };
}

const NGINX: readonly MtaCase[] = [
  { rule: 'is nginx before a Postfix that trusts its own machine', truth: 'open', proof: FOREIGN, start: inFront(nginx(), postfix()) },
  { rule: 'is nginx before a Postfix that trusts nobody', truth: 'closed', start: inFront(nginx(), postfix(TRUSTS_NOBODY)) },
  {
    rule: 'is nginx that tells Postfix of the client by XCLIENT',
    truth: 'closed',
    start: inFront(nginx(true), postfix(TAKES_XCLIENT)),
  },
  {
    rule: 'is nginx that tells Postfix of the client by XCLIENT, and relays for the null sender only',
    truth: 'open',
    proof: NULL_SENDER,
    start: inFront(nginx(true), postfix({ ...TAKES_XCLIENT, ...relaysIf('check_sender_access inline:{ <>=OK }') })),
  },
];

const HAPROXY: readonly MtaCase[] = [
  { rule: 'is HAProxy before a Postfix that trusts its own machine', truth: 'open', proof: FOREIGN, start: inFront(haproxy(), postfix()) },
  { rule: 'is HAProxy before a Postfix that trusts nobody', truth: 'closed', start: inFront(haproxy(), postfix(TRUSTS_NOBODY)) },
  {
    rule: 'is HAProxy that tells Postfix of the client by its PROXY protocol',
    truth: 'closed',
    start: inFront(haproxy(1), postfix(TAKES_PROXY)),
  },
  {
    rule: 'is HAProxy before an Exim that trusts its own machine',
    truth: 'open',
    proof: FOREIGN,
    start: inFront(haproxy(), (namespace, n, inside) => startExim(namespace, n, { foreignMail: 'canary-delivered', inside })),
  },
  {
    rule: 'is HAProxy before a Sendmail that trusts its own machine',
    truth: 'open',
    proof: FOREIGN,
    start: inFront(haproxy(), (namespace, n, inside) => startSendmail(namespace, n, { inside })),
  },
  {
    rule: 'is HAProxy before an OpenSMTPD that trusts its own machine',
    truth: 'open',
    proof: FOREIGN,
    start: inFront(haproxy(), (namespace, n, inside) => startOpenSmtpd(namespace, n, { inside })),
  },
  {
    rule: 'is HAProxy that tells OpenSMTPD of the client by its PROXY protocol',
    truth: 'closed',
    start: inFront(haproxy(2), (namespace, n, inside) => startOpenSmtpd(namespace, n, { inside, listen: ['$ipv4 proxy-v2'] })),
  },
  {
    rule: 'is HAProxy before a Haraka that trusts its own machine',
    truth: 'open',
    proof: FOREIGN,
    start: inFront(haproxy(), haraka()),
  },
  {
    rule: 'is HAProxy that tells Haraka of the client by its PROXY protocol, and takes any local part of its domain',
    truth: 'closed',
    start: inFront(haproxy(1), haraka('127.0.0.0/8')),
  },
];

const FORWARDERS: readonly MtaCase[] = [
  {
    rule: 'is reached through a container’s gateway, whose network it trusts',
    truth: 'open',
    proof: FOREIGN,
    start: inFront(gateway, (namespace, n, inside) => startPostfix(namespace, n, { mynetworks: `${namespace.address(n)}/32` }, { inside })),
  },
  {
    rule: 'is reached through a container’s gateway, whose network it does not trust',
    truth: 'closed',
    start: inFront(gateway, postfix({ mynetworks: '127.0.0.0/8' })),
  },
  {
    rule: 'is reached through a container’s gateway over IPv6 only, whose network it trusts',
    truth: 'open',
    proof: FOREIGN,
    start: overIpv6ByGateway,
  },
];

/** Debian's proxies and plain forwarders in front of each server: those behind them see the proxy's address, unless it tells them another. */
export const PROXIES_CASES: readonly MtaCase[] = [...NGINX, ...HAPROXY, ...FORWARDERS];

function haraka(proxies = ''): Behind {
  return (namespace, n, inside) =>
    startHaraka(namespace, n, {
      inside,
      proxies,
      plugins: ['relay', 'rcpt_to.in_host_list'],
      config: { relay_acl_allow: '127.0.0.0/8\n' },
    });
}

/** As Docker publishes a port: IPv4 by the kernel, which keeps the client's address, IPv6 by a program, which does not. */
async function overIpv6ByGateway(namespace: Namespace, n: number): Promise<RunningMta> {
  const [direct, at] = [namespace.address(n), namespace.address6(n)];
  const server = await startPostfix(namespace, n, { mynetworks: `127.0.0.0/8 ${direct}/32` });
  return joined(at, server, () => startForwarder(namespace, n, { behind: direct, at }, direct));
}
