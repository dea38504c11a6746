import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { createTransport } from 'nodemailer';
import { SMTPServer } from 'smtp-server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runToEnd } from '../support/local-service.ts';
import { MAIL_PORT, type MailServer, SERVED_DOMAIN, startMailServer } from '../support/mail-server.ts';
import { mailServer, say, startScriptedServer } from '../support/scripted-smtp-server.ts';

const CHECK = fileURLToPath(new URL('../../infra/local/commands/check.ts', import.meta.url));
const OPEN = '127.66.1.2';
const CLOSED = '127.66.1.3';

// Of a server on an address, with one served domain, whose greeting has a name of its own.
const ALL = 74;

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
    expect(output).toContain(`${CLOSED}: closed\nIt refused every foreign recipient that we tried. ${ALL} of ${ALL} tests were completed.`);
    expect(output).not.toContain('What closes it');
  });

  test('2 for one that answers as an open relay, with the envelopes and what closes it', async () => {
    const { code, output } = await check(OPEN, ...mine);
    expect(code).toBe(2);
    expect(output).toContain(`${OPEN}: suspected\n`);
    expect(output).toMatch(/plain: A stranger writes[^\n]+\n +MAIL FROM:<\S+> RCPT TO:<\S+@canary\.relay-audit\.example>\n +250 /);
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
      ['a.example', '--control', 'office@a.example'],
      ['a.example', '--domain', 'a.example', '--control', 'office@b.example'],
      ['a.example', '--domain', 'a.example', '--control', 'x%b.example@a.example'],
      ['a.example', '--dns', 'one.one'],
      ['a.example', '--canaries'],
      ['a.example', '--canary-domain', 'canary.example'],
      ['a.example', '--canary-domain', 'canary.example', '--canary-listen', 'here'],
      ['a.example', '--retry-after', 'soon'],
      ['a.example', '--max-time', '2d'],
      ['a.example', '--max-time', '0s'],
      ['a.example', '--wait', '-1'],
    ]) {
      const { code, output } = await check(...args);
      expect(code, args.join(' ')).toBe(4);
      expect(output, args.join(' ')).toMatch(/^check-host: [^\n]+\n$/);
    }
  }, 120_000); // a process for each
});

test('an option that there is not, or that lacks its value, is named with the way to the options, and --help lists them', async () => {
  const said = async (...args: string[]) => (await check('a.example', ...args)).output;
  expect(await said('--canaries')).toBe('check-host: There is no option --canaries. --help lists the options.\n');
  expect(await said('-x')).toBe('check-host: There is no option -x. --help lists the options.\n');
  expect(await said('--port')).toBe('check-host: --port needs a value. --help lists the options.\n');
  expect(await said('--wait', '-1')).toBe('check-host: --wait needs a value. --help lists the options.\n');
  expect(await said('--json=yes')).toBe('check-host: --json takes no value. --help lists the options.\n');
  const { code, output } = await check('--help');
  expect(code).toBe(0);
  expect(output).toMatch(/^ {2}--max-time TIME +how long the whole may take \(15m\)$/m);
});

test('with --consent it sends nothing to the host, and says what DNS shows and what to change', async () => {
  const token = `ra1-${'a'.repeat(24)}`;
  const before = servers[0]?.sessions;
  const proven = await check(OPEN, '--port', String(MAIL_PORT), '--own', '127.0.0.0/8', '--consent', token, '--dns', '127.0.0.1:9');
  expect(proven).toMatchObject({ code: 0, output: `${OPEN}: proven\n${OPEN} lies in a network of the operator.\n` });
  const silent = await check('192.88.98.1', '--consent', token, '--dns', '127.0.0.1:9');
  expect(silent.code).toBe(3);
  expect(silent.output).toMatch(/^192\.88\.98\.1: not proven\n/);
  expect(silent.output).toContain('\n  PTR 1.98.88.192.in-addr.arpa: ');
  const json = await check('192.88.98.1', '--consent', token, '--dns', '127.0.0.1:9', '--json');
  expect(JSON.parse(json.output)).toMatchObject({ complete: false, findings: [{ kind: 'dns-failure' }, { kind: 'dns-failure' }] });
  expect(await check('a.example', '--consent', 'ra1-short')).toMatchObject({
    code: 4,
    output: expect.stringContaining('--consent must be'),
  });
  expect(servers[0]?.sessions).toBe(before);
}, 60_000);

