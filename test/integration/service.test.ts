import { spawn } from 'node:child_process';
import { existsSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createTransport } from 'nodemailer';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { changesResponse, hostResponse, owedScanResponse, scanResponse, scansResponse } from '../../shared/contract/responses.ts';
import { descendants, eventually, type RunningService, runToEnd, startLocalService, temporaryFolder } from '../support/local-service.ts';

const ACCOUNT = fileURLToPath(new URL('../../infra/local/commands/account.ts', import.meta.url));
const data = join(temporaryFolder(), 'data');
let service: RunningService;

beforeAll(async () => {
  service = await startLocalService(['--port', '0', '--data', data]);
});
afterAll(async () => {
  await service.stop();
});

const hostNamed = async (name: string) => {
  const { body } = await service.call('GET', '/v1/hosts');
  return body.items.find((host: { name: string }) => host.name === name);
};
const demoHost = async (domain: string) => {
  const { body } = await service.call('GET', '/v1/hosts');
  return body.items.find((host: { servedDomains: string[] }) => host.servedDomains.includes(domain));
};

describe('what the README says of the first minute', () => {
  test('the open demo server has a confirmed change and one mail to its owner within 30 seconds', async () => {
    const mail = await eventually(async () => (await service.mails())[0], 'a mail');
    const host = await demoHost('open.demo.example');
    expect(mail.subject).toBe(`${host.name} is an open relay`);
    expect(mail.destination.to).toEqual(['owner@relay-audit.example']);
    expect(mail.body.text).toContain(`/hosts/${host.id}`);
    expect(mail.body.text).toMatch(/RCPT TO:<audit-\w+-[\w-]+@canary\.relay-audit\.example>/);
    const { body: changes } = await service.call('GET', `/v1/hosts/${host.id}/changes`);
    expect(changes.items).toMatchObject([{ from: 'unknown', to: 'open' }]);
    expect(await service.mails()).toHaveLength(1);
    const { body: scans } = await service.call('GET', `/v1/hosts/${host.id}/scans?verdict=open`);
    const { body: scan } = await service.call('GET', `/v1/hosts/${host.id}/scans/${scans.items[0].id}`);
    expect(scan.arrivals[0].path[0]).toMatchObject({ from: 'mx.open.demo.example' });
  });

  test('the closed demo server is closed, every test of it completed, and nobody is mailed', async () => {
    const host = await eventually(async () => {
      const found = await demoHost('closed.demo.example');
      return found.relayState === 'closed' ? found : undefined;
    }, 'a closed host');
    const { body: scans } = await service.call('GET', `/v1/hosts/${host.id}/scans`);
    expect(scans.items[0]).toMatchObject({ kind: 'first', verdict: 'closed', reason: 'all-refused', fullTable: true });
    expect(scans.items[0].testsPlanned).toBeGreaterThanOrEqual(50);
    expect(scans.items[0].testsCompleted).toBe(scans.items[0].testsPlanned);
    const { body: scan } = await service.call('GET', `/v1/hosts/${host.id}/scans/${scans.items[0].id}`);
    expect(scan.legs[0]).toMatchObject({
      contact: 'answered',
      verdict: 'closed',
      controls: [{ test: 'control-postmaster', outcome: 'accepted' }],
    });
    expect(scan.legs[0].transcript.join('\n')).not.toMatch(/^C: DATA/m);
  });

  test('a mail from nobody, which may be a bounce, is looked up and taken like any other', async () => {
    const [, host, port] = /canaries +come back to (\S+) port (\d+)/.exec(service.output()) ?? [];
    const transport = createTransport({ host, port: Number(port), ignoreTLS: true });
    const raw = 'Subject: failure notice\r\n\r\nHi. This is the qmail-send program at x.\r\n';
    const sent = await transport.sendMail({ envelope: { from: '', to: 'relay-audit@canary.relay-audit.example' }, raw });
    expect(sent.response).toMatch(/^250 /);
  });

  test('the three curl lines that it prints work', async () => {
    const lines = service
      .output()
      .split('\n')
      .filter((line) => line.startsWith('  curl '));
    expect(lines).toHaveLength(3);
    for (const line of lines) {
      const url = /(http:\S+)$/.exec(line)?.[1] ?? '';
      const payload = /-d '([^']+)'/.exec(line)?.[1];
      const answer = await service.call(payload === undefined ? 'GET' : 'POST', url.slice(service.baseUrl.length), payload);
      expect([200, 201]).toContain(answer.status);
    }
    await service.call('DELETE', `/v1/hosts/${(await hostNamed('127.0.0.1')).id}`);
  });
});

