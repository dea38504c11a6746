import { Resolver } from 'node:dns/promises';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { openDaemon } from './daemon.ts';

export type ResolverKind = 'unbound' | 'named';

/** The Internet that a resolver lives in: its root, and the zones whose keys it knows, each by a DS record. */
export type Roots = { readonly root: string; readonly anchors: readonly Anchor[] };

/** A DS record (RFC 4034 §5) that a resolver trusts from the beginning. */
export type Anchor = {
  readonly zone: string;
  readonly tag: string;
  readonly algorithm: string;
  readonly digest: string;
  readonly hash: string;
};

export type RunningResolver = { readonly address: string; readonly stop: () => Promise<void> };

const STARTED_MS = 20_000; // takes half a second on an idle machine

/** Starts a resolver as Debian ships it, on port 53 of this address. */
export async function startResolver(kind: ResolverKind, address: string, roots: Roots): Promise<RunningResolver> {
  const daemon = openDaemon(kind);
  const { folder, inside } = daemon;
  writeFileSync(`${folder}/root.hints`, `. 3600 NS a.root.example.\na.root.example. 3600 A ${roots.root}\n`);
  writeFileSync(`${folder}/conf`, kind === 'unbound' ? unboundConf(inside, address, roots) : namedConf(inside, address, roots));
  const { stop } = daemon.start(
    kind === 'unbound'
      ? ['/usr/sbin/unbound', '-d', '-p', '-c', `${inside}/conf`]
      : ['/usr/sbin/named', '-f', '-4', '-n', '1', '-L', `${inside}/log`, '-c', `${inside}/conf`],
  );
  const resolver = new Resolver({ timeout: 500, tries: 1 });
  resolver.setServers([address]);
  for (const deadline = performance.now() + STARTED_MS; performance.now() < deadline; await wait(50)) {
    const answered = await resolver.resolveNs('.').catch(() => []);
    if (answered.length > 0) return { address, stop };
  }
  const log = existsSync(`${folder}/log`) ? readFileSync(`${folder}/log`, 'utf8') : 'no log';
  await stop();
  throw new Error(`${kind} does not answer; its log:\n${log}`);
}

// What a resolver keeps, believes and gives up is left as it is by default. Only the explanations of failures are asked for: Debian's
// Unbound gives none by itself.
function unboundConf(folder: string, address: string, { anchors }: Roots): string {
  return `server:
  interface: ${address}
  access-control: 0.0.0.0/0 allow
  do-ip6: no
  username: ""
  chroot: ""
  directory: "${folder}"
  pidfile: ""
  use-syslog: no
  logfile: "${folder}/log"
  root-hints: "${folder}/root.hints"
  ede: yes
${anchors.map(({ zone, tag, algorithm, digest, hash }) => `  trust-anchor: "${zone}. DS ${tag} ${algorithm} ${digest} ${hash}"\n`).join('')}remote-control:
  control-enable: no
`;
}

function namedConf(folder: string, address: string, { anchors }: Roots): string {
  return `options {
  directory "${folder}";
  listen-on { ${address}; };
  allow-query { any; };
  allow-recursion { any; };
  dnssec-validation yes;
  max-cache-size 16M;
  pid-file none;
  session-keyfile none;
  lock-file none;
};
controls { };
zone "." { type hint; file "${folder}/root.hints"; };
trust-anchors {
${anchors.map(({ zone, tag, algorithm, digest, hash }) => `  "${zone}." static-ds ${tag} ${algorithm} ${digest} "${hash}";\n`).join('')}};
`;
}
