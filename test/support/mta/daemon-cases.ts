import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { MtaCase } from './case.ts';
import { startProgram } from './program.ts';

const PLAIN = { from: '<stranger@stranger.example>', to: '<proof@canary.example>' };

/** msmtp's daemon, which hands each message to msmtp and that to a smarthost: the sink. */
export const MSMTPD_CASES: readonly MtaCase[] = [
  { rule: 'is msmtpd on an address that strangers reach', truth: 'open', proof: PLAIN, start: msmtpd() },
  { rule: 'is msmtpd that wants a password', truth: 'closed', start: msmtpd('--auth=someone,echo secret') },
];

function msmtpd(...options: string[]): MtaCase['start'] {
  const command = ['/usr/bin/msmtpd', '--interface=$address', '--port=25', '--command=/usr/bin/msmtp --host=$sink --port=25 -f %F --'];
  return (namespace, n) => startProgram(namespace, n, { root: 'msmtpd', command: [...command, ...options] });
}

/** chasquid, as Debian configures it for one domain. It relays for its users only, whatever its configuration. */
export const CHASQUID_CASES: readonly MtaCase[] = [
  { rule: 'is chasquid with one user', truth: 'closed', start: chasquid('') },
  { rule: 'is chasquid that takes any local part of its domain', truth: 'closed', start: chasquid('*: postmaster\n') },
];

function chasquid(aliases: string): MtaCase['start'] {
  return (namespace, n) => {
    const { certificate, key } = makeCertificate();
    return startProgram(namespace, n, {
      root: 'chasquid',
      before: [
        ['/usr/bin/chasquid-util', '--configdir=$folder', '-C=$folder', 'user-add', 'postmaster@served.example', '--password=secret'],
      ],
      command: ['/usr/bin/chasquid', '-config_dir=$folder'],
      files: {
        'chasquid.conf': CHASQUID_CONF,
        'certs/mx.served.example/fullchain.pem': certificate,
        'certs/mx.served.example/privkey.pem': key,
        'domains/served.example/aliases': aliases,
      },
    });
  };
}

const CHASQUID_CONF = `
hostname: "mx.served.example"
smtp_address: "$address:25"
submission_address: "$address:587"
submission_over_tls_address: "$address:465"
mail_delivery_agent_bin: "/bin/sh"
mail_delivery_agent_args: "-c"
mail_delivery_agent_args: "while read -r line; do :; done"
data_dir: "$folder/data"
mail_log_path: "<stderr>"
`;

function makeCertificate(): { certificate: string; key: string } {
  const folder = mkdtempSync(`${tmpdir()}/certificate-`);
  const [certificate, key] = [`${folder}/certificate`, `${folder}/key`];
  const names = ['-subj', '/CN=mx.served.example', '-addext', 'subjectAltName=DNS:mx.served.example'];
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '30', ...names];
  execFileSync('openssl', [...request, '-keyout', key, '-out', certificate], { stdio: 'ignore' });
  const made = { certificate: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') };
  rmSync(folder, { recursive: true });
  return made;
}
