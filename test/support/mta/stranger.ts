import { connect as dial, type Socket } from 'node:net';
import { connect as secure } from 'node:tls';

/** A message that a stranger tries to send, with the envelope written as it goes over the wire, brackets and all. */
export type Letter = {
  readonly from: string;
  readonly to: string;
  /** Further recipients of the same transaction, named before and after `to`; whether they are taken does not matter. */
  readonly before?: string;
  readonly after?: string;
  readonly ehlo?: string;
  /** What XCLIENT claims, before anything else is tried. */
  readonly xclient?: string;
  readonly port?: number;
  readonly transport?: 'plain' | 'starttls' | 'tls';
};

const REPLY_MS = 60_000;

/** Whether a server put a letter off, or did not answer, and may yet take it. Postfix by default refuses relaying for now, not for good. */
export function isPutOff(answer: string): boolean {
  return /^(?:4|no answer)/.test(answer) && !/relay/i.test(answer);
}

/**
 * Sends one letter as a stranger would, with this subject, and from this address of ours if one is named. Gives the server's last word: 250
 * and its text if it took the message, else the refusal.
 */
export async function send(address: string, letter: Letter, subject = 'letter', localAddress?: string): Promise<string> {
  const { from, to, before, after, ehlo = 'stranger.example', xclient, port = 25, transport = 'plain' } = letter;
  const tls = { host: address, port, rejectUnauthorized: false, minVersion: 'TLSv1' as const, ciphers: 'DEFAULT:@SECLEVEL=0' };
  let line = talk(
    transport === 'tls' ? secure(tls) : dial({ host: address, port, ...(localAddress === undefined ? {} : { localAddress }) }),
  );
  try {
    const greeting = await line.reply();
    if (!greeting.startsWith('220')) return greeting;
    await line.say(`EHLO ${ehlo}`);
    if (transport === 'starttls') {
      const answer = await line.say('STARTTLS');
      if (!answer.startsWith('220')) return answer;
      line = talk(secure({ ...tls, socket: line.release() }));
      await line.say(`EHLO ${ehlo}`);
    }
    if (xclient !== undefined) {
      const answer = await line.say(`XCLIENT ${xclient}`);
      if (!answer.startsWith('2')) return answer;
      await line.say(`EHLO ${ehlo}`);
    }
    const sender = await line.say(`MAIL FROM:${from}`);
    if (!sender.startsWith('2')) return sender;
    if (before !== undefined) await line.say(`RCPT TO:${before}`);
    const recipient = await line.say(`RCPT TO:${to}`);
    if (!recipient.startsWith('2')) return recipient;
    if (after !== undefined) await line.say(`RCPT TO:${after}`);
    const data = await line.say('DATA');
    if (!data.startsWith('3')) return data;
    const body = `From: stranger@stranger.example\r\nTo: someone@canary.example\r\nSubject: ${subject}\r\nMessage-ID: <${Date.now()}.${Math.random()}@stranger.example>\r\nDate: ${new Date().toUTCString()}\r\n\r\nhello\r\n.`;
    const verdict = await line.say(body);
    await line.say('QUIT');
    return verdict;
  } catch (error) {
    return `no answer: ${error instanceof Error ? error.message : error}`;
  } finally {
    line.end();
  }
}

function talk(socket: Socket) {
  let text = '';
  let wake: (() => void) | undefined;
  let ended = false;
  const onData = (bytes: Buffer) => {
    text += bytes.toString('latin1');
    wake?.();
  };
  const onEnd = () => {
    ended = true;
    wake?.();
  };
  socket.on('data', onData);
  socket.on('close', onEnd);
  socket.on('error', onEnd);
  async function reply(): Promise<string> {
    for (const deadline = Date.now() + REPLY_MS; ; ) {
      const match = /^(?:\d{3}-[^\n]*\n)*\d{3}(?: [^\n]*)?\r?\n/.exec(text);
      if (match !== null) {
        text = text.slice(match[0].length);
        return match[0].trim();
      }
      if (ended) throw new Error('connection closed');
      if (Date.now() > deadline) throw new Error('time-out');
      await new Promise<void>((done) => {
        const timer = setTimeout(done, deadline - Date.now());
        wake = () => {
          clearTimeout(timer);
          done();
        };
      });
    }
  }
  return {
    reply,
    say(command: string): Promise<string> {
      socket.write(`${command}\r\n`, 'latin1');
      return reply();
    },
    release(): Socket {
      socket.off('data', onData);
      socket.off('close', onEnd);
      socket.off('error', onEnd);
      return socket;
    },
    end: () => socket.destroy(),
  };
}
