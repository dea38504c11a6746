import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { Problem } from '../../shared/accounts/problem.ts';

/** The ETag of settings (RFC 9110 §8.8.3): their revision. */
export function entityTag(revision: number): string {
  return `"${revision}"`;
}

/** Refuses a change under an If-Match (RFC 9110 §13.1.1) that names other settings than those there are. Without one, or with `*`, any are meant. */
export function requireMatch(event: APIGatewayProxyEventV2, revision: number): void {
  const tags = event.headers['if-match']?.split(',').map((tag) => tag.trim());
  const tag = entityTag(revision);
  if (tags === undefined || tags.includes('*') || tags.includes(tag)) return;
  throw new Problem(
    412,
    `If-Match names other settings than those there are, which have the ETag ${tag}. Read the host again, then change it.`,
  );
}
