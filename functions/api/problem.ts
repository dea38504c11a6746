import type * as z from 'zod';
import type { problemResponse } from '../../shared/contract/responses.ts';

type ProblemBody = z.output<typeof problemResponse>;

/** An expected failure of a request, thrown by whoever finds it and answered as problem+json (RFC 9457). */
export class Problem extends Error {
  readonly status: number;
  readonly errors: ProblemBody['errors'];
  readonly headers: Record<string, string>;

  constructor(status: number, detail: string, errors?: ProblemBody['errors'], headers: Record<string, string> = {}) {
    super(detail);
    this.status = status;
    this.errors = errors;
    this.headers = headers;
  }
}

/** The problem of input that was understood and is not valid, field by field. */
export function invalid(errors: NonNullable<ProblemBody['errors']>): Problem {
  return new Problem(422, 'Some of the input is not valid; see errors.', errors);
}

const TITLES: Record<number, string> = {
  400: 'Bad request',
  401: 'Not authenticated',
  403: 'Not allowed',
  404: 'Not found',
  405: 'Method not allowed',
  409: 'Conflict',
  412: 'Changed in the meantime',
  413: 'Body too large',
  415: 'Not JSON',
  422: 'Invalid input',
  429: 'Too many requests',
  500: 'Internal error',
  503: 'Not possible just now',
};

/** The answer to a problem; to anything else that was thrown, a constant one that shows nothing of the inside. */
export function problemAnswer(error: unknown) {
  const problem = error instanceof Problem ? error : new Problem(500, 'Something went wrong on our side. Try again later.');
  const body: ProblemBody = {
    type: 'about:blank',
    title: TITLES[problem.status] ?? 'Problem',
    status: problem.status,
    detail: problem.message,
    ...(problem.errors === undefined ? {} : { errors: problem.errors }),
  };
  return {
    statusCode: problem.status,
    headers: { 'content-type': 'application/problem+json', ...problem.headers },
    body: JSON.stringify(body),
  };
}
