import type * as z from 'zod';
import { Problem } from '../../shared/accounts/problem.ts';
import { KnownServer } from '../../shared/accounts/same-server.ts';
import type { problemResponse } from '../../shared/contract/responses.ts';
import { knownView } from './views.ts';

type ProblemBody = z.output<typeof problemResponse>;

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
    ...(problem instanceof KnownServer ? { instead: knownView(problem.known) } : {}),
    ...(problem.errors === undefined ? {} : { errors: problem.errors }),
  };
  return {
    statusCode: problem.status,
    headers: { 'content-type': 'application/problem+json', ...problem.headers },
    body: JSON.stringify(body),
  };
}
