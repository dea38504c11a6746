import { createHash } from 'node:crypto';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import * as z from 'zod';
import { invalid, Problem } from '../../shared/accounts/problem.ts';
import { loggedError } from '../../shared/runtime/logging.ts';
import type { RepeatableRequest } from '../../shared/store/audit-store.ts';
import type { Answer, Call, Verb } from './call.ts';

const CLAIM_MS = 60_000; // longer than the function may run: after that its maker is gone
const KEEP_MS = 24 * 60 * 60_000;
const AGAIN_SECONDS = 5; // a request is answered in less, or has failed

const keptAnswer = z.object({ statusCode: z.int(), headers: z.record(z.string(), z.string()).default({}), body: z.string().optional() });

/**
 * A verb that a caller may repeat with the same Idempotency-Key, as after an answer that was lost, and that acts once: for a day
 * the first answer is given again. Only what went well is kept; what failed may be tried again with the same key. `keptInstead`
 * is kept in the place of an answer that holds a secret.
 */
export function repeatable(verb: Verb, keptInstead?: Answer): Verb {
  return async (call) => {
    const key = readIdempotencyKey(call.event);
    if (key === undefined) return verb(call);
    const request = { accountId: call.accountId, key, fingerprint: fingerprintOf(call.event) };
    const now = call.clock();
    const repeated = await call.store.claimRequest(request, now, now + CLAIM_MS, now + KEEP_MS);
    if (repeated.kind === 'new') return makeRequest(call, request, verb, keptInstead);
    if (repeated.kind === 'answered') return replayed(repeated.answer);
    if (repeated.kind === 'running') throw stillRunning();
    throw new Problem(422, 'Another request was made with this Idempotency-Key. Give each request a key of its own.');
  };
}

async function makeRequest(call: Call, request: RepeatableRequest, verb: Verb, keptInstead: Answer | undefined): Promise<Answer> {
  const answer = await verb(call).catch(async (error: unknown) => {
    await settle(call, () => call.store.forgetRequest(request));
    throw error;
  });
  const { statusCode, headers, body } = keptInstead ?? answer;
  await settle(call, () => call.store.keepAnswer(request, JSON.stringify({ statusCode, headers, body })));
  return answer;
}

// The request itself is done, or has failed; trouble with the note of it changes nothing of that.
async function settle(call: Call, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    call.note('what became of a request could not be noted', { error: loggedError(error) });
  }
}

function replayed(text: string): Answer {
  const { statusCode, headers, body } = keptAnswer.parse(JSON.parse(text));
  const isFirst = statusCode < 300; // anything else stands in the place of the first answer
  return {
    statusCode,
    headers: { ...headers, ...(isFirst ? { 'idempotency-replayed': 'true' } : {}) },
    ...(body === undefined ? {} : { body }),
  };
}

function readIdempotencyKey(event: APIGatewayProxyEventV2): string | undefined {
  const key = event.headers['idempotency-key'];
  if (key === undefined || /^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw invalid([{ field: 'Idempotency-Key', message: 'must be 1 to 255 visible ASCII characters' }]);
}

// Method, path, query and body: what makes two requests the same.
function fingerprintOf(event: APIGatewayProxyEventV2): string {
  const { method, path } = event.requestContext.http;
  const body = Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8');
  const hash = createHash('sha256').update(JSON.stringify([method, path, event.rawQueryString]));
  return hash.update(body).digest('base64url');
}

function stillRunning(): Problem {
  const again = { 'retry-after': String(AGAIN_SECONDS) };
  return new Problem(409, 'The first request with this Idempotency-Key has not been answered yet. Try again.', undefined, again);
}
