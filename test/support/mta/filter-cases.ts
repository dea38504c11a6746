import { joined } from './beside.ts';
import type { MtaCase } from './case.ts';
import { startPostfix } from './postfix.ts';
import { type Program, startProgram } from './program.ts';

type Settings = Readonly<Record<string, string>>;

const PLAIN = { from: '<stranger@stranger.example>', to: '<proof@canary.example>' };
const TRUSTS_NOBODY: Settings = { smtpd_relay_restrictions: 'reject_unauth_destination' };

/** A filter that strangers reach, and behind it a Postfix that takes back what was filtered: Debian's trusts 127.0.0.0/8. */
const inFront = (filter: (inside: string) => Program, settings: Settings = {}): MtaCase['start'] => {
  return async (namespace, n) => {
    const inside = `127.0.0.${n}`;
    const behind = await startPostfix(namespace, n, settings, { inside });
    return joined(behind, () => startProgram(namespace, n, filter(inside)));
  };
};

const spampd = (inside: string): Program => ({
  root: 'spampd',
  command: [
    ...['/usr/sbin/spampd', '--nodetach', '--host=$address:25', `--relayhost=${inside}:25`, '--local-only', '--tagall', '--children=4'],
    ...['--user=root', '--group=root', '--logsock=inet', '--pid=$folder/pid'],
  ],
});

const proxsmtp = (inside: string): Program => ({
  root: 'proxsmtp',
  command: ['/usr/sbin/proxsmtpd', '-d', '1', '-f', '$folder/proxsmtpd.conf'],
  files: { 'proxsmtpd.conf': `OutAddress: ${inside}:25\nListen: $address:25\nTempDirectory: $folder\nTransparentProxy: off\n` },
});

/** postsrsd makes the return addresses of what is forwarded, and undoes those that it made itself. */
const besidePostsrsd = (settings: Settings = {}): MtaCase['start'] => {
  return async (namespace, n) => {
    const service = `127.0.0.${n}`;
    const srs = await startProgram(namespace, n, {
      root: 'postsrsd',
      command: ['/usr/sbin/postsrsd', '-s$folder/secret', '-dserved.example', `-l${service}`, '-f10001', '-r10002'],
      files: { secret: 'a secret of its own\n' },
      inside: true,
    });
    return joined(srs, () =>
      startPostfix(namespace, n, {
        recipient_canonical_maps: `tcp:${service}:10002`,
        recipient_canonical_classes: 'envelope_recipient,header_recipient',
        sender_canonical_maps: `tcp:${service}:10001`,
        sender_canonical_classes: 'envelope_sender',
        ...settings,
      }),
    );
  };
};

/** The port where amavis, or another filter, hands back what it let pass, on every address where only 127.0.0.1 was meant. */
const reinjection = (networks: string): MtaCase['start'] => {
  const options = ['mynetworks', 'smtpd_relay_restrictions', 'smtpd_recipient_restrictions', 'local_recipient_maps', 'content_filter'];
  const values = [networks, 'permit_mynetworks,reject', 'permit_mynetworks,reject', '', ''];
  const written = options.map((option, at) => ` -o ${option}=${values[at]}`).join('');
  return (namespace, n) =>
    startPostfix(namespace, n, {}, { services: (stock, address) => `${stock}${address}:10025 inet n - n - - smtpd${written}\n` });
};

const CLOSED: readonly MtaCase[] = [
  {
    rule: 'is spampd in front of a Postfix that trusts nobody',
    truth: 'closed',
    start: inFront(spampd, TRUSTS_NOBODY),
  },
  {
    rule: 'is proxsmtp in front of a Postfix that trusts nobody',
    truth: 'closed',
    start: inFront(proxsmtp, TRUSTS_NOBODY),
  },
  { rule: 'is a Postfix with postsrsd beside it, which checks the hashes of SRS addresses', truth: 'closed', start: besidePostsrsd() },
  {
    rule: 'has a port on every address for what its filter lets pass, which refuses everything but that',
    truth: 'closed',
    told: ['closed', 'untestable'],
    ports: [25, 10025],
    start: reinjection('127.0.0.0/8'),
  },
];

const OPEN: readonly MtaCase[] = [
  { rule: 'is spampd in front of a Postfix that trusts its own machine', truth: 'open', proof: PLAIN, start: inFront(spampd) },
  { rule: 'is proxsmtp in front of a Postfix that trusts its own machine', truth: 'open', proof: PLAIN, start: inFront(proxsmtp) },
  {
    rule: 'is a Postfix with postsrsd beside it that relays for return addresses, as they come from the null sender',
    truth: 'open',
    proof: { ...PLAIN, from: '<>' },
    start: besidePostsrsd({
      smtpd_relay_restrictions: 'permit_mynetworks check_sender_access inline:{ <>=OK } reject_unauth_destination',
    }),
  },
  {
    rule: 'has a port on every address for what its filter lets pass, and trusts everyone there',
    truth: 'open',
    proof: { ...PLAIN, port: 10025 },
    ports: [25, 10025],
    start: reinjection('0.0.0.0/0'),
  },
];

/** Filters in front of Postfix or beside it, and the ways back from them. */
export const FILTER_CASES: readonly MtaCase[] = [...CLOSED, ...OPEN];
