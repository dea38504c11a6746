// Runs in a network of its own, which has public addresses on its loopback: a newcomer's way from POST /v1/accounts to the
// first verdict, with a real name server, and what becomes of the host when its proofs go. Prints one object of JSON.
import { SMTPServer } from 'smtp-server';
import { startDns } from './dns/server.ts';
import { type Answer, call, eventually, startLocalService, temporaryFolder } from './local-service.ts';

const OURS = '192.88.98.1'; // a public address of nobody's mail server, here only on loopback
const THEIRS = '192.88.98.2';
const NAME = 'mx.customer.example';
const ADDRESSES = [`mx A ${OURS}`, `stranger A ${THEIRS}`];
const MAIL = ['@ MX 10 mx'];

const opened: string[] = []; // addresses that a connection was made to

async function listen(address: string): Promise<SMTPServer> {
  const server = new SMTPServer({
    name: address === OURS ? NAME : 'mx.stranger.example',
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    logger: false,
    onConnect(_session, callback) {
      opened.push(address);
      callback();
    },
    onRcptTo({ address: to }, _session, callback) {
      callback(
        to === 'postmaster@customer.example' ? undefined : Object.assign(new Error('5.7.1 Relay access denied'), { responseCode: 550 }),
      );
    },
  });
  server.on('error', () => {});
  await new Promise<void>((done) => server.listen(25, address, () => done()));
  return server;
}

async function flow() {
  const servers = await Promise.all([OURS, THEIRS].map(listen));
  const dns = await startDns({
    'customer.example': [...ADDRESSES, ...MAIL],
    '98.88.192.in-addr.arpa': [`1 PTR ${NAME}.`, '2 PTR mx.stranger.example.'],
  });
  const service = await startLocalService(['--data', temporaryFolder(), '--port', '8125', '--no-demo'], { DNS_SERVERS: dns.address });
  const asked: string[] = [];
  let key = '';
  const ask = async (method: string, path: string, body?: unknown): Promise<Answer> => {
    asked.push(`${method} ${path}`);
    return call(service.baseUrl + path, method, key, body);
  };
  try {
    const applied = await ask('POST', '/v1/accounts', { email: 'owner@customer.example' });
    const token = await eventually(async () => {
      const mail = (await service.mails()).find(({ destination }) => destination.to.includes('owner@customer.example'));
      return /[?&]token=([\w.~-]+)/.exec(mail?.body.text ?? '')?.[1];
    }, 'the confirmation mail');
    const confirmed = await ask('POST', '/v1/confirmations', { token });
    key = confirmed.body.apiKey;
    const proposal = await ask('GET', '/v1/proposals?name=customer.example');
    const registered = await ask('POST', '/v1/hosts', { name: NAME, servedDomains: ['customer.example'], ports: [25] });
    const path = `/v1/hosts/${registered.body.id}`;
    const before = await ask('GET', `${path}/consent`);
    const untouched = opened.length;
    const record = `_relay-audit TXT "${before.body.token}"`;
    await dns.change('customer.example', [...ADDRESSES, ...MAIL, record]);
    const checked = await ask('POST', `${path}/consent/check`);
    const finished = await scanned(service.baseUrl, path, key, checked.body.scan);
    const newcomer = asked.length + 1;
    // The proof goes: the next scan sends nothing.
    const during = opened.length;
    await dns.change('customer.example', [...ADDRESSES, ...MAIL]);
    const lost = await rescan(service.baseUrl, path, key);
    // Back, and beside it a veto.
    await dns.change('customer.example', [...ADDRESSES, ...MAIL, record, '_relay-audit.mx TXT "deny"']);
    const vetoed = await rescan(service.baseUrl, path, key);
    const after = opened.length;
    // A name of ours that points at a stranger's server.
    await dns.change('customer.example', [...ADDRESSES, ...MAIL, record]);
    const foreign = await ask('POST', '/v1/hosts', { name: 'stranger.customer.example', ports: [25] });
    const stranger = await rescan(service.baseUrl, `/v1/hosts/${foreign.body.id}`, key);
    const waiting = await ask('GET', `/v1/hosts/${foreign.body.id}`);
    return {
      statuses: [applied, confirmed, proposal, registered, before, checked].map(({ status }) => status),
      newcomerCalls: newcomer,
      proposal: proposal.body,
      before: before.body,
      checked: checked.body,
      first: finished,
      lost,
      vetoed,
      stranger,
      strangerWaits: waiting.body.owedScans,
      packets: {
        beforeProof: untouched,
        duringFirst: during,
        afterVeto: after - during,
        toStranger: opened.filter((each) => each === THEIRS).length,
      },
    };
  } catch (error) {
    throw new Error(`${error}\n${service.output()}`);
  } finally {
    await service.stop();
    await dns.stop();
    for (const server of servers) server.close();
  }
}

async function scanned(baseUrl: string, path: string, key: string, id: string) {
  return eventually(
    async () => {
      const { body } = await call(`${baseUrl}${path}/scans/${id}`, 'GET', key);
      return body?.status === 'finished'
        ? { verdict: body.verdict, reason: body.reason, planned: body.testsPlanned, completed: body.testsCompleted }
        : undefined;
    },
    `scan ${id}`,
    60_000,
  );
}

async function rescan(baseUrl: string, path: string, key: string) {
  const { body } = await call(`${baseUrl}${path}/scans`, 'POST', key);
  return scanned(baseUrl, path, key, body.id);
}

console.log(JSON.stringify(await flow()));
process.exit(0);
