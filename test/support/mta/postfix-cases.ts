import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { MtaCase, RunningMta } from './case.ts';
import { startFail2ban } from './fail2ban.ts';
import type { Namespace } from './namespace.ts';
import { type PostfixSetup, startPostfix } from './postfix.ts';
import type { Letter } from './stranger.ts';

type Settings = Readonly<Record<string, string>>;

const FOREIGN: Letter = { from: '<stranger@stranger.example>', to: '<someone@canary.example>' };
const EVERYONE: Settings = { mynetworks: '0.0.0.0/0' };
const OFFERS_TLS: Settings = { smtpd_tls_security_level: 'may', smtpd_tls_chain_files: '$config_directory/tls.pem' };
const DEMANDS_TLS: Settings = { ...OFFERS_TLS, smtpd_tls_security_level: 'encrypt' };
const TAKES_EVERYTHING: Settings = { ...EVERYONE, smtpd_reject_unlisted_recipient: 'no' };
const REFUSES_FOR_GOOD: Settings = relaysIf('reject_unauth_destination');

const GREYLIST_MS = 2_000;

/**
 * Debian's Postfix under the configurations that its manual, its default files and its users' mistakes make likely. A server that
 * puts off a first try (`postscreen`, `greylists`) takes the proof when it is sent again, as a mail server would.
 */
