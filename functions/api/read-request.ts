import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import * as z from 'zod';
import { invalid, Problem } from '../../shared/accounts/problem.ts';

const ERRORS_LIMIT = 20; // told at once; who makes more has another problem
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

/** Refuses a query string where none is known. */
export function readNoQuery(event: APIGatewayProxyEventV2): void {
  readQuery(event, z.strictObject({}));
}

/** Refuses a body where none is needed; an empty one, or an empty object, is nothing. */
export function readNoBody(event: APIGatewayProxyEventV2): void {
  if ((event.body ?? '') !== '') readBody(event, z.strictObject({}));
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw new Problem(400, 'The body is not valid JSON in UTF-8.');
  }
}

function readShape<Schema extends z.ZodType>(value: unknown, schema: Schema): z.output<Schema> {
  const parsed = schema.safeParse(value, { reportInput: true });
  if (parsed.success) return parsed.data;
  throw invalid(parsed.error.issues.flatMap(describeIssue).slice(0, ERRORS_LIMIT));
}

function describeIssue(issue: z.core.$ZodIssue): { field: string; message: string }[] {
  const field = fieldPath(issue.path);
  if (issue.code === 'invalid_type')
    return [{ field, message: issue.input === undefined ? 'is required' : `must be ${TYPES[issue.expected] ?? issue.expected}` }];
  if (issue.code !== 'unrecognized_keys') return [{ field, message: issue.message }];
  return issue.keys.map((key) => ({ field: fieldPath([...issue.path, key]), message: 'is not a known field' }));
}

const TYPES: Record<string, string> = { string: 'a text', array: 'a list', object: 'an object', int: 'a whole number', number: 'a number' };

/** The field path of an issue, as in `ports[0]`; `body` for the whole. */
function fieldPath(path: readonly PropertyKey[]): string {
  return (
    path
      .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
      .join('')
      .replace(/^\./, '') || 'body'
  );
}
