import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { descendants, startLocalService, temporaryFolder } from '../support/local-service.ts';
import type { Figure } from './figure.ts';

const SETTLE_MS = 20_000; // the demo's first scans, confirmation and mail are over by then

/** Resident memory of the idle service: its process and everything it started. */
export async function measureIdle(): Promise<Figure[]> {
  const service = await startLocalService(['--port', '0', '--data', join(temporaryFolder(), 'data')]);
  await new Promise((done) => setTimeout(done, SETTLE_MS));
  const pid = service.process.pid ?? 0;
  const kib = [pid, ...descendants(pid)].reduce((sum, each) => sum + residentKib(each), 0);
  await service.stop();
  return [{ what: 'idle local service, engines and demo included', value: kib / 1024, unit: 'MiB', limit: 400 }];
}

function residentKib(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
}