test('a canary mailbox that is taken is told by the option that names it', async () => {
  const taken = await startScriptedServer([mailServer({})]);
  const { code, output } = await check('a.example', '--canary-domain', 'canary.example', '--canary-listen', `127.0.0.1:${taken.port}`);
  await taken.stop();
  expect(output).toBe(
    `check-host: The canary mailbox cannot listen on 127.0.0.1:${taken.port} (EADDRINUSE). Set --canary-listen to another.\n`,
  );
  expect(code).toBe(4);
});

describe('with a mailbox of its own for canaries', () => {
  const CANARY = 'canary.example';
  const mailbox = ['--canary-domain', CANARY, '--canary-listen', '127.66.1.9:2526'];
  const transport = createTransport({ host: '127.66.1.9', port: 2526, ignoreTLS: true });

  /** A server that hands over mail for the canary domain, or keeps it. */
  async function startRelay(address: string, delivers: boolean): Promise<SMTPServer> {
    const server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['AUTH', 'STARTTLS'],
      disableReverseLookup: true,
      logger: false,
      onRcptTo: (rcpt, _session, callback) =>
        callback(rcpt.address.endsWith(`@${CANARY}`) ? undefined : Object.assign(new Error('5.1.1 no such user'), { responseCode: 550 })),
      onData(stream, { envelope }, callback) {
        void text(stream).then((raw) => {
          const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address;
          if (delivers)
            void transport.sendMail({ envelope: { from, to: envelope.rcptTo.map((rcpt) => rcpt.address) }, raw }).catch(() => {});
          callback();
        }, callback);
      },
    });
    await new Promise<void>((done) => server.listen(MAIL_PORT, address, () => done()));
    return server;
  }

  test('1 for a server whose message came back, with the way that it took', async () => {
    const server = await startRelay('127.66.1.4', true);
    const { code, output } = await check('127.66.1.4', '--own', '127.0.0.0/8', '--port', String(MAIL_PORT), ...mailbox);
    await new Promise<void>((done) => server.close(() => done()));
    expect(output).toContain('127.66.1.4: open\nA message that we sent through it as a stranger arrived at our mailbox.');
    expect(output).toMatch(/A message sent through 127\.66\.1\.4:2525 \(plain\) came back at /);
    expect(code).toBe(1);
  });

  test('2 for a server that took the message and kept it', async () => {
    const server = await startRelay('127.66.1.5', false);
    const { code, output } = await check('127.66.1.5', '--own', '127.0.0.0/8', '--port', String(MAIL_PORT), ...mailbox, '--wait', '1');
    await new Promise<void>((done) => server.close(() => done()));
    expect(output).toContain('Waiting for our messages to come back, at most 1s (Ctrl-C shows what is known).');
    expect(output).toContain('127.66.1.5: suspected\nIt accepted a message to a foreign domain from a stranger, to the final dot.');
    expect(code).toBe(2);
  });
});

describe('a server that has not answered everything', () => {
  /** A server that puts a recipient off at its first try, or at every one. */
  function startGreylist(forEver: boolean) {
    const tries = new Set<string>();
    const answer = (line: string) => {
      if (!line.includes('-plain@')) return line.includes('<postmaster@') ? '250 Ok' : '554 5.7.1 Relay access denied';
      const known = tries.has(line) && !forEver;
      tries.add(line);
      return known ? '554 5.7.1 Relay access denied' : '450 4.2.0 Greylisted, come back';
    };
    return startScriptedServer([mailServer({ RCPT: (line) => say(answer(line)) })]);
  }
  const argsFor = (port: number) => ['127.0.0.1', '--own', '127.0.0.1', '--port', String(port), '--domain', SERVED_DOMAIN];

  test('is asked again until it has, and it is said what for', async () => {
    const server = await startGreylist(false);
    const { code, output } = await check(...argsFor(server.port), '--retry-after', '1s');
    await server.stop();
    expect(output).toContain('It greylists us; some tests could not be completed. Trying again in 1s (Ctrl-C shows what is known).');
    expect(code).toBe(0);
  });

  test('is left when the time is over, and what is known is shown', async () => {
    const server = await startGreylist(true);
    const { code, output } = await check(...argsFor(server.port), '--retry-after', '1h', '--max-time', '8s');
    await server.stop();
    expect(output).toContain('The time is over (--max-time 8s). This is what is known so far.');
    expect(output).toContain('127.0.0.1: inconclusive\nIt greylists us');
    expect(code).toBe(3);
  });

  test('is left on Ctrl-C, and what is known is shown', async () => {
    const server = await startGreylist(true);
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', CHECK, ...argsFor(server.port), '--json']);
    const [said, exit] = [text(child.stdout), once(child, 'exit')];
    for await (const part of child.stderr) if (String(part).includes('Trying again in 1m')) child.kill('SIGINT');
    await server.stop();
    expect(JSON.parse(await said)).toMatchObject({
      verdict: 'inconclusive',
      reason: 'greylisted',
      stopped: 'interrupted',
      testsCompleted: ALL - 1,
    });
    expect(await exit).toEqual([3, null]);
  });
});

