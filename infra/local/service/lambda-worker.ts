// Runs the Lambda handlers in a thread of their own, with an environment of their own, as AWS would: loaded once, called
// with an event each, their log going to standard output, which the host reads.
import { parentPort } from 'node:worker_threads';
import type { FunctionName } from '../../../shared/runtime/config.ts';

export type Invocation = { readonly id: number; readonly name: FunctionName; readonly event: unknown };
export type Completion = { readonly id: number; readonly result?: unknown; readonly error?: string };

type Handler = (event: unknown, context: unknown) => Promise<unknown>;

const handlers: Partial<Record<FunctionName, Promise<{ handler: Handler }>>> = {};

const load = {
  api: () => import('../../../functions/api/handler.ts'),
  pages: () => import('../../../functions/pages/handler.ts'),
  dispatch: () => import('../../../functions/dispatch/handler.ts'),
  probe: () => import('../../../functions/probe/handler.ts'),
  canary: () => import('../../../functions/canary/handler.ts'),
  notify: () => import('../../../functions/notify/handler.ts'),
  feedback: () => import('../../../functions/feedback/handler.ts'),
  preflight: () => import('../../../functions/preflight/handler.ts'),
} as Record<FunctionName, () => Promise<{ handler: Handler }>>;

parentPort?.on('message', async ({ id, name, event }: Invocation) => {
  const context = { functionName: name, awsRequestId: `local-${id}`, getRemainingTimeInMillis: () => 300_000 };
  try {
    handlers[name] ??= load[name]();
    const { handler } = await handlers[name];
    parentPort?.postMessage({ id, result: await handler(event, context) } satisfies Completion);
  } catch (error) {
    parentPort?.postMessage({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) } satisfies Completion);
  }
});
