import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { RunningMta } from './case.ts';
import { untilGreets } from './greeting.ts';
import { type Namespace, rootOf } from './namespace.ts';

/** What stands before a mail server on the n-th address, and what it stands before. */
export type Front = {
  /** Address of the server behind it. */
  readonly behind: string;
  /** Where strangers come to it. Without: the n-th IPv4 address. */
  readonly at?: string;
};

const PASSWD = 'root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n';
const GROUP = 'root:x:0:\nnogroup:x:65534:\n';
const MACHINE = relative(rootOf(''), '/'); // Node.js's root is the machine's

/** Starts Debian's nginx as a mail proxy that knows one server, and tells it of the client by XCLIENT if asked to. */
export async function startNginx(namespace: Namespace, n: number, { behind }: Front, xclient: boolean): Promise<RunningMta> {
  const address = namespace.address(n);
  const name = `nginx-${address}`;
  const configuration = `
load_module /usr/lib/nginx/modules/ngx_mail_module.so;
user nobody nogroup;
worker_processes 1;
pid /tmp/${name}.pid;
error_log /var/log/${name}.log;
events { worker_connections 64; }
http {
  access_log off;
  server {
    listen ${behind}:8080;
    location / {
      add_header Auth-Status OK;
      add_header Auth-Server ${behind};
      add_header Auth-Port 25;
      return 200 '';
    }
  }
}
mail {
  server_name mx.served.example;
  auth_http ${behind}:8080/;
  xclient ${xclient ? 'on' : 'off'};
  server { listen ${address}:25; protocol smtp; smtp_auth none; }
}
`;
  const folders = ['/var/lib/nginx', '/var/log/nginx'];
  return startFront(namespace, address, 'nginx', { name, configuration, folders }, ['/usr/sbin/nginx', '-g', 'daemon off;', '-c']);
}

/** Starts Debian's HAProxy, which passes connections on and tells of the client by this version of its PROXY protocol, if by one. */
export async function startHaproxy(namespace: Namespace, n: number, front: Front, version?: 1 | 2): Promise<RunningMta> {
  const { behind, at = namespace.address(n) } = front;
  const configuration = `
defaults
  mode tcp
  timeout connect 5s
  timeout client 3m
  timeout server 3m
listen smtp
  bind ${at}:25
  server only ${behind}:25${version === undefined ? '' : { 1: ' send-proxy', 2: ' send-proxy-v2' }[version]}
`;
  return startFront(namespace, at, 'haproxy', { name: `haproxy-${namespace.address(n)}`, configuration }, [
    '/usr/sbin/haproxy',
    '-db',
    '-f',
  ]);
}

// What Docker's userland proxy does, and rinetd and others: bytes to and fro, from an address of its own.
const FORWARD = `
const [at, behind, own] = process.argv.slice(1);
const { createServer, connect } = require('node:net');
createServer((client) => {
  const server = connect({ host: behind, port: 25, localAddress: own });
  client.pipe(server).pipe(client);
  client.on('error', () => server.destroy()).on('close', () => server.destroy());
  server.on('error', () => client.destroy()).on('close', () => client.destroy());
}).listen(25, at);
`;

/** Starts a plain forwarder that reaches the server from the address `own`. */
export async function startForwarder(namespace: Namespace, n: number, front: Front, own: string): Promise<RunningMta> {
  const { behind, at = namespace.address(n) } = front;
  const child = namespace.spawn(MACHINE, [process.execPath, '-e', FORWARD, at, behind, own], { stdio: 'ignore', detached: true });
  return whenGreets(child, at, '');
}

type Files = { readonly name: string; readonly configuration: string; readonly folders?: readonly string[] };

async function startFront(
  namespace: Namespace,
  address: string,
  program: 'nginx' | 'haproxy',
  { name, configuration, folders = [] }: Files,
  command: readonly string[],
): Promise<RunningMta> {
  const root = rootOf(program);
  for (const [path, text] of [
    ['/etc/passwd', PASSWD],
    ['/etc/group', GROUP],
  ] as const)
    if (!existsSync(root + path) || readFileSync(root + path, 'utf8') !== text) writeFileSync(root + path, text);
  for (const folder of folders) mkdirSync(root + folder, { recursive: true });
  const [config, log] = [`/etc/${name}.conf`, `${root}/var/log/${name}.log`];
  rmSync(log, { force: true });
  writeFileSync(root + config, configuration);
  const output = openSync(log, 'a');
  const child = namespace.spawn(program, [...command, config], { stdio: ['ignore', output, output], detached: true });
  closeSync(output);
  return whenGreets(child, address, log);
}

async function whenGreets(child: ReturnType<Namespace['spawn']>, address: string, log: string): Promise<RunningMta> {
  const exit = once(child, 'exit');
  const stop = async () => {
    child.kill('SIGTERM');
    await exit;
  };
  await untilGreets(address, log).catch(async (error) => {
    await stop();
    throw error;
  });
  return { address, stop };
}