test.each([
  ['whoever writes to themselves, so to a recipient of ours', '127.66.1.6', 'own-recipient', (from: string, to: string) => from === to],
  ['our usual sender', '127.66.1.7', 'plain', (from: string) => from === 'relay-audit@bounces.canary.example'],
])('a message that was bounced to us is told as backscatter, and not waited for: it lets in %s', async (_, address, shown, letsIn) => {
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    logger: false,
    onRcptTo: (rcpt, { envelope: { mailFrom } }, callback) =>
      callback(
        letsIn(mailFrom === false ? '' : mailFrom.address, rcpt.address)
          ? undefined
          : Object.assign(new Error('5.1.1 no'), { responseCode: 550 }),
      ),
    onData(stream, { envelope }, callback) {
      void text(stream).then((quoted) => {
        const to = envelope.mailFrom === false ? '' : envelope.mailFrom.address;
        const raw = `From: MAILER-DAEMON@mail.example.org\r\nSubject: failure notice\r\n\r\nHi. This is the qmail-send program at x.\r\n\r\n--- Below this line is a copy of the message.\r\n\r\n${quoted}`;
        void createTransport({ host: '127.66.1.9', port: 2527, ignoreTLS: true }).sendMail({ envelope: { from: '', to }, raw });
        callback();
      }, callback);
    },
  });
  await new Promise<void>((done) => server.listen(MAIL_PORT, address, () => done()));
  const mailbox = ['--canary-domain', 'canary.example', '--canary-listen', '127.66.1.9:2527', '--wait', '600'];
  const { code, output } = await check(address, '--own', '127.0.0.0/8', '--port', String(MAIL_PORT), ...mailbox);
  await new Promise<void>((done) => server.close(() => done()));
  expect(output).toMatch(/^Backscatter\nIt takes mail for users whom it does not know/m);
  expect(output).toContain(`${address}:2525 (${shown}): by mail.example.org at `);
  expect(output).toContain(`${address}: suspected`);
  expect(code).toBe(2);
});

test('--control names the mailbox to ask for where a server refuses even its postmaster', async () => {
  const server = await startScriptedServer([
    mailServer({ RCPT: (line) => say(line.includes(`<office@${SERVED_DOMAIN}>`) ? '250 Ok' : '554 5.7.1 Relay access denied') }),
  ]);
  const args = ['127.0.0.1', '--own', '127.0.0.1', '--port', String(server.port), '--domain', SERVED_DOMAIN];
  const without = await check(...args);
  expect([without.code, without.output.includes('It refused even the control mailbox')]).toEqual([3, true]);
  const { code, output } = await check(...args, '--control', `office@${SERVED_DOMAIN}`);
  await server.stop();
  expect(output).toContain('127.0.0.1: closed\n');
  expect(code).toBe(0);
});

test('--json is one object: verdict, legs, tests, evidence; progress does not get into it', async () => {
  const { output } = await check(CLOSED, ...mine, '--json');
  const json = JSON.parse(output.slice(output.indexOf('{')));
  expect(json).toMatchObject({ host: CLOSED, verdict: 'closed', reason: 'all-refused', testsCompleted: ALL, testsPlanned: ALL });
  expect(json.legs[0]).toMatchObject({ address: CLOSED, port: MAIL_PORT, verdict: 'closed' });
  expect(json.legs[0].tests[0]).toMatchObject({ test: 'plain', outcome: 'refused', proves: expect.stringContaining('stranger') });
  expect(output.slice(0, output.indexOf('{'))).toMatch(/^(127\.66\.1\.3:2525: \d+ of \d+ tests\n)+$/);
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
