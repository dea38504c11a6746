// The process behind many.ts: cheap servers that refuse to relay in Postfix's words, each on an address of its own. The
// round trip is built in: the greeting comes one after the connect, answers one after the commands they belong to.
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { answerMessages } from './child.ts';

const ROUND_TRIP_MS = 50;
const EHLO = '250-mx\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250-ENHANCEDSTATUSCODES\r\n250 8BITMIME\r\n';

answerMessages(async (addresses: readonly string[]) => {
  const server = (address: string) =>
    once(createServer({ noDelay: true }, serve).listen({ port: 25, host: address, backlog: 64 }), 'listening');
  await Promise.all(addresses.map(server));
});

function serve(socket: Socket): void {
  let unfinished = '';
  socket.on('error', () => {});
  setTimeout(() => socket.write('220 mx ESMTP Postfix\r\n'), ROUND_TRIP_MS);
  socket.on('data', (bytes: Buffer) => {
    const lines = (unfinished + bytes.toString('latin1')).split('\r\n');
    unfinished = lines.pop() ?? '';
    const answers = lines.map(answerTo).join('');
    if (answers === '') return;
    setTimeout(() => (answers.endsWith(BYE) ? socket.end(answers) : socket.write(answers)), ROUND_TRIP_MS);
  });
}

const BYE = '221 2.0.0 Bye\r\n';

function answerTo(line: string): string {
  switch (line.slice(0, 4).toUpperCase()) {
    case 'EHLO':
      return EHLO;
    case 'HELO':
      return '250 mx\r\n';
    case 'MAIL':
      return '250 2.1.0 Ok\r\n';
    case 'RCPT':
      return recipient(line.slice('RCPT TO:'.length));
    case 'RSET':
      return '250 2.0.0 Ok\r\n';
    case 'DATA':
      return '554 5.5.1 Error: no valid recipients\r\n';
    case 'QUIT':
      return BYE;
    default:
      return '502 5.5.2 Error: command not recognized\r\n';
  }
}

function recipient(path: string): string {
  return path === '<postmaster@served.example>' ? '250 2.1.5 Ok\r\n' : `454 4.7.1 ${path}: Relay access denied\r\n`;
}
