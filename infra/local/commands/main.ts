// `npm start`: the whole service on one machine.
import { DEMO_DOMAINS, DEMO_PORT } from '../service/demo-servers.ts';
import { narrate } from '../service/narrate.ts';
import { type LocalService, startService } from '../service/service.ts';
import { readOptions, UsageError } from './options.ts';

const STOP_MS = 5_000; // what has not ended by then is ended

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options === undefined) return;
  say('starting engines and handlers ...');
  const service = await startService(options, {
    onLog(line) {
      const words = narrate(line);
      if (words !== undefined) say(words);
    },
    onFailure(why) {
      console.error(`relay-audit: ${why}`);
      process.exit(1);
    },
  });
  endWithParent(service);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void shutDown(service));
  const demoHosts = await registerDemo(service);
  if (!stopping) introduce(service, demoHosts);
}

function say(words: string): void {
  console.log(`${new Date().toISOString().slice(11, 19)}  ${words}`);
}

function introduce({ baseUrl, mailUrl, apiKey, folder, canaryMailbox, demo }: LocalService, demoHosts: readonly string[]): void {
  const authorization = `-H 'Authorization: Bearer ${apiKey}'`;
  console.log(`
Relay Audit is ready.

  pages     ${baseUrl}/   (sign in as owner@relay-audit.example; the link is among the mails)
  API       ${baseUrl}
  mails     ${mailUrl}
  data      ${folder.path}
  canaries  come back to ${canaryMailbox.address} port ${canaryMailbox.port}
  API key   ${apiKey}

Try:

  curl -s ${authorization} ${baseUrl}/v1/hosts
  curl -s ${authorization} -H 'Content-Type: application/json' -d '{"name":"127.0.0.1"}' ${baseUrl}/v1/hosts
  curl -s ${authorization} ${baseUrl}${demoHosts[0] === undefined ? '/v1/openapi.json' : `/v1/hosts/${demoHosts[0]}/scans`}

${demo === undefined ? '' : `The demo server ${demo.addresses.open} port ${DEMO_PORT} is there to be mended, with npm run demo -- close, and broken again, with open.\n`}
Ctrl-C stops it; nothing is lost.
`);
}

/** Registers the demo servers through the public API at the first start. Gives their ids. */
async function registerDemo({ baseUrl, apiKey, demo, folder }: LocalService): Promise<string[]> {
  if (demo === undefined) return [];
  const known = folder.read().demoHosts;
  if (known?.length === 2) return known;
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' };
  // After a kill in between, the first may be registered already; a new folder has no other hosts to page through.
  const listed = (await (await fetch(`${baseUrl}/v1/hosts`, { headers })).json()) as { items: { id: string; name: string }[] };
  const ids: string[] = [];
  for (const which of ['open', 'closed'] as const) {
    const name = demo.addresses[which];
    const already = listed.items.find((host) => host.name === name);
    if (already !== undefined) {
      ids.push(already.id);
      continue;
    }
    const body = JSON.stringify({ name, ports: [DEMO_PORT], period: 'hour', servedDomains: [DEMO_DOMAINS[which]] });
    const response = await fetch(`${baseUrl}/v1/hosts`, { method: 'POST', headers, body });
    const host = (await response.json()) as { id: string };
    if (response.status !== 201) throw new Error(`the demo server ${name} could not be registered: ${JSON.stringify(host)}`);
    say(`registered the ${which} demo server ${name} port ${DEMO_PORT}`);
    ids.push(host.id);
  }
  folder.update({ demoHosts: ids });
  return ids;
}

let stopping = false;

async function shutDown(service: LocalService): Promise<void> {
  if (stopping) return;
  stopping = true;
  say('stopping ...');
  setTimeout(() => process.exit(0), STOP_MS).unref();
  await service.stop();
  process.exit(0);
}

// A killed npm cannot pass the signal on, and a process left behind would keep the data folder locked.
function endWithParent(service: LocalService): void {
  if (process.env.npm_lifecycle_event !== 'start') return;
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) void shutDown(service);
  }, 500).unref();
}

main().catch((error: unknown) => {
  console.error(error instanceof UsageError ? `relay-audit: ${error.message}` : error);
  process.exit(1);
});