export const POSTFIX_CASES: readonly MtaCase[] = [
  { rule: 'relays nothing, with Debian’s defaults', truth: 'closed', start: configured() },
  { rule: 'relays nothing and refuses for good, not for now', truth: 'closed', start: configured(REFUSES_FOR_GOOD) },
  { rule: 'offers STARTTLS and relays nothing before or after it', truth: 'closed', start: configured(OFFERS_TLS) },
  { rule: 'demands STARTTLS and relays nothing after it', truth: 'closed', start: configured(DEMANDS_TLS) },
  {
    rule: 'relays nothing on ports 25, 465 and 587',
    truth: 'closed',
    start: configured(OFFERS_TLS, { services: listening(['587', {}], ['465', { smtpd_tls_wrappermode: 'yes' }]) }),
  },
  {
    rule: 'refuses every stranger in its greeting',
    truth: 'closed',
    told: ['untestable'],
    start: configured({ smtpd_delay_reject: 'no', smtpd_client_restrictions: 'reject' }),
  },
  {
    rule: 'refuses every sender at MAIL',
    truth: 'closed',
    told: ['untestable'],
    start: configured({ smtpd_delay_reject: 'no', smtpd_sender_restrictions: 'reject' }),
  },
  {
    rule: 'takes every foreign recipient and refuses DATA',
    truth: 'closed',
    start: configured({ ...EVERYONE, smtpd_data_restrictions: 'reject' }),
  },
  {
    rule: 'takes every foreign recipient and refuses the message after the dot, by its envelope',
    truth: 'closed',
    start: configured({ ...EVERYONE, smtpd_end_of_data_restrictions: 'check_recipient_access inline:{ served.example=OK } reject' }),
  },
  {
    rule: 'takes every foreign recipient and refuses the message after the dot, by its header',
    truth: 'closed',
    start: configured({ ...EVERYONE, header_checks: 'regexp:{{/^Subject:/ REJECT}}' }),
  },
  {
    rule: 'takes everything and throws foreign mail away',
    truth: 'closed',
    told: ['suspected'],
    start: configured({ ...TAKES_EVERYTHING, transport_maps: '' }),
  },
  {
    rule: 'takes everything and bounces foreign mail later',
    truth: 'closed',
    told: ['suspected'],
    start: configured({
      ...TAKES_EVERYTHING,
      transport_maps: '',
      default_transport: 'error:5.1.2 no such domain here',
    }),
  },
  {
    rule: 'takes any local part at its own domain, u%x, x!u and "u@x" among them',
    truth: 'closed',
    told: ['suspected'],
    start: configured({
      local_recipient_maps: '',
      allow_percent_hack: 'no',
      swap_bangpath: 'no',
      resolve_dequoted_address: 'no',
      allow_untrusted_routing: 'yes', // without it Postfix refuses them however it would deliver them
    }),
  },
  { rule: 'has postscreen with deep protocol tests in front and relays nothing', truth: 'closed', start: behindPostscreen() },
  { rule: 'has fail2ban beside it and relays nothing', truth: 'closed', start: besideFail2ban(REFUSES_FOR_GOOD) },

  { rule: 'relays for everyone', truth: 'open', proof: FOREIGN, start: configured(EVERYONE) },
  {
    rule: 'relays for the null sender only',
    truth: 'open',
    proof: { ...FOREIGN, from: '<>' },
    start: configured(relaysIf('check_sender_access inline:{ <>=OK }')),
  },
  {
    rule: 'relays for senders at the served domain only',
    truth: 'open',
    proof: { ...FOREIGN, from: '<postmaster@served.example>' },
    start: configured(relaysIf('check_sender_access inline:{ served.example=OK }')),
  },
  {
    rule: 'relays for whoever says to be the server itself in EHLO only',
    truth: 'open',
    proof: { ...FOREIGN, ehlo: 'mx.served.example' },
    start: configured(relaysIf('check_helo_access inline:{ mx.served.example=OK }')),
  },
  {
    rule: 'demands STARTTLS and relays for everyone after it',
    truth: 'open',
    proof: { ...FOREIGN, transport: 'starttls' },
    start: configured({ ...DEMANDS_TLS, ...EVERYONE }),
  },
  {
    rule: 'relays for everyone after STARTTLS and for nobody before it',
    truth: 'open',
    proof: { ...FOREIGN, transport: 'starttls' },
    start: askingPolicy(
      () => (asked) => (asked.get('encryption_protocol') ? 'OK' : 'DUNNO'),
      (service) => ({ ...OFFERS_TLS, ...relaysIf(`check_policy_service ${service}`) }),
    ),
  },
  {
    rule: 'relays for everyone on port 587 only',
    truth: 'open',
    proof: { ...FOREIGN, port: 587 },
    start: configured({}, { services: listening(['587', EVERYONE]) }),
  },
  {
    rule: 'relays for everyone on port 465 only',
    truth: 'open',
    proof: { ...FOREIGN, port: 465, transport: 'tls' },
    start: configured(OFFERS_TLS, { services: listening(['465', { ...EVERYONE, smtpd_tls_wrappermode: 'yes' }]) }),
  },
  { rule: 'relays for everyone over IPv6 only', truth: 'open', proof: FOREIGN, start: openOnIpv6 },
  {
    rule: 'relays u%x, x!u and "u@x" at its own domain by a policy that looks behind the last @ only',
    truth: 'open',
    proof: { ...FOREIGN, to: '<someone%canary.example@served.example>' },
    start: askingPolicy(
      () => (asked) => (asked.get('recipient')?.endsWith('@served.example') ? 'OK' : 'DUNNO'),
      (service) => relaysIf(`check_policy_service ${service}`),
    ),
  },
  {
    rule: 'relays u%x, x!u and "u@x" at its own domain through the server behind it, which trusts it',
    truth: 'open',
    proof: { ...FOREIGN, to: '<someone%canary.example@served.example>' },
    start: inFrontOfAnother,
  },
  {
    rule: 'greylists, and relays for everyone who tries again',
    truth: 'open',
    proof: FOREIGN,
    start: askingPolicy(greylist, (service) => ({ ...EVERYONE, smtpd_recipient_restrictions: `check_policy_service ${service}` })),
  },
  {
    rule: 'has postscreen with deep protocol tests in front and relays for everyone',
    truth: 'open',
    proof: FOREIGN,
    start: behindPostscreen(EVERYONE),
  },
];

function relaysIf(permitted: string): Settings {
  return { smtpd_relay_restrictions: `permit_mynetworks permit_sasl_authenticated ${permitted} reject_unauth_destination` };
}

function configured(settings: Settings = {}, setup: PostfixSetup = {}): MtaCase['start'] {
  return (namespace, n) => startPostfix(namespace, n, settings, setup);
}

/** Further services for smtpd, each a port and what differs there from main.cf. */
function listening(...services: readonly (readonly [port: string, options: Settings])[]): PostfixSetup['services'] {
  return (stock, address) => stock + services.map(([port, options]) => smtpd(`${address}:${port}`, options)).join('');
}

function smtpd(endpoint: string, options: Settings = {}): string {
  const overrides = Object.entries(options).map(([key, value]) => `  -o ${key}=${value}\n`);
  return `${endpoint} inet n - n - - smtpd\n${overrides.join('')}`;
}

