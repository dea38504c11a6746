import { behindFront } from './beside.ts';
import type { MtaCase } from './case.ts';
import { startProgram } from './program.ts';

const PLAIN = { from: '<stranger@stranger.example>', to: '<proof@canary.example>' };
const PYTHON = '/usr/bin/python3';

const aiosmtpd = (...handler: string[]): MtaCase['start'] => {
  const command = [PYTHON, '-m', 'aiosmtpd', '-n', '-l', '$address:25', '-c', ...handler];
  return (namespace, n) => startProgram(namespace, n, { root: 'python', command });
};

const script = (code: string, inside = false): MtaCase['start'] => {
  const program = { root: 'python', command: [PYTHON, '$folder/server.py'], files: { 'server.py': code }, inside };
  return (namespace, n) => startProgram(namespace, n, program);
};

// A handler as the documentation of aiosmtpd shows one, with what it hands over going where its Proxy does.
const handling = (methods: string) =>
  script(`
import asyncio
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Proxy

class Handler(Proxy):
${methods.replace(/^/gm, '    ')}
    async def handle_DATA(self, server, session, envelope):
        envelope.rcpt_tos = [each for each in envelope.rcpt_tos if each.endswith('canary.example')]
        return await super().handle_DATA(server, session, envelope) if envelope.rcpt_tos else '250 OK'

Controller(Handler('$sink', 25), hostname='$address', port=25).start()
asyncio.new_event_loop().run_forever()
`);

const AIOSMTPD: readonly MtaCase[] = [
  {
    rule: 'is aiosmtpd with its Proxy, and relays for everyone',
    truth: 'open',
    proof: PLAIN,
    start: script(`
import asyncio
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Proxy

Controller(Proxy('$sink', 25), hostname='$address', port=25).start()
asyncio.new_event_loop().run_forever()
`),
  },
  {
    rule: 'is aiosmtpd with its Sink, and accepts everything and throws it away',
    truth: 'closed',
    told: ['suspected'],
    start: aiosmtpd('aiosmtpd.handlers.Sink'),
  },
  {
    rule: 'is aiosmtpd with the handler of its documentation, and takes any local part of its domain',
    truth: 'closed',
    start: handling(`
async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
    if not address.endswith('@served.example'):
        return '550 not relaying to that domain'
    envelope.rcpt_tos.append(address)
    return '250 OK'
`),
  },
  {
    rule: 'is aiosmtpd with a handler that takes recipients which have its domain anywhere in them',
    truth: 'open',
    proof: { ...PLAIN, to: '<proof@served.example.canary.example>' },
    start: handling(`
async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
    if 'served.example' not in address:
        return '550 not relaying to that domain'
    envelope.rcpt_tos.append(address)
    return '250 OK'
`),
  },
  {
    rule: 'is aiosmtpd with a handler that trusts senders at its domain',
    truth: 'open',
    proof: { ...PLAIN, from: '<someone@served.example>' },
    start: handling(`
async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
    if not address.endswith('@served.example') and not envelope.mail_from.endswith('@served.example'):
        return '550 5.7.1 Relaying denied'
    envelope.rcpt_tos.append(address)
    return '250 OK'
`),
  },
  {
    rule: 'is aiosmtpd with a handler that looks at the first recipient of a message only',
    truth: 'open',
    proof: { ...PLAIN, before: '<postmaster@served.example>' },
    start: handling(`
async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
    if not envelope.rcpt_tos and not address.endswith('@served.example'):
        return '550 5.7.1 Relaying denied'
    envelope.rcpt_tos.append(address)
    return '250 OK'
`),
  },
];

// Python's own smtpd, which Python 3.12 no longer has. It ends a connection at a recipient such as x@y@z.
const smtpd = (process: string) =>
  script(`
import asyncore
import smtpd

class Server(smtpd.PureProxy):
    def process_message(self, peer, mailfrom, rcpttos, data, **options):
${process.replace(/^/gm, '        ')}

Server(('$address', 25), ('$sink', 25), decode_data=True)
asyncore.loop()
`);

