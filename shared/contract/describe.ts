import * as z from 'zod';
import type { ZodOpenApiOperationObject } from 'zod-openapi';
import { problemResponse } from './responses.ts';

// What the operations of the document are described with.

/** An operation as the document describes it; its id and where it is are in `operations.ts`. */
export type Described = Omit<ZodOpenApiOperationObject, 'operationId'>;

/** A JSON body of a request. */
export const body = (schema: z.ZodType) => ({ required: true, content: { 'application/json': { schema } } });

/** A JSON answer, with headers that it carries. */
export const answer = (description: string, schema: z.ZodType, headers: readonly Header[] = []) => ({
  description,
  content: { 'application/json': { schema } },
  ...(headers.length === 0 ? {} : { headers: headersOf(headers) }),
});

/** A problem (RFC 9457), with headers that it carries. */
export const problem = (description: string, headers: readonly Header[] = []) => ({
  description,
  content: { 'application/problem+json': { schema: problemResponse } },
  ...(headers.length === 0 ? {} : { headers: headersOf(headers) }),
});

const HEADERS = {
  ETag: 'The revision of the settings, for If-Match.',
  Location: 'Where it is.',
  'Retry-After': 'In how many seconds to come again.',
  RateLimit: 'What is left of the budget, and for how many seconds (draft-ietf-httpapi-ratelimit-headers).',
  'RateLimit-Policy': 'The budget: how much of it there is (q) in how many seconds (w).',
  'Idempotency-Replayed': '`true` when this is the first answer to the same request, given again.',
} as const;

type Header = keyof typeof HEADERS;

function headersOf(names: readonly Header[]) {
  return Object.fromEntries(names.map((name) => [name, { description: HEADERS[name], schema: { type: 'string' as const } }]));
}

/** The problem of a spent budget. */
export const spent = (description: string) => ({ 429: problem(description, ['Retry-After', 'RateLimit', 'RateLimit-Policy']) });

export const failed = { 500: problem('Trouble on our side.') };
export const authenticated = {
  401: problem('No valid API key.'),
  ...spent('The budget of the API key is spent, or of what was asked for.'),
  ...failed,
};
export const mayChange = { 403: problem('The API key may only read.') };
export const ofHost = { ...authenticated, 404: problem('No such host in this account.') };
export const invalid = { 422: problem('Some of the input is not valid.') };
export const invalidBody = { ...invalid, 400: problem('Not JSON.'), 413: problem('More than 64 KiB.'), 415: problem('Not sent as JSON.') };

const idempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/)
  .optional()
  .meta({
    description:
      'Any text of 1 to 255 visible ASCII characters, new for each request. Repeating a request with its key acts once: for 24 hours its first answer is given again. Another request with the key is refused with 422.',
  });

/** The headers of a request that may be repeated. */
export const repeatable = z.object({ 'Idempotency-Key': idempotencyKey });

/** The problem of a request that is repeated too soon. */
export const notYetAnswered = { 409: problem('The first request with this Idempotency-Key has not been answered yet.', ['Retry-After']) };

/** The headers of a change that is made only to what its caller has seen. */
export const conditional = z.object({
  'If-Match': z
    .string()
    .optional()
    .meta({ description: 'ETags, one of which the host must still have; `*` or none: whatever it has.', example: '"3"' }),
});
