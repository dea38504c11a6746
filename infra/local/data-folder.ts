import { createHash, randomBytes } from 'node:crypto';
import { accessSync, constants, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import * as z from 'zod';
import { UsageError } from './options.ts';

const state = z.object({
  /** Where the engines answer while the service runs. */
  endpoints: z.object({ dynamodb: z.string(), sqs: z.string(), ses: z.string() }).optional(),
  accountId: z.string().optional(),
  apiKey: z.string().optional(),
  demoAddresses: z.object({ open: z.string(), closed: z.string() }).optional(),
});

/** What the local service remembers beside its engines' own files. */
export type LocalState = z.output<typeof state>;

/** The folder of one local service. */
export type DataFolder = {
  readonly path: string;
  readonly secretFile: string;
  read(): LocalState;
  /** Written whole or not at all. */
  update(change: Partial<LocalState>): void;
};

/** Opens the folder, making it and its secret when they are not there. */
export function openDataFolder(folder: string): DataFolder {
  const path = resolve(folder);
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    accessSync(path, constants.W_OK);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new UsageError(`The folder ${path} cannot be written (${code}). Choose another: npm start -- --data FOLDER`);
  }
  const secretFile = join(path, 'secret');
  if (!existsSync(secretFile)) writeWhole(secretFile, randomBytes(48).toString('base64url'));
  return { path, secretFile, ...stateFile(join(path, 'service.json')) };
}

/** Reads what the service that uses this folder has written; undefined when there is none. */
export function readLocalState(folder: string): LocalState | undefined {
  const file = join(resolve(folder), 'service.json');
  return existsSync(file) ? stateFile(file).read() : undefined;
}

function stateFile(file: string): Pick<DataFolder, 'read' | 'update'> {
  const read = () => state.parse(existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {});
  return { read, update: (change) => writeWhole(file, JSON.stringify({ ...read(), ...change }, null, 2)) };
}

function writeWhole(file: string, text: string): void {
  writeFileSync(`${file}.new`, text, { mode: 0o600, flush: true });
  renameSync(`${file}.new`, file);
}

/**
 * Makes sure that no second service uses the folder: holds a socket named after it, in Linux's abstract namespace, which
 * the system takes back however the process ends.
 */
export async function lockDataFolder(path: string): Promise<void> {
  const name = `\0relay-audit-${createHash('sha256').update(path).digest('hex')}`;
  const server = createServer();
  await new Promise<void>((done, fail) => {
    server.once('error', () =>
      fail(new UsageError(`Another Relay Audit runs on ${path}. Stop it, or choose another folder: npm start -- --data FOLDER`)),
    );
    server.listen(name, done);
  });
  server.unref();
}