/** All tests of POSTSCREEN_README, those after the greeting too: who passes them is put off once, and let through for a while. */
function behindPostscreen(settings: Settings = {}): MtaCase['start'] {
  const tests: Settings = {
    postscreen_access_list: '', // by default it lets $mynetworks pass untested
    postscreen_greet_action: 'enforce',
    postscreen_pipelining_enable: 'yes',
    postscreen_pipelining_action: 'enforce',
    postscreen_non_smtp_command_enable: 'yes',
    postscreen_bare_newline_enable: 'yes',
    postscreen_bare_newline_action: 'enforce',
  };
  const services = (stock: string, address: string) => {
    const front = `${address}:smtp inet n - n - 1 postscreen\nsmtpd pass - - n - - smtpd\ndnsblog unix - - n - 0 dnsblog\n`;
    return stock.replace(/^\S+:smtp inet .*\n/m, front);
  };
  return configured({ ...tests, ...settings }, { services });
}

function besideFail2ban(settings: Settings): MtaCase['start'] {
  return async (namespace, n) => {
    const postfix = await startPostfix(namespace, n, settings);
    return joined(postfix.address, postfix, () => startFail2ban(namespace, n, postfix.log));
  };
}

/** Gives the IPv6 address; the server is on the n-th IPv4 address too, and closed there. */
async function openOnIpv6(namespace: Namespace, n: number): Promise<RunningMta> {
  const address = namespace.address6(n);
  const settings = {
    inet_protocols: 'all',
    inet_interfaces: `${namespace.address(n)} ${address}`,
    mynetworks: '127.0.0.0/8 [::]/0',
  };
  const postfix = await startPostfix(namespace, n, settings, { services: (stock) => stock + smtpd(`[${address}]:smtp`) });
  return { address, stop: postfix.stop };
}

/** The loophole that `allow_untrusted_routing` of postconf(5) warns of: the server behind resolves u%x for a client that it trusts. */
async function inFrontOfAnother(namespace: Namespace, n: number): Promise<RunningMta> {
  const inside = `127.0.0.${n}`;
  const behind = await startPostfix(
    namespace,
    n,
    { myhostname: 'inside.served.example', mynetworks: `${namespace.address(n)}/32` }, // its own name would be a mail loop
    { inside },
  );
  return joined(namespace.address(n), behind, () =>
    startPostfix(namespace, n, {
      mydestination: 'localhost',
      relay_domains: 'served.example',
      allow_untrusted_routing: 'yes',
      allow_percent_hack: 'no',
      swap_bangpath: 'no',
      transport_maps: `inline:{ served.example=smtp:[${inside}]:25 }`,
    }),
  );
}

type Decide = (asked: ReadonlyMap<string, string>) => string;

/** A server that asks a policy service of ours (Postfix's SMTPD_POLICY_README), which starts with no memory. */
function askingPolicy(makeDecide: () => Decide, settings: (service: string) => Settings): MtaCase['start'] {
  return async (namespace, n) => {
    const policy = await startPolicy(namespace.ourAddress, makeDecide());
    return joined(namespace.address(n), policy, () => startPostfix(namespace, n, settings(policy.service)));
  };
}

async function startPolicy(address: string, decide: Decide): Promise<{ service: string; stop(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    let text = '';
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    socket.setEncoding('utf8').on('data', (part) => {
      const asked = (text + part).split('\n\n');
      text = asked.pop() ?? '';
      for (const each of asked) socket.write(`action=${decide(attributesOf(each))}\n\n`);
    });
  });
  server.listen(0, address);
  await once(server, 'listening');
  return {
    service: `inet:${address}:${(server.address() as AddressInfo).port}`,
    async stop() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function attributesOf(question: string): Map<string, string> {
  return new Map(question.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}

/** Puts off each new pair of sender and recipient from a client, as postgrey does, with its words. */
function greylist(): Decide {
  const firstSeen = new Map<string, number>();
  return (asked) => {
    const triplet = ['sender', 'recipient', 'client_address'].map((each) => asked.get(each)).join('\n');
    const now = performance.now();
    const since = firstSeen.get(triplet) ?? now;
    firstSeen.set(triplet, since);
    return now - since < GREYLIST_MS
      ? 'DEFER_IF_PERMIT 4.2.0 Greylisted, see http://postgrey.schweikert.ch/help/served.example.html'
      : 'DUNNO';
  };
}

type Running = { stop(): Promise<void> };

/** Starts a second program that the case needs, the second stopped before the first. */
async function joined(address: string, first: Running, startSecond: () => Promise<Running>): Promise<RunningMta> {
  try {
    const second = await startSecond();
    return {
      address,
      async stop() {
        await second.stop();
        await first.stop();
      },
    };
  } catch (error) {
    await first.stop();
    throw error;
  }
}