describe('the life of a host over HTTP', () => {
  test('is registered, changed, scanned on demand, listed and removed', async () => {
    const { id: demo, name } = await demoHost('closed.demo.example');
    await service.call('DELETE', `/v1/hosts/${demo}`); // one server is one host
    const created = await service.call('POST', '/v1/hosts', { name, ports: [2525], alertRecipients: ['Me@Example.org'] });
    expect(created.status).toBe(201);
    expect(created.body).toMatchObject({ name, ports: [2525], period: 'day', servedDomains: [], relayState: 'unknown', revision: 1 });
    const path = created.headers.get('location') ?? '';
    expect((await service.call('GET', path)).body.id).toBe(created.body.id);
    const changed = await service.call('PATCH', path, { period: 'week', servedDomains: ['Closed.Demo.Example'] });
    expect(changed.body).toMatchObject({
      period: 'week',
      servedDomains: ['closed.demo.example'],
      revision: 2,
      alertRecipients: ['Me@Example.org'],
    });
    // An address has one scan at a time: who asks during the first one waits for a turn.
    const firstScan = async () => (await service.call('GET', `${path}/scans`)).body.items[0];
    await eventually(firstScan, 'the first scan');
    const asked = await service.call('POST', `${path}/scans`);
    expect(asked.status).toBe(202);
    const scan = await eventually(async () => {
      const { body } = await service.call('GET', asked.headers.get('location') ?? '');
      return body.status === 'finished' ? body : undefined;
    }, 'a finished scan');
    expect(scan).toMatchObject({ kind: 'on-demand', verdict: 'closed' });
    hostResponse.parse(changed.body);
    owedScanResponse.parse(asked.body);
    scanResponse.parse(scan);
    scansResponse.parse((await service.call('GET', `${path}/scans`)).body);
    changesResponse.parse((await service.call('GET', `${path}/changes`)).body);
    const filtered = await service.call('GET', `${path}/scans?verdict=closed&limit=1&from=2020-01-01T00:00:00Z`);
    expect(filtered.body.items).toHaveLength(1);
    expect((await service.call('DELETE', path)).status).toBe(204);
    expect((await service.call('GET', path)).status).toBe(404);
    expect((await service.call('GET', `${path}/scans`)).status).toBe(404);
    await service.call('POST', '/v1/hosts', { name, ports: [2525], servedDomains: ['closed.demo.example'] });
  });

  test('pages follow one another by their cursor, and a cursor of elsewhere is refused', async () => {
    const host = await demoHost('open.demo.example');
    await eventually(
      async () => ((await service.call('GET', `/v1/hosts/${host.id}/scans`)).body.items.length >= 2 ? true : undefined),
      'two scans',
    );
    const first = await service.call('GET', `/v1/hosts/${host.id}/scans?limit=1`);
    const second = await service.call('GET', `/v1/hosts/${host.id}/scans?limit=1&cursor=${first.body.next}`);
    expect(second.body.items[0].id < first.body.items[0].id).toBe(true);
    const other = await demoHost('closed.demo.example');
    for (const place of [`/v1/hosts/${other.id}/scans?`, `/v1/hosts/${host.id}/scans?verdict=closed&`, '/v1/hosts?']) {
      const answer = await service.call('GET', `${place}cursor=${first.body.next}`);
      expect(answer).toMatchObject({ status: 422, body: { errors: [{ field: 'cursor' }] } });
    }
  });

  test('an operator’s command makes an account, which sees nothing of another’s', async () => {
    const { code, output } = await runToEnd(['create', '--email', 'second@example.org', '--data', data], ACCOUNT);
    expect(code).toBe(0);
    const key = /ra1_\S+/.exec(output)?.[0] ?? '';
    const headers = { authorization: `Bearer ${key}` };
    expect(await (await fetch(`${service.baseUrl}/v1/hosts`, { headers })).json()).toEqual({ items: [] });
    const host = await demoHost('open.demo.example');
    const foreign = await fetch(`${service.baseUrl}/v1/hosts/${host.id}`, { headers });
    const missing = await fetch(`${service.baseUrl}/v1/hosts/${'0'.repeat(20)}`, { headers });
    expect([foreign.status, await foreign.text()]).toEqual([404, await missing.text()]);
  });
});

test('an operator’s command says how many hosts an account may have, and what is wrong with its words', async () => {
  const quota = (...words: string[]) => runToEnd(['quota', ...words, '--data', data], ACCOUNT);
  const owner = ['--email', 'owner@relay-audit.example'];
  expect(await quota(...owner, '--hosts', '250')).toMatchObject({ code: 0, output: expect.stringContaining('may have 250 hosts. It has') });
  expect((await service.call('GET', '/v1/account')).body.hostQuota).toBe(250);
  for (const hosts of ['0', '10001', 'many', '']) expect((await quota(...owner, '--hosts', hosts)).code).toBe(1);
  expect(await quota('--email', 'nobody@example.org', '--hosts', '5')).toMatchObject({
    code: 1,
    output: expect.stringContaining('has no account'),
  });
});

