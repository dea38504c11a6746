import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { MtaCase, RunningMta } from './case.ts';
import { startFail2ban } from './fail2ban.ts';
import type { Namespace } from './namespace.ts';
import { type PostfixSetup, startPostfix } from './postfix.ts';

export type Settings = Readonly<Record<string, string>>;

export const EVERYONE: Settings = { mynetworks: '0.0.0.0/0' };
export const OFFERS_TLS: Settings = { smtpd_tls_security_level: 'may', smtpd_tls_chain_files: '$config_directory/tls.pem' };
export const DEMANDS_TLS: Settings = { ...OFFERS_TLS, smtpd_tls_security_level: 'encrypt' };
export const REFUSES_FOR_GOOD: Settings = relaysIf('reject_unauth_destination');

/** Sends bounces out, which this Postfix otherwise throws away. */
export const BOUNCES: Settings = { header_checks: '', internal_mail_filter_classes: '' };
/** Leaves `%`, `!` and quotes in local parts alone. */
export const NO_HACKS: Settings = { allow_percent_hack: 'no', swap_bangpath: 'no', resolve_dequoted_address: 'no' };
/** Takes every local part. */
export const CATCH_ALL: Settings = {
  ...NO_HACKS,
  local_recipient_maps: '',
  allow_untrusted_routing: 'yes', // without it Postfix refuses them however it would deliver them
};

const GREYLIST_MS = 2_000;

export function relaysIf(permitted: string): Settings {
  return { smtpd_relay_restrictions: `permit_mynetworks permit_sasl_authenticated ${permitted} reject_unauth_destination` };
}

export function configured(settings: Settings = {}, setup: PostfixSetup = {}): MtaCase['start'] {
  return (namespace, n) => startPostfix(namespace, n, settings, setup);
}

/** Further services for smtpd, each a port and what differs there from main.cf. */
export function listening(...services: readonly (readonly [port: string, options: Settings])[]): PostfixSetup['services'] {
  return (stock, address) => stock + services.map(([port, options]) => smtpd(`${address}:${port}`, options)).join('');
}

export function smtpd(endpoint: string, options: Settings = {}): string {
  const overrides = Object.entries(options).map(([key, value]) => `  -o ${key}=${value}\n`);
  return `${endpoint} inet n - n - - smtpd\n${overrides.join('')}`;
}

/** All tests of POSTSCREEN_README, those after the greeting too: who passes them is put off once, and let through for a while. */
export function behindPostscreen(settings: Settings = {}): MtaCase['start'] {
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

export function besideFail2ban(settings: Settings): MtaCase['start'] {
  return async (namespace, n) => {
    const postfix = await startPostfix(namespace, n, settings);
    return joined(postfix.address, postfix, () => startFail2ban(namespace, n, postfix.log));
  };
}

/** Gives the IPv6 address; the server is on the n-th IPv4 address too, and closed there. */
export async function openOnIpv6(namespace: Namespace, n: number): Promise<RunningMta> {
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
export async function inFrontOfAnother(namespace: Namespace, n: number): Promise<RunningMta> {
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

export type Decide = (asked: ReadonlyMap<string, string>) => string;

/** A server that asks a policy service of ours (Postfix's SMTPD_POLICY_README), which starts with no memory. */
export function askingPolicy(makeDecide: () => Decide, settings: (service: string) => Settings): MtaCase['start'] {
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
export function greylist(): Decide {
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
export async function joined(address: string, first: Running, startSecond: () => Promise<Running>): Promise<RunningMta> {
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
