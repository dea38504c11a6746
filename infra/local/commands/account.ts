// `npm run account -- create --email …` makes an account with its first API key; `npm run account -- quota --email … --hosts …` says
// how many hosts an account may have. Both are the operator's, and work on the local service or on a deployed table.
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { openAccount } from '../../../shared/accounts/account.ts';
import { loadSecrets, type Secrets } from '../../../shared/runtime/secrets.ts';
import type { AuditStore } from '../../../shared/store/audit-store.ts';
import { openStore, secretOf, type Where } from './operator-store.ts';
import { DEFAULT_DATA, runCommand, UsageError } from './options.ts';

const USAGE = `Usage: npm run account -- create --email you@example.org [--data FOLDER | --table NAME --secret ARN]
       npm run account -- quota --email you@example.org --hosts 250 [--data FOLDER | --table NAME]`;

const MOST_HOSTS = 10_000; // twice what may be scanned in a minute; more is not tested

/** Makes an account with its first key. The key's text is given here and nowhere else. */
export async function createAccount(store: AuditStore, secrets: Secrets, email: string): Promise<{ accountId: string; apiKey: string }> {
  const opened = await openAccount(store, secrets, email, Date.now());
  if (opened === undefined) throw new UsageError(`${email} has an account already.`);
  return { accountId: opened.accountId, apiKey: opened.apiKey };
}

/** Lets the account of a mail address have so many hosts. Gives how many it has. */
export async function setQuota(store: AuditStore, email: string, hosts: number): Promise<number> {
  const account = await store.findAccountByEmail(email);
  if (account === undefined || !(await store.setHostQuota(account.id, hosts))) throw new UsageError(`${email} has no account.`);
  return account.hosts ?? 0;
}

async function main(args: readonly string[]): Promise<void> {
  const { verb, email, hosts, secret, where } = readArguments(args);
  const store = openStore(where, USAGE);
  try {
    if (verb === 'quota') {
      const has = await setQuota(store, email, hosts);
      return console.log(`The account of ${email} may have ${hosts} hosts. It has ${has}.`);
    }
    const { accountId, apiKey } = await createAccount(store, await loadSecrets(secret), email);
    console.log(`Account ${accountId} for ${email}.\nIts API key, shown this once:\n\n  ${apiKey}\n`);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const why = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    throw new UsageError(
      `Nothing was changed in ${where.table ?? where.data} (${why}). Does the service run, or are your AWS credentials for it set?`,
    );
  }
}

type Arguments = {
  readonly verb: 'create' | 'quota';
  readonly email: string;
  readonly hosts: number;
  readonly secret: string;
  readonly where: Where;
};

function readArguments(args: readonly string[]): Arguments {
  const { values, positionals } = parse(args);
  const [verb, ...more] = positionals;
  const email = z.email().safeParse(values.email);
  if ((verb !== 'create' && verb !== 'quota') || more.length > 0 || values.email === undefined) throw new UsageError(USAGE);
  if (!email.success) throw new UsageError(`${values.email} is not a mail address.`);
  const where = { table: values.table, data: values.data };
  if (verb === 'quota') return { verb, email: email.data, hosts: readHosts(values.hosts), secret: '', where };
  if ((values.table === undefined) !== (values.secret === undefined)) throw new UsageError(`--table and --secret go together. ${USAGE}`);
  return { verb, email: email.data, hosts: 0, secret: values.secret ?? secretOf(values.data), where };
}

function readHosts(text = ''): number {
  const hosts = Number(text);
  if (/^\d{1,5}$/.test(text) && hosts >= 1 && hosts <= MOST_HOSTS) return hosts;
  throw new UsageError(`--hosts must be a number from 1 to ${MOST_HOSTS}. ${USAGE}`);
}

function parse(args: readonly string[]) {
  try {
    const options = {
      email: { type: 'string' },
      hosts: { type: 'string' },
      table: { type: 'string' },
      secret: { type: 'string' },
      data: { type: 'string', default: DEFAULT_DATA },
    } as const;
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message.split('\n')[0] : error} ${USAGE}`);
  }
}

if (import.meta.main) {
  runCommand(main);
}
