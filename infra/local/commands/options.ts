import { parseArgs } from 'node:util';

/** A mistake in how a command was started, told in one line that says what to do. */
export class UsageError extends Error {}

/** Runs a command with its arguments. A usage error is told in one line; every error ends in failure. */
export function runCommand(main: (args: readonly string[]) => Promise<void>): void {
  main(process.argv.slice(2)).catch((error: unknown) => {
    console.error(error instanceof UsageError ? `relay-audit: ${error.message}` : error);
    process.exitCode = 1;
  });
}

export type Options = { readonly port: number; readonly data: string; readonly demo: boolean };

const USAGE = 'Usage: npm start -- [--port 8025] [--data .data] [--no-demo]';
const DEFAULT_PORT = 8025;
export const DEFAULT_DATA = '.data';

/** Reads the command line of `npm start`; undefined when help was asked for and shown. */
export function readOptions(args: readonly string[]): Options | undefined {
  const { port, data, demo, help } = parse(args);
  if (help) {
    console.log(`${USAGE}

  --port   where the API answers; mails are shown on the next port   (0: any free ports)
  --data   folder that keeps everything across restarts
  --no-demo  do not start and register the two demo mail servers`);
    return undefined;
  }
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_534) throw new UsageError(`--port must be a number from 0 to 65534, not ${port}.`);
  if (data === '') throw new UsageError('--data must name a folder.');
  return { port: Number(port), data, demo };
}

function parse(args: readonly string[]) {
  try {
    const options = {
      port: { type: 'string', default: String(DEFAULT_PORT) },
      data: { type: 'string', default: DEFAULT_DATA },
      demo: { type: 'boolean', default: true },
      help: { type: 'boolean', default: false },
    } as const;
    return parseArgs({ args: [...args], options, allowNegative: true }).values;
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message.split('\n')[0] : error} ${USAGE}`);
  }
}
