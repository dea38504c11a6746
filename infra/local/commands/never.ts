// `npm run never -- add 192.0.2.0/24 --why "…"`: the operator's list of what is never probed, whatever consent there is. It
// is in force within a minute, at every dial.
import { parseArgs } from 'node:util';
import { parseAddress, parseNetwork } from '../../../shared/domain/address.ts';
import { readName } from '../../../shared/domain/host-name.ts';
import type { AuditStore } from '../../../shared/store/audit-store.ts';
import { openStore } from './operator-store.ts';
import { DEFAULT_DATA, runCommand, UsageError } from './options.ts';

const USAGE =
  'Usage: npm run never -- list | add TARGET --why TEXT | remove TARGET [--data FOLDER | --table NAME]; TARGET is an address, a network or a name with all below it.';

const MOST_CHARACTERS = 200; // of a reason

async function main(args: readonly string[]): Promise<void> {
  const { verb, target, why, where } = readArguments(args);
  const store = openStore(where, USAGE);
  switch (verb) {
    case 'list':
      return show(store);
    case 'add':
      await store.addNever({ target, since: Date.now(), why });
      return console.log(`${target} is not probed any more, from a minute on at the latest.`);
    case 'remove':
      if (!(await store.removeNever(target))) throw new UsageError(`${target} is not on the list.`);
      return console.log(`${target} is off the list. It is probed again where there is consent.`);
  }
}

async function show(store: AuditStore): Promise<void> {
  const entries = await store.neverList();
  if (entries.length === 0) console.log('The list is empty.');
  for (const { target, since, why } of entries) console.log(`${target}\tsince ${new Date(since).toISOString()}\t${why}`);
}

type Arguments = {
  readonly verb: 'list' | 'add' | 'remove';
  readonly target: string;
  readonly why: string;
  readonly where: { readonly table: string | undefined; readonly data: string };
};

function readArguments(args: readonly string[]): Arguments {
  const { values, positionals } = parse(args);
  const [verb, target, ...more] = positionals;
  const where = { table: values.table, data: values.data };
  if (verb === 'list' && target === undefined) return { verb, target: '', why: '', where };
  if ((verb !== 'add' && verb !== 'remove') || target === undefined || more.length > 0) throw new UsageError(USAGE);
  const why = (values.why ?? '').trim();
  if (verb === 'add' && (why === '' || why.length > MOST_CHARACTERS))
    throw new UsageError(`--why must say, in at most ${MOST_CHARACTERS} characters, who asked for it and when. ${USAGE}`);
  return { verb, target: readEntry(target), why, where };
}

function readEntry(text: string): string {
  const address = parseAddress(text);
  if (address !== undefined) return address.text;
  if (parseNetwork(text) !== undefined) return text;
  const name = readName(text);
  if (name.kind === 'name') return name.name;
  throw new UsageError(
    `${JSON.stringify(text)} is no address, no network such as 192.0.2.0/24 without host bits, and as a name it ${name.why}.`,
  );
}

function parse(args: readonly string[]) {
  try {
    const options = { why: { type: 'string' }, table: { type: 'string' }, data: { type: 'string', default: DEFAULT_DATA } } as const;
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message.split('\n')[0] : error} ${USAGE}`);
  }
}

runCommand(main);
