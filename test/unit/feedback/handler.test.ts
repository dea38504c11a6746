import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

let lines: string[] = [];

beforeAll(() => {
  vi.stubEnv('TABLE_NAME', 'table');
  vi.stubEnv('POWERTOOLS_DEV', 'true'); // to the console that can be listened to
  for (const level of ['log', 'info', 'warn', 'error', 'debug'] as const)
    vi.spyOn(console, level).mockImplementation((...words) => {
      lines.push(words.map((word) => (typeof word === 'string' ? word : JSON.stringify(word))).join(' '));
    });
});
afterAll(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

test('a message that cannot be read is given back by itself, and no reader’s address is written into the log', async () => {
  vi.resetModules(); // it reads its settings once
  const { handler } = await import('../../../functions/feedback/handler.ts');
  const bodies = [
    'reader@example.org',
    JSON.stringify({ eventType: 'Bounce', mail: { messageId: 1, destination: ['reader@example.org'] } }),
    JSON.stringify({ eventType: 'Open', mail: { destination: ['reader@example.org'] } }),
  ];
  const event = { Records: bodies.map((body, index) => ({ messageId: `m${index}`, body })) } as SQSEvent;
  lines = [];
  const answer = (await handler(event, {} as Parameters<typeof handler>[1])) as unknown as SQSBatchResponse;
  expect(answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)).toEqual(['m0', 'm1']);
  const failures = lines.filter((line) => line.includes('an event of SES could not be taken in'));
  expect(failures).toHaveLength(2);
  expect(lines.join()).not.toContain('example.org');
  expect(lines.join()).not.toContain('reader');
});
