// `npm run account -- create --email …`: the operator's command that makes an account with its first API key, in the local
// service or in a deployed table.
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { openAccount } from '../../shared/accounts/open-account.ts';
import { loadSecrets, type Secrets } from '../../shared/runtime/secrets.ts';
import type { AuditStore } from '../../shared/store/audit-store.ts';
import { openStore, secretOf, type Where } from './operator-store.ts';
import { DEFAULT_DATA, runCommand, UsageError } from './options.ts';

const USAGE = 'Usage: npm run account -- create --email you@example.org [--data FOLDER | --table NAME --secret ARN]';

/** Makes an account with its first key. The key's text is given here and nowhere else. */
export async function createAccount(store: AuditStore, secrets: Secrets, email: string): Promise<{ accountId: string; apiKey: string }> {
  const opened = await openAccount(store, secrets, email, Date.now());
  if (opened === undefined) throw new UsageError(`${email} has an account already.`);
  return { accountId: opened.accountId, apiKey: opened.apiKey };
}

async function main(args: readonly string[]): Promise<void> {
  const { email, secret, where } = readArguments(args);
  const store = openStore(where, USAGE);
  try {
    const { accountId, apiKey } = await createAccount(store, await loadSecrets(secret), email);
    console.log(`Account ${accountId} for ${email}.\nIts API key, shown this once:\n\n  ${apiKey}\n`);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const why = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    throw new UsageError(
      `The account could not be made in ${where.table ?? where.data} (${why}). Does the service run, or are your AWS credentials for it set?`,
    );
  }
}

type Arguments = { readonly email: string; readonly secret: string; readonly where: Where };

function readArguments(args: readonly string[]): Arguments {
  const { values, positionals } = parse(args);
  const email = z.email().safeParse(values.email);
  if (positionals.join(' ') !== 'create' || values.email === undefined) throw new UsageError(USAGE);
  if (!email.success) throw new UsageError(`${values.email} is not a mail address.`);
  if ((values.table === undefined) !== (values.secret === undefined)) throw new UsageError(`--table and --secret go together. ${USAGE}`);
  const where = { table: values.table, data: values.data };
  return { email: email.data, secret: values.secret ?? secretOf(values.data), where };
}

function parse(args: readonly string[]) {
  try {
    const options = {
      email: { type: 'string' },
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
