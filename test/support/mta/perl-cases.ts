import { withNameService } from './beside.ts';
import type { MtaCase } from './case.ts';
import { startProgram } from './program.ts';

const PLAIN = { from: '<stranger@stranger.example>', to: '<proof@canary.example>' };

// Its synopsis, with a process for each connection, and what it queues going to the sink.
const netServerMail = (domains: string): MtaCase['start'] => {
  const code = `
use strict;
use IO::Socket::INET;
use Net::Server::Mail::ESMTP;
use Net::SMTP;

$SIG{CHLD} = 'IGNORE';
my $server = IO::Socket::INET->new(Listen => 20, LocalAddr => '$address', LocalPort => 25, ReuseAddr => 1) or die;
while (my $conn = $server->accept) {
  if (fork) { $conn->close(); next }
  my $smtp = Net::Server::Mail::ESMTP->new(socket => $conn);
  $smtp->set_callback(RCPT => \\&validate_recipient);
  $smtp->set_callback(DATA => \\&queue_message);
  $smtp->process();
  exit;
}

sub validate_recipient {
  my ($session, $recipient) = @_;
  my $domain = $recipient =~ /\\@([^>]*)>?\\s*$/ ? $1 : undef;
  return (0, 513, 'Syntax error.') unless defined $domain;
  return (0, 554, "$recipient: Recipient address rejected: Relay access denied") unless ${domains};
  return 1;
}

sub queue_message {
  my ($session, $data) = @_;
  my @foreign = map { /([^<]*canary\\.example)>?$/ ? $1 : () } $session->get_recipients();
  return (1, 250, 'message queued') unless @foreign;
  my $relay = Net::SMTP->new('$sink', Port => 25) or return (0, 451, 'try again later');
  $relay->mail($session->get_sender() =~ /([^<>]+)/ ? $1 : '') && $relay->to(@foreign) && $relay->data($$data) or return (0, 451, 'try again later');
  $relay->quit;
  return (1, 250, 'message queued');
}
`;
  const program = { root: 'perl', command: ['/usr/bin/perl', '$folder/server.pl'], files: { 'server.pl': code } };
  return (namespace, n) => startProgram(namespace, n, program);
};

// Its synopsis as it stands, which relays for everyone: one connection at a time, and one message in each.
const NET_SMTP_SERVER = `
use Carp;
use Net::SMTP;
use Net::SMTP::Server;
use Net::SMTP::Server::Client;

$server = new Net::SMTP::Server('$address', 25) || croak("Unable to handle client connection: $!\\n");
while ($conn = $server->accept()) {
  my $client = new Net::SMTP::Server::Client($conn) || croak("Unable to handle client connection: $!\\n");
  $client->process || next;
  for my $foreign (map { /([^<]*canary\\.example)>?$/ ? $1 : () } @{$client->{TO}}) {
    my $relay = Net::SMTP->new('$sink', Port => 25) or next;
    $relay->mail($client->{FROM} =~ /([^<>]+)/ ? $1 : '') && $relay->to($foreign) && $relay->data($client->{MSG});
    $relay->quit;
  }
}
`;

const KEEP_OWN = `
sub hook_queue {
  my ($self, $transaction) = @_;
  return (OK, 'Queued') if grep { $_->host =~ /^(?:mx\\.)?served\\.example$/i } $transaction->recipients;
  return DECLINED;
}
`;

const LISTED = ['earlytalker', 'relay', 'helo', 'badmailfrom', 'badrcptto', 'rcpt_ok'];

/** Debian's configuration for a domain, with the sink for what it relays. */
const qpsmtpd = (config: Readonly<Record<string, string>> = {}, plugins: readonly string[] = LISTED): MtaCase['start'] => {
  const files = {
    plugins: [...plugins, 'keep_own', 'queue/smtp-forward $sink 25', ''].join('\n'),
    plugin_dirs: '/usr/share/qpsmtpd/plugins\n$folder/own\n',
    'own/keep_own': KEEP_OWN,
    rcpthosts: 'served.example\n',
    relayclients: '127.0.0.1\n',
    me: 'mx.served.example\n',
    logging: 'logging/warn LOGINFO\n',
    spool_dir: '$folder/spool\n',
    'spool/.keep': '',
    ...config,
  };
  const command = ['/usr/bin/qpsmtpd-forkserver', '-l', '$address', '-p', '25', '-u', 'root', '-H'];
  return withNameService('perl', (namespace, n) =>
    startProgram(namespace, n, { root: 'perl', command, files, env: { QPSMTPD_CONFIG: '$folder' } }),
  );
};

const CLOSED: readonly MtaCase[] = [
  {
    rule: 'is the synopsis of Net::Server::Mail, and takes any local part of its domain',
    truth: 'closed',
    start: netServerMail(`$domain eq 'served.example'`),
  },
  { rule: 'is qpsmtpd with Debian’s configuration, and takes any local part of its domain', truth: 'closed', start: qpsmtpd() },
];

const OPEN: readonly MtaCase[] = [
  { rule: 'is made with Net::Server::Mail and relays for everyone', truth: 'open', proof: PLAIN, start: netServerMail('1') },
  {
    rule: 'is made with Net::Server::Mail and takes each domain that has its own somewhere in it',
    truth: 'open',
    proof: { ...PLAIN, to: '<proof@served.example.canary.example>' },
    start: netServerMail('$domain =~ /served.example/'),
  },
  {
    rule: 'is the synopsis of Net::SMTP::Server, and relays for everyone, one connection at a time',
    truth: 'open',
    told: ['open', 'suspected'], // it relays the last transaction of a connection only, whichever of ours that is
    proof: PLAIN,
    start: (namespace, n) =>
      startProgram(namespace, n, {
        root: 'perl',
        command: ['/usr/bin/perl', '$folder/server.pl'],
        files: { 'server.pl': NET_SMTP_SERVER },
      }),
  },
  {
    rule: 'is qpsmtpd with the Internet’s half among its relayclients',
    truth: 'open',
    proof: PLAIN,
    start: qpsmtpd({ relayclients: '127.0.0.1\n128.0.0.0/1\n' }),
  },
  {
    rule: 'is qpsmtpd with a pattern for its domain that has no end',
    truth: 'open',
    proof: { ...PLAIN, to: '<proof@served.example.canary.example>' },
    start: qpsmtpd({ rcpt_regexp: '/\\@served\\.example/ OK Accepting mail\n' }, ['relay', 'rcpt_regexp', 'rcpt_ok']),
  },
];

/** Servers that are written in Perl. */
export const PERL_CASES: readonly MtaCase[] = [...CLOSED, ...OPEN];
