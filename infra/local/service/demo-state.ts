import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const FILE = 'demo-closed'; // while it is there, the open demo server relays no more

/** Whether the owner of the demo has closed its open server. */
export function isDemoClosed(folder: string): boolean {
  return existsSync(join(resolve(folder), FILE));
}

/** Closes the open demo server, or opens it again; the running one follows with its next recipient. */
export function setDemoClosed(folder: string, closed: boolean): void {
  const file = join(resolve(folder), FILE);
  if (closed) writeFileSync(file, '');
  else rmSync(file, { force: true });
}