describe('starting and stopping', () => {
  test('a second service on the same folder is refused in one line', async () => {
    const { code, output } = await runToEnd(['--port', '0', '--data', data]);
    expect(code).toBe(1);
    expect(output).toMatch(
      /relay-audit: Another Relay Audit runs on \S+\. Stop it, or choose another folder: npm start -- --data FOLDER\n$/,
    );
  });

  test('a taken port is refused in one line', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((done) => taken.once('listening', done));
    const { port } = taken.address() as { port: number };
    const { code, output } = await runToEnd(['--port', String(port), '--data', join(temporaryFolder(), 'd')]);
    taken.close();
    expect(code).toBe(1);
    expect(output).toContain(
      `relay-audit: Port ${port} is taken. Stop what uses it, or choose another: npm start -- --port ${port + 10}\n`,
    );
  });

  test('a folder that cannot be written is refused in one line', async () => {
    const file = join(temporaryFolder(), 'a-file');
    writeFileSync(file, '');
    const { code, output } = await runToEnd(['--port', '0', '--data', join(file, 'data')]);
    expect(code).toBe(1);
    expect(output).toMatch(/relay-audit: \S+ is not a folder\. Choose another: npm start -- --data FOLDER\n$/);
    const kernels = await runToEnd(['--port', '0', '--data', '/proc/relay-audit']);
    expect(kernels.output).toMatch(/relay-audit: \S+ cannot be written \(\w+\)\. Choose another: npm start -- --data FOLDER\n$/);
    const others = temporaryFolder();
    writeFileSync(join(others, 'a-file'), '');
    const foreign = await runToEnd(['--port', '0', '--data', others]);
    expect(foreign.output).toMatch(/relay-audit: The folder \S+ holds other things\. Choose a new one: npm start -- --data FOLDER\n$/);
  });

  test('the same folder under another name is the same folder', async () => {
    const link = join(temporaryFolder(), 'link');
    symlinkSync(data, link);
    expect((await runToEnd(['--port', '0', '--data', link])).output).toContain('Another Relay Audit runs on');
  });

  test('kill -9 of npm ends the service that it started', async () => {
    const npm = spawn('npm', ['start', '--', '--port', '0', '--no-demo', '--data', join(temporaryFolder(), 'npm')], { stdio: 'pipe' });
    let output = '';
    npm.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    await eventually(async () => (output.includes('Ctrl-C stops it') ? true : undefined), 'the service');
    const started = descendants(npm.pid ?? 0);
    npm.kill('SIGKILL');
    await eventually(async () => (started.every((pid) => !existsSync(`/proc/${pid}`)) ? true : undefined), 'the end of every process');
  });

  test('a demo host that was removed stays removed', async () => {
    const folder = join(temporaryFolder(), 'removed');
    const first = await startLocalService(['--port', '0', '--data', folder]);
    const [host] = (await first.call('GET', '/v1/hosts')).body.items;
    await first.call('DELETE', `/v1/hosts/${host.id}`);
    await first.stop();
    const second = await startLocalService(['--port', '0', '--data', folder]);
    expect((await second.call('GET', '/v1/hosts')).body.items).toHaveLength(1);
    await second.stop();
  });

  test('a typing error on the command line is refused in one line', async () => {
    const { code, output } = await runToEnd(['--prot', '1']);
    expect(code).toBe(1);
    expect(output).toMatch(/^relay-audit: Unknown option '--prot'.*Usage: npm start/);
  });

  test('Ctrl-C ends everything that was started, and what was known is known after the next start', async () => {
    const folder = join(temporaryFolder(), 'again');
    const first = await startLocalService(['--port', '0', '--data', folder, '--no-demo']);
    const created = await first.call('POST', '/v1/hosts', { name: '127.66.0.1', ports: [2525] });
    const started = descendants(first.process.pid ?? 0);
    expect(started.length).toBeGreaterThan(0);
    expect(await first.stop()).toBe(0);
    await eventually(async () => (started.every((pid) => !existsSync(`/proc/${pid}`)) ? true : undefined), 'the end of every process');
    const second = await startLocalService(['--port', '0', '--data', folder, '--no-demo']);
    expect(second.apiKey).toBe(first.apiKey);
    expect((await second.call('GET', `/v1/hosts/${created.body.id}`)).body.name).toBe('127.66.0.1');
    await second.stop();
  });

  test('kill -9 ends the engine too, and keeps the mails', async () => {
    const folder = join(temporaryFolder(), 'killed');
    const first = await startLocalService(['--port', '0', '--data', folder]);
    await eventually(async () => (await first.mails())[0], 'a mail');
    const started = descendants(first.process.pid ?? 0);
    await first.kill();
    await eventually(async () => (started.every((pid) => !existsSync(`/proc/${pid}`)) ? true : undefined), 'the end of every process');
    const second = await startLocalService(['--port', '0', '--data', folder]);
    expect(await second.mails()).toHaveLength(1);
    await second.stop();
  });
});
