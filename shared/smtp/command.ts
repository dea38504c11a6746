/** Everything we ever say to a server, canary messages apart. A path is written with its brackets, as it is sent. */
export type Command =
  | { readonly verb: 'EHLO' | 'HELO'; readonly name: string }
  | { readonly verb: 'MAIL'; readonly path: string }
  | { readonly verb: 'RCPT'; readonly path: string }
  /** Claims to be a client at an address (Postfix XCLIENT_README); said only where EHLO offered it. */
  | { readonly verb: 'XCLIENT'; readonly address: (typeof CLAIMED_CLIENTS)[number] }
  | { readonly verb: 'STARTTLS' | 'DATA' | 'RSET' | 'HELP' | 'QUIT' };

/** The clients that XCLIENT is tried with: those that servers trust, this machine first, then what the private networks begin with (RFC 1918). */
export const CLAIMED_CLIENTS = ['127.0.0.1', '10.0.0.1', '192.168.0.1', '172.16.0.1'] as const;

const COMMAND_LIMIT = 512; // octets with CRLF, RFC 5321 §4.5.3.1.4

/**
 * Writes one command line, the only place that does. Throws, for it is our defect, when an argument holds anything but
 * visible ASCII (a space, CR or LF could smuggle in a second command) or the line is too long.
 */
export function writeCommand(command: Command): string {
  const line = commandText(command);
  const argument = 'name' in command ? command.name : 'path' in command ? command.path : 'none';
  if (!/^[\x21-\x7e]+$/.test(argument)) throw new Error(`not visible ASCII in a ${command.verb} command`);
  if (line.length + 2 > COMMAND_LIMIT) throw new Error(`a ${command.verb} command longer than ${COMMAND_LIMIT} octets`);
  return `${line}\r\n`;
}

function commandText(command: Command): string {
  switch (command.verb) {
    case 'EHLO':
    case 'HELO':
      return `${command.verb} ${command.name}`;
    case 'MAIL':
      return `MAIL FROM:${command.path}`;
    case 'RCPT':
      return `RCPT TO:${command.path}`;
    case 'XCLIENT':
      return `XCLIENT ADDR=${command.address} NAME=localhost`;
    case 'STARTTLS':
    case 'DATA':
    case 'RSET':
    case 'HELP':
    case 'QUIT':
      return command.verb;
  }
}
