import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { hostPath } from '../../shared/contract/requests.ts';
import type { Host } from '../../shared/domain/host.ts';
import type { Clock } from '../../shared/runtime/clock.ts';
import type { AuditStore } from '../../shared/store/audit-store.ts';
import type { Cursors } from './cursor.ts';
import { Problem } from './problem.ts';

/** What the verbs of the API work with. */
export type Services = {
  readonly store: AuditStore;
  readonly cursors: Cursors;
  readonly clock: Clock;
  /** The ports that this deployment probes. */
  readonly probePorts: readonly number[];
};

/** One authenticated request. */
export type Call = Services & { readonly event: APIGatewayProxyEventV2; readonly accountId: string };

export type Answer = APIGatewayProxyStructuredResultV2;

/** What a route does. */
export type Verb = (call: Call) => Promise<Answer>;

/** An answer with a JSON body. */
export function json(statusCode: number, body: unknown, headers: Record<string, string> = {}): Answer {
  return { statusCode, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
}

/** The host that the path names; a foreign one is as absent as one that never was. */
export async function hostInPath(call: Call): Promise<Host> {
  const path = hostPath.safeParse(call.event.pathParameters ?? {});
  const host = path.success ? await call.store.findHost(call.accountId, path.data.id) : undefined;
  if (host === undefined) throw new Problem(404, 'There is no such host in this account. GET /v1/hosts lists yours.');
  return host;
}
