import type { MtaCase } from './case.ts';
import { rootOf } from './namespace.ts';
import { MACHINE, startProgram } from './program.ts';

const PLAIN = { from: '<stranger@stranger.example>', to: '<proof@canary.example>' };

/** A relay made with smtp-server and nodemailer; `decision` says whether a recipient is taken. */
const smtpServer = (decision: string): MtaCase['start'] => {
  const code = `
import nodemailer from 'nodemailer';
import { SMTPServer } from 'smtp-server';

const relay = nodemailer.createTransport({ host: '$sink', port: 25, ignoreTLS: true });
const server = new SMTPServer({
  authOptional: true,
  disabledCommands: ['AUTH'],
  onRcptTo({ address }, { envelope, secure }, callback) {
    if (${decision}) return callback();
    callback(Object.assign(new Error('Relaying denied'), { responseCode: 550 }));
  },
  onData(stream, { envelope }, callback) {
    const parts = [];
    stream.on('data', (part) => parts.push(part));
    stream.on('end', () => {
      const to = envelope.rcptTo.map(({ address }) => address).filter((address) => address.endsWith('canary.example'));
      if (to.length === 0) return callback();
      relay.sendMail({ envelope: { from: envelope.mailFrom.address, to }, raw: Buffer.concat(parts) }).then(() => callback(), callback);
    });
  },
});
server.on('error', () => {}); // a client that ends a connection early
server.listen(25, '$address');
`;
  const program = { root: MACHINE, home: 'npm', command: [process.execPath, '$folder/server.mjs'], files: { 'server.mjs': code } };
  return (namespace, n) => startProgram(namespace, n, program);
};

const maildev = (options: readonly string[], files: Readonly<Record<string, string>> = {}): MtaCase['start'] => {
  const command = [process.execPath, `${rootOf('npm')}/node_modules/maildev/dist/bin/maildev.js`, '--smtp', '25', '--ip', '$address'];
  const own = ['--web', '8025', '--web-ip', '$address', '--mail-directory', '$folder/mail'];
  return (namespace, n) => startProgram(namespace, n, { root: MACHINE, home: 'npm', command: [...command, ...own, ...options], files });
};

const OUTGOING = ['--outgoing-host', '$sink', '--outgoing-port', '25'];

const CLOSED: readonly MtaCase[] = [
  {
    rule: 'is made with smtp-server, and takes any local part of its domain',
    truth: 'closed',
    start: smtpServer(`address.endsWith('@served.example')`),
  },
  {
    rule: 'is made with smtp-server for one mailbox',
    truth: 'closed',
    start: smtpServer(`address === 'postmaster@served.example'`),
  },
  { rule: 'is MailDev as it comes, and accepts everything and shows it', truth: 'closed', told: ['suspected'], start: maildev([]) },
  {
    rule: 'is MailDev with a way out that is used by hand only',
    truth: 'closed',
    told: ['suspected'],
    start: maildev(OUTGOING),
  },
];

const OPEN: readonly MtaCase[] = [
  { rule: 'is made with smtp-server and relays for everyone', truth: 'open', proof: PLAIN, start: smtpServer('true') },
  {
    rule: 'is made with smtp-server and takes each recipient that has its domain somewhere in it',
    truth: 'open',
    proof: { ...PLAIN, to: '<proof@served.example.canary.example>' },
    start: smtpServer(`address.includes('served.example')`),
  },
  {
    rule: 'is made with smtp-server and looks at the first recipient of a message only',
    truth: 'open',
    proof: { ...PLAIN, before: '<postmaster@served.example>' },
    start: smtpServer(`envelope.rcptTo.length > 0 || address.endsWith('@served.example')`),
  },
  {
    rule: 'is made with smtp-server and relays after STARTTLS only',
    truth: 'open',
    proof: { ...PLAIN, transport: 'starttls' },
    start: smtpServer(`secure || address.endsWith('@served.example')`),
  },
  {
    rule: 'is MailDev that relays all it gets',
    truth: 'open',
    proof: PLAIN,
    start: maildev([...OUTGOING, '--auto-relay']),
  },
  {
    rule: 'is MailDev that relays by a rule for its domain that has no end',
    truth: 'open',
    proof: { ...PLAIN, to: '<proof@served.example.canary.example>' },
    start: maildev([...OUTGOING, '--auto-relay', '--auto-relay-rules', '$folder/rules.json'], {
      'rules.json': '[{ "deny": "*" }, { "allow": "*@served.example*" }]\n',
    }),
  },
];

/** Servers of npm's packages. */
export const NPM_CASES: readonly MtaCase[] = [...CLOSED, ...OPEN];
