import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { temporaryFolder } from '../support/local-service.ts';
import { type Figure, median } from './figure.ts';

const RUNS = 5;

/** From `npm start` to "ready", on a new folder, with the demo servers. */
export async function measureStart(): Promise<Figure[]> {
  const times: number[] = [];
  for (let run = 0; run < RUNS; run++) times.push(await startOnce());
  return [{ what: `npm start to ready, median of ${RUNS}`, value: median(times) / 1000, unit: 's', limit: 3 }];
}

function startOnce(): Promise<number> {
  const began = performance.now();
  const child = spawn('npm', ['start', '--', '--port', '0', '--data', join(temporaryFolder(), 'data')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return new Promise((done) => {
    let took = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      if (took > 0 || !chunk.toString().includes('Relay Audit is ready')) return;
      took = performance.now() - began;
      child.kill('SIGINT');
    });
    child.on('exit', () => done(took));
  });
}
