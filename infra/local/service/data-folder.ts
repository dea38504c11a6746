import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import * as z from 'zod';
import { UsageError } from '../commands/options.ts';

const state = z.object({
  /** Where the engines answer while the service runs. */
  endpoints: z.object({ dynamodb: z.string(), sqs: z.string(), ses: z.string() }).optional(),
  accountId: z.string().optional(),
  apiKey: z.string().optional(),
  demoAddresses: z.object({ open: z.string(), closed: z.string() }).optional(),
  /** The demo servers as registered hosts; made once, so that one whom the user removes stays removed. */
  demoHosts: z.array(z.string()).optional(),
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
  const secretFile = join(path, 'secret');
  try {
    makeFolder(path);
    if (!existsSync(secretFile) && readdirSync(path).length > 0)
      throw new UsageError(`The folder ${path} holds other things. Choose a new one: npm start -- --data FOLDER`);
    if (!existsSync(secretFile)) writeWhole(secretFile, randomBytes(48).toString('base64url'));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    const why = code === 'EEXIST' || code === 'ENOTDIR' ? 'is not a folder' : `cannot be written (${code})`;
    throw new UsageError(`${path} ${why}. Choose another: npm start -- --data FOLDER`);
  }
  const opened = { path, secretFile, ...stateFile(join(path, 'service.json')) };
  opened.read(); // a damaged file is told now
  return opened;
}

// One folder at a time: in /proc, Node's recursive mkdir never comes back.
function makeFolder(path: string): void {
  if (existsSync(path) && statSync(path).isDirectory()) return;
  if (!existsSync(dirname(path))) makeFolder(dirname(path));
  mkdirSync(path, { mode: 0o700 });
}

/** Reads what the service that uses this folder has written; undefined when there is none. */
export function readLocalState(folder: string): LocalState | undefined {
  const file = join(resolve(folder), 'service.json');
  return existsSync(file) ? stateFile(file).read() : undefined;
}

function stateFile(file: string): Pick<DataFolder, 'read' | 'update'> {
  const read = () => {
    try {
      return state.parse(existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {});
    } catch {
      throw new UsageError(`${file} is damaged. Restore it, or choose another folder: npm start -- --data FOLDER`);
    }
  };
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
  const { dev, ino } = statSync(path); // the folder itself, by whatever path it is named
  const name = `\0relay-audit-${createHash('sha256').update(`${dev}:${ino}`).digest('hex')}`;
  const server = createServer();
  await new Promise<void>((done, fail) => {
    server.once('error', () =>
      fail(new UsageError(`Another Relay Audit runs on ${path}. Stop it, or choose another folder: npm start -- --data FOLDER`)),
    );
    server.listen(name, done);
  });
  server.unref();
}
