import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { startDynamoDb } from '../../../infra/local/engines/dynamodb.ts';

const folder = mkdtempSync(join(tmpdir(), 'relay-audit-engine-'));
afterAll(() => rmSync(folder, { recursive: true }));

test.skipIf(process.env.DYNAMODB_ENDPOINT !== undefined)(
  'the embedded database answers at a loopback address that no web page can guess, and not at 127.0.0.1 (needs to start it: unset DYNAMODB_ENDPOINT)',
  async () => {
    const engine = await startDynamoDb(folder, () => {});
    try {
      const { hostname, port } = new URL(engine.endpoint);
      expect(hostname).toMatch(/^127\.\d+\.\d+\.\d+$/);
      expect(hostname).not.toMatch(/^127\.0\.0\./);
      expect((await fetch(engine.endpoint)).status).toBe(200);
      await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
    } finally {
      await engine.stop();
    }
  },
);