const OLD_SMTPD: readonly MtaCase[] = [
  {
    rule: 'is Python’s old smtpd as PureProxy, and relays for everyone',
    truth: 'open',
    proof: PLAIN,
    start: smtpd('return super().process_message(peer, mailfrom, rcpttos, data)'),
  },
  {
    rule: 'is Python’s old smtpd, and refuses foreign recipients after the message, which it can do no earlier',
    truth: 'closed',
    start: smtpd(`return None if all(each.endswith('@served.example') for each in rcpttos) else '554 5.7.1 Relay access denied'`),
  },
  {
    rule: 'is Python’s old smtpd as DebuggingServer, and accepts everything and prints it',
    truth: 'closed',
    told: ['suspected'],
    start: smtpd('print(data)'),
  },
];

// The mail server of Twisted's tutorial, which decides about each recipient in `validateTo`.
const delivering = (decision: string, on = '$address'): MtaCase['start'] =>
  script(TUTORIAL.replace('$decision', decision).replace('$interface', on), on !== '$address');

const TUTORIAL = `
from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse, AllowAnonymousAccess
from twisted.cred.portal import IRealm, Portal
from twisted.internet import reactor, defer
from twisted.mail import smtp
from zope.interface import implementer

@implementer(smtp.IMessage)
class Message:
    def __init__(self, sender, recipient):
        self.sender, self.recipient, self.lines = sender, recipient, []
    def lineReceived(self, line):
        self.lines.append(line)
    def eomReceived(self):
        if not str(self.recipient).endswith('canary.example'):
            return defer.succeed(None)
        text = b'\\n'.join(self.lines) + b'\\n'
        return smtp.sendmail('$sink', str(self.sender) or None, [str(self.recipient)], text, port=25)
    def connectionLost(self):
        self.lines = []

@implementer(smtp.IMessageDelivery)
class Delivery:
    def __init__(self, who):
        self.who = who
    def receivedHeader(self, helo, origin, recipients):
        return b'Received: by mx.served.example'
    def validateFrom(self, helo, origin):
        self.origin = origin
        return origin
    def validateTo(self, user):
        own = user.dest.domain == b'served.example'
        $decision
        return lambda: Message(self.origin, user.dest)

@implementer(IRealm)
class Realm:
    def requestAvatar(self, who, mind, *interfaces):
        return smtp.IMessageDelivery, Delivery(who), lambda: None

class Factory(smtp.SMTPFactory):
    protocol = smtp.ESMTP
    def buildProtocol(self, address):
        protocol = smtp.SMTPFactory.buildProtocol(self, address)
        protocol.host = b'mx.served.example'
        return protocol

known = InMemoryUsernamePasswordDatabaseDontUse(someone=b'secret')
reactor.listenTCP(25, Factory(Portal(Realm(), [known, AllowAnonymousAccess()])), interface='$interface')
reactor.run()
`;

const THIS_MACHINE_ONLY = `if not own and user.protocol.transport.getPeer().host != '127.0.0.1': raise smtp.SMTPBadRcpt(user)`;

const TWISTED: readonly MtaCase[] = [
  { rule: 'is a server made with Twisted that relays for everyone', truth: 'open', proof: PLAIN, start: delivering('pass') },
  {
    rule: 'is a server made with Twisted that relays for those who sign in, and takes any local part of its domain',
    truth: 'closed',
    start: delivering('if not own and not self.who: raise smtp.SMTPBadRcpt(user)'),
  },
  {
    rule: 'is a server made with Twisted that relays for its own machine, and takes postmaster only',
    truth: 'closed',
    start: delivering(`${THIS_MACHINE_ONLY}
        if own and user.dest.local != b'postmaster': raise smtp.SMTPBadRcpt(user)`),
  },
  {
    rule: 'is a server made with Twisted that relays for its own machine, behind rinetd',
    truth: 'open',
    proof: PLAIN,
    start: behindFront(delivering(THIS_MACHINE_ONLY, '127.0.0.1')),
  },
];

/** Servers that are written in Python, as their documentation shows them. */
export const PYTHON_CASES: readonly MtaCase[] = [...AIOSMTPD, ...OLD_SMTPD, ...TWISTED];
