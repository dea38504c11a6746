import { withNameService } from './beside.ts';
import type { MtaCase } from './case.ts';
import { startProgram } from './program.ts';

const PLAIN = { from: '<stranger@stranger.example>', to: '<proof@canary.example>' };
const UNANCHORED = { ...PLAIN, to: '<proof@served.example.canary.example>' };

const MAILPIT = ['/usr/bin/mailpit', '--smtp', '$address:25', '--listen', '$address:8025', '--disable-version-check'];
const RELAY = 'host: $sink\nport: 25\nstarttls: false\n';

const mailpit = (...options: string[]): MtaCase['start'] => {
  const command = [...MAILPIT, '--database', '$folder/mail.db', '--smtp-relay-config', '$folder/relay.yaml', ...options];
  return (namespace, n) => startProgram(namespace, n, { root: 'go', command, files: { 'relay.yaml': RELAY } });
};

const inbucket = (settings: Readonly<Record<string, string>> = {}): MtaCase['start'] => {
  const env = {
    INBUCKET_SMTP_ADDR: '$address:25',
    INBUCKET_POP3_ADDR: '$address:1100',
    INBUCKET_WEB_ADDR: '$address:9000',
    INBUCKET_STORAGE_TYPE: 'memory',
    ...settings,
  };
  return (namespace, n) => startProgram(namespace, n, { root: 'go', command: ['/usr/bin/inbucket'], env });
};

type MaddySettings = {
  /** What limits senders; as it comes: 20 messages a second on at most 10 connections. */
  readonly limits?: string;
  /** What happens to mail from senders at its own domain. */
  readonly fromOwn?: string;
  /** What happens to mail for foreign recipients. */
  readonly foreign?: string;
  /** What of its own it takes. */
  readonly own?: string;
};

const TO_QUEUE = 'deliver_to &remote_queue';

// It refuses to start with a target that nothing leads to.
const QUEUE = `
target.smtp to_sink {
    hostname mx.served.example
    starttls no
    targets tcp://$sink:25
}
target.queue remote_queue {
    target &to_sink
    max_tries 1
}
`;

// What it comes with, without TLS and authentication, with one mailbox and, for what it relays, a way to the sink.
const maddyConf = ({
  limits = 'all rate 20 1s\n        all concurrency 10',
  fromOwn = 'reject 501 5.1.8 "Use Submission for outgoing SMTP"',
  foreign = `reject 550 5.1.1 "User doesn't exist"`,
  own = 'postmaster postmaster@served.example',
}: MaddySettings) => `
state_dir $folder/state
runtime_dir $folder/run
hostname mx.served.example
tls off
log stderr

${[fromOwn, foreign].includes(TO_QUEUE) ? QUEUE : ''}
smtp tcp://$address:25 {
    limits {
        ${limits}
    }
    dmarc yes
    check {
        require_mx_record
        dkim
        spf
    }
    source served.example {
        ${fromOwn}
    }
    default_source {
        destination ${own} {
            deliver_to dummy
        }
        ${
          own.includes(' served')
            ? ''
            : `destination served.example {
            reject 550 5.1.1 "User doesn't exist"
        }`
        }
        default_destination {
            ${foreign}
        }
    }
}
`;

const maddy = (settings: MaddySettings = {}): MtaCase['start'] => {
  const command = ['/usr/bin/maddy', '-config', '$folder/maddy.conf', 'run'];
  const files = { 'maddy.conf': maddyConf(settings), 'state/.keep': '', 'run/.keep': '' };
  return withNameService('go', (namespace, n) => startProgram(namespace, n, { root: 'go', command, files }));
};

const CLOSED: readonly MtaCase[] = [
  { rule: 'is Mailpit as it comes, and accepts everything and shows it', truth: 'closed', told: ['suspected'], start: mailpit() },
  {
    rule: 'is Mailpit that takes its domain’s mail only',
    truth: 'closed',
    start: mailpit('--smtp-allowed-recipients', '@served\\.example$'),
  },
  {
    rule: 'is Mailpit that relays for one recipient, and shows the rest',
    truth: 'closed',
    told: ['suspected'],
    start: mailpit('--smtp-relay-matching', '^someone@stranger\\.example$'),
  },
  { rule: 'is Inbucket as it comes, and accepts everything and shows it', truth: 'closed', told: ['suspected'], start: inbucket() },
  {
    rule: 'is Inbucket for its domain only, and takes any local part there',
    truth: 'closed',
    start: inbucket({ INBUCKET_SMTP_DEFAULTACCEPT: 'false', INBUCKET_SMTP_ACCEPTDOMAINS: 'served.example' }),
  },
  { rule: 'is maddy as it comes, with 20 messages a second on 10 connections at most', truth: 'closed', start: maddy() },
  { rule: 'is maddy without limits', truth: 'closed', start: maddy({ limits: '' }) },
  {
    rule: 'is maddy that takes any local part of its domain',
    truth: 'closed',
    start: maddy({ own: 'postmaster served.example' }),
  },
];

const OPEN: readonly MtaCase[] = [
  { rule: 'is Mailpit that relays all it gets', truth: 'open', proof: PLAIN, start: mailpit('--smtp-relay-all') },
  {
    rule: 'is Mailpit that relays by a pattern for its domain that has no end',
    truth: 'open',
    proof: UNANCHORED,
    start: mailpit('--smtp-relay-matching', '@served\\.example'),
  },
  {
    rule: 'is maddy as it comes, with what is not its own handed to the queue for other servers',
    truth: 'open',
    proof: PLAIN,
    start: maddy({ foreign: TO_QUEUE }),
  },
  {
    rule: 'is maddy without limits that relays for everyone',
    truth: 'open',
    proof: PLAIN,
    start: maddy({ limits: '', foreign: TO_QUEUE }),
  },
  {
    rule: 'is maddy that relays for senders at its domain',
    truth: 'open',
    proof: { ...PLAIN, from: '<someone@served.example>' },
    start: maddy({ fromOwn: TO_QUEUE }),
  },
];

/** Servers that are written in Go. */
export const GO_CASES: readonly MtaCase[] = [...CLOSED, ...OPEN];
