import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type * as z from 'zod';
import { invalid, Problem } from './problem.ts';

const BODY_LIMIT = 64 * 1024; // bytes; the largest valid request has under 3 KiB

/** Reads the body as JSON of the given shape, or throws the problem that says what is wrong with it. */
export function readBody<Schema extends z.ZodType>(event: APIGatewayProxyEventV2, schema: Schema): z.output<Schema> {
  const body = Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8');
  if (body.length > BODY_LIMIT) throw new Problem(413, `The body has more than ${BODY_LIMIT} bytes.`);
  const type = event.headers['content-type'] ?? '';
  if (!/^application\/json(;|$)/i.test(type))
    throw new Problem(415, 'Send the body as JSON with the header Content-Type: application/json.');
  return readShape(parseJson(body), schema);
}

/** Reads the query string; names it does not know are faults, so that a typing error is not taken for "no filter". */
export function readQuery<Schema extends z.ZodType>(event: APIGatewayProxyEventV2, schema: Schema): z.output<Schema> {
  return readShape(event.queryStringParameters ?? {}, schema);
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw new Problem(400, 'The body is not valid JSON in UTF-8.');
  }
}

function readShape<Schema extends z.ZodType>(value: unknown, schema: Schema): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalid(parsed.error.issues.flatMap(describeIssue));
}

function describeIssue(issue: z.core.$ZodIssue): { field: string; message: string }[] {
  const field = fieldPath(issue.path);
  if (issue.code !== 'unrecognized_keys') return [{ field, message: issue.message }];
  return issue.keys.map((key) => ({ field: fieldPath([...issue.path, key]), message: 'is not a known field' }));
}

function fieldPath(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '');
}
