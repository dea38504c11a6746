import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runToEnd } from '../support/local-service.ts';
import { MAIL_PORT, type MailServer, SERVED_DOMAIN, startMailServer } from '../support/mail-server.ts';
import { mailServer, say, startScriptedServer } from '../support/scripted-smtp-server.ts';

const CHECK = fileURLToPath(new URL('../../infra/local/check.ts', import.meta.url));
const OPEN = '127.66.1.2';
const CLOSED = '127.66.1.3';

let servers: MailServer[];
beforeAll(async () => {
  servers = [await startMailServer(OPEN, true), await startMailServer(CLOSED, false)];
});
afterAll(() => Promise.all(servers.map((server) => server.stop())));

const check = (...args: string[]) => runToEnd(args, CHECK);
const mine = ['--own', '127.0.0.0/8', '--port', String(MAIL_PORT), '--domain', SERVED_DOMAIN];

describe('check-host says its verdict in words and by its exit code', () => {
  test('0 for a closed server', async () => {
    const { code, output } = await check(CLOSED, ...mine);
    expect(code).toBe(0);
    expect(output).toContain(`${CLOSED}: closed\nIt refused every foreign recipient that we tried. 19 of 19 tests were completed.`);
    expect(output).not.toContain('What closes it');
  });

  test('2 for one that answers as an open relay, with the envelopes and what closes it', async () => {
    const { code, output } = await check(OPEN, ...mine);
    expect(code).toBe(2);
    expect(output).toContain(`${OPEN}: suspected\n`);
    expect(output).toMatch(/plain: MAIL FROM:<\S+> RCPT TO:<\S+@canary\.relay-audit\.example>\n +250 /);
    expect(output).toContain('What closes it\n  - ');
  });

  test('3 for one that it may not audit, which gets no packet, and the way to say that it may', async () => {
    const before = servers[0]?.sessions;
    const { code, output } = await check('192.88.98.1');
    expect(code).toBe(3);
    expect(output).toContain('192.88.98.1: untestable\nNo consent');
    expect(output).toContain('--own ADDRESS/32');
    expect((await check(OPEN, '--port', String(MAIL_PORT))).code).toBe(3);
    expect(servers[0]?.sessions).toBe(before);
  });

  test('4 for what it cannot read, in one line', async () => {
    for (const args of [
      [],
      ['a.example', 'b.example'],
      ['0x7f.1'],
      ['a.example', '--own', '10.0.0.1/8'],
      ['a.example', '--port', '0'],
      ['a.example', '--domain', 'x'],
      ['a.example', '--dns', 'one.one'],
      ['a.example', '--canaries'],
    ]) {
      const { code, output } = await check(...args);
      expect(code, args.join(' ')).toBe(4);
      expect(output, args.join(' ')).toMatch(/^check-host: [^\n]+\n$/);
    }
  });
});

test('--json is one object: verdict, legs, tests, evidence; progress does not get into it', async () => {
  const { output } = await check(CLOSED, ...mine, '--json');
  const json = JSON.parse(output.slice(output.indexOf('{')));
  expect(json).toMatchObject({ host: CLOSED, verdict: 'closed', reason: 'all-refused', testsCompleted: 19, testsPlanned: 19 });
  expect(json.legs[0]).toMatchObject({ address: CLOSED, port: MAIL_PORT, verdict: 'closed' });
  expect(json.legs[0].tests[0]).toMatchObject({ test: 'plain', outcome: 'refused', proves: expect.stringContaining('stranger') });
  expect(output.slice(0, output.indexOf('{'))).toMatch(/^(127\.66\.1\.3:2525: \d+ of 19 tests\n)+$/);
});

test('--transcript shows every line, and nothing of a hostile server reaches the terminal raw', async () => {
  const server = await startScriptedServer([
    mailServer({ RCPT: say('250 \x1b]0;owned\x07') }, { greeting: say('220 mx.example \x1b[2J\x9b') }),
  ]);
  const { output } = await check('127.0.0.1', '--own', '127.0.0.1', '--port', String(server.port), '--transcript');
  await server.stop();
  expect(output).toContain('S: 220 mx.example \\x1b[2J\\x9b');
  expect(output).toContain('C: EHLO probe.relay-audit.example');
  expect(output).toMatch(/^[\x20-\x7e’\n]*$/);
});
