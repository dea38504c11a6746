import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { GetQueueAttributesCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { eventually, runToEnd, temporaryFolder } from '../support/local-service.ts';
import { startQueues, type TestQueues } from '../support/queue.ts';

const REPLAY = new URL('../../infra/local/commands/replay.ts', import.meta.url).pathname;
const root = temporaryFolder();

describe('npm run replay, on one machine,', () => {
  let queues: TestQueues;
  let data: string;
  beforeAll(async () => {
    queues = await startQueues();
    data = folderOf(new URL(queues.urls.scans).origin);
  });
  afterAll(() => queues.stop());

  /** The folder of a local service whose queues answer there. */
  function folderOf(sqs: string): string {
    const folder = mkdtempSync(join(root, 'data-'));
    writeFileSync(join(folder, 'service.json'), JSON.stringify({ endpoints: { dynamodb: sqs, sqs, ses: sqs } }));
    return folder;
  }

  const deadLetters = () => `${queues.urls.feedback}-dead`;
  const bury = async (bodies: readonly string[]) => {
    for (const MessageBody of bodies) await queues.client.send(new SendMessageCommand({ QueueUrl: deadLetters(), MessageBody }));
  };
  const replay = (...args: string[]) => runToEnd([...args, '--data', data], REPLAY);

  test('puts every dead letter of the queue back, and says how many', async () => {
    const bodies = Array.from({ length: 23 }, (_, index) => `letter ${index}`);
    await bury(bodies);
    expect(await replay('feedback')).toEqual({ code: 0, output: 'Put back into feedback: 23. None is left.\n' });
    expect((await queues.drain(queues.urls.feedback)).toSorted()).toEqual(bodies.toSorted());
    expect(await queues.drain(deadLetters())).toEqual([]);
    expect(await replay('feedback')).toEqual({ code: 0, output: 'There are no dead letters of feedback.\n' });
  });

  test('loses none when it is killed: each is in one of the two queues, or in both', async () => {
    const bodies = Array.from({ length: 120 }, (_, index) => `letter ${index}`);
    await bury(bodies);
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', REPLAY, 'feedback', '--data', data], {
      stdio: 'ignore',
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const count = async () => {
      const AttributeNames = ['ApproximateNumberOfMessages' as const];
      const { Attributes } = await queues.client.send(new GetQueueAttributesCommand({ QueueUrl: queues.urls.feedback, AttributeNames }));
      return Number(Attributes?.ApproximateNumberOfMessages);
    };
    while ((await count()) === 0) await new Promise((done) => setTimeout(done, 1));
    await kill(child);
    const moved = await queues.drain(queues.urls.feedback);
    expect(moved.length).toBeLessThan(bodies.length);
    const left = await eventually(
      async () => {
        const { code } = await replay('feedback');
        const more = await queues.drain(queues.urls.feedback);
        moved.push(...more);
        return code === 0 && new Set(moved).size === bodies.length ? more : undefined;
      },
      'the rest, once the killed command’s hold on them is over',
      60_000,
    );
    expect(left).toBeDefined();
    expect(moved.length - bodies.length).toBeLessThanOrEqual(1); // the one in between
  }, 90_000);

  test.each([
    [['letters'], 'Usage: npm run replay -- scans | notices | feedback | canary [--stage STAGE | --data FOLDER]'],
    [[], 'Usage: '],
    [['scans', '--stage', 'prod', '--data', 'x'], 'Usage: '],
    [['scans', '--data', join(root, 'nothing')], 'Start one with npm start, or name a stage.'],
  ])('says what to do when it cannot tell which queue is meant: %j', async (args, words) => {
    const { code, output } = await runToEnd(args, REPLAY);
    expect(code).toBe(1);
    expect(output).toMatch(/^relay-audit: /);
    expect(output).toContain(words);
    expect(output.trim().split('\n')).toHaveLength(1);
  });

  test('says so when the service does not run', async () => {
    const { code, output } = await runToEnd(['scans', '--data', folderOf('http://127.0.0.1:9')], REPLAY);
    expect(code).toBe(1);
    expect(output).toContain('the service does not run. Start it with npm start.');
  });
});

type Asked = { readonly action: string; readonly body: Record<string, unknown> };

describe('npm run replay, on AWS,', () => {
  let server: Server;
  let asked: Asked[];
  let answers: Record<string, (nth: number) => object>;
  const ARN = 'arn:aws:sqs:eu-central-1:123456789012:relay-audit-dev-service-scans-dead';

  beforeAll(async () => {
    server = createServer((request, response) => {
      const action = String(request.headers['x-amz-target']).replace('AmazonSQS.', '');
      let text = '';
      request.on('data', (chunk) => {
        text += chunk;
      });
      request.on('end', () => {
        asked.push({ action, body: JSON.parse(text) });
        const answer = answers[action]?.(asked.filter((each) => each.action === action).length) ?? {};
        response.writeHead('__type' in answer ? 400 : 200, { 'content-type': 'application/x-amz-json-1.0' });
        response.end(JSON.stringify(answer));
      });
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  });
  afterAll(() => server.close());
  beforeEach(() => {
    asked = [];
    answers = {
      GetQueueUrl: () => ({ QueueUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/123456789012/x` }),
      GetQueueAttributes: (nth) => ({ Attributes: { QueueArn: ARN, ApproximateNumberOfMessages: nth === 1 ? '7' : '2' } }),
    };
  });

  const moves = (...entries: object[]) => {
    answers.ListMessageMoveTasks = (nth) => ({ Results: entries[nth - 1] === undefined ? [] : [entries[nth - 1]] });
  };
  const replay = async () => {
    const env = {
      PATH: process.env.PATH ?? '',
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'x',
      AWS_SECRET_ACCESS_KEY: 'x',
      AWS_ENDPOINT_URL_SQS: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    };
    const args = ['--disable-warning=ExperimentalWarning', REPLAY, 'scans', '--stage', 'dev'];
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString();
      });
    const code = await new Promise((done) => child.once('close', done));
    return { code, output };
  };

  test('lets SQS move the letters of the stage’s queue, waits for it, and says how many were moved and are left', async () => {
    moves({ Status: 'COMPLETED' }, { Status: 'RUNNING' }, { Status: 'COMPLETED', ApproximateNumberOfMessagesMoved: 5 });
    const { code, output } = await replay();
    expect(output).toContain('Put back into scans: 5. 2 are left or came meanwhile; run this again.');
    expect(code).toBe(0);
    expect(asked.find(({ action }) => action === 'GetQueueUrl')?.body).toEqual({ QueueName: 'relay-audit-dev-service-scans-dead' });
    expect(asked.filter(({ action }) => action === 'StartMessageMoveTask').map(({ body }) => body)).toEqual([{ SourceArn: ARN }]);
  });

  test('waits for a move that runs already, and starts no second one', async () => {
    moves({ Status: 'RUNNING' }, { Status: 'COMPLETED', ApproximateNumberOfMessagesMoved: 7 });
    const { code } = await replay();
    expect(code).toBe(0);
    expect(asked.map(({ action }) => action)).not.toContain('StartMessageMoveTask');
  });

  test('says why a move failed, and how far it got', async () => {
    moves(
      { Status: 'COMPLETED' },
      { Status: 'FAILED', FailureReason: 'CouldNotDetermineMessageSource', ApproximateNumberOfMessagesMoved: 3 },
    );
    const { code, output } = await replay();
    expect(code).toBe(1);
    expect(output).toContain('CouldNotDetermineMessageSource, after 3 letters');
  });

  test('says what to do when there is no such queue', async () => {
    answers.GetQueueUrl = () => ({ __type: 'com.amazonaws.sqs#QueueDoesNotExist', message: 'The specified queue does not exist.' });
    const { code, output } = await replay();
    expect(code).toBe(1);
    expect(output).toContain('Is the service deployed in this account and region (AWS_REGION), and is the stage right?');
  });
});

function kill(child: ChildProcess): Promise<void> {
  return new Promise((done) => {
    child.once('exit', () => done());
    child.kill('SIGKILL');
  });
}
