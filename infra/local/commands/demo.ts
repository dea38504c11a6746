// `npm run demo -- close`: mends the open demo server, so that its next scans show it closed; `open` breaks it again.
import { parseArgs } from 'node:util';
import { readLocalState } from '../service/data-folder.ts';
import { DEMO_PORT } from '../service/demo-servers.ts';
import { setDemoClosed } from '../service/demo-state.ts';
import { DEFAULT_DATA, runCommand, UsageError } from './options.ts';

const USAGE = 'Usage: npm run demo -- close | open [--data FOLDER]';

async function main(args: readonly string[]): Promise<void> {
  const { verb, data } = readArguments(args);
  const address = readLocalState(data)?.demoAddresses?.open;
  if (address === undefined) throw new UsageError(`There is no demo server in ${data}. Start one: npm start -- --data ${data}`);
  setDemoClosed(data, verb === 'close');
  const now = verb === 'close' ? 'relays no more' : 'relays again';
  console.log(
    `The demo server ${address} port ${DEMO_PORT} ${now}. Press “Scan again” on its page; a second scan, seconds later, confirms the change.`,
  );
}

function readArguments(args: readonly string[]): { readonly verb: 'close' | 'open'; readonly data: string } {
  const { values, positionals } = parse(args);
  const [verb, ...more] = positionals;
  if ((verb !== 'close' && verb !== 'open') || more.length > 0) throw new UsageError(USAGE);
  return { verb, data: values.data };
}

function parse(args: readonly string[]) {
  try {
    const options = { data: { type: 'string', default: DEFAULT_DATA } } as const;
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message.split('\n')[0] : error} ${USAGE}`);
  }
}

runCommand(main);
