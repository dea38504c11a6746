import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { hostPath } from '../../shared/contract/requests.ts';
import type { Network } from '../../shared/domain/address.ts';
import type { Host } from '../../shared/domain/host.ts';
import type { Send } from '../../shared/mail/mailer.ts';
import type { Lookups } from '../../shared/network/lookups.ts';
import type { Clock } from '../../shared/runtime/clock.ts';
import type { Registration } from '../../shared/runtime/config.ts';
import type { Secrets } from '../../shared/runtime/secrets.ts';
import type { AuditStore } from '../../shared/store/audit-store.ts';
import type { Cursors } from './cursor.ts';
import { Problem } from './problem.ts';

/** What the verbs of the API work with. */
export type Services = {
  readonly store: AuditStore;
  readonly secrets: Secrets;
  readonly cursors: Cursors;
  readonly clock: Clock;
  readonly send: Send;
  /** Writes a line about a request that met trouble of ours, with its id. */
  readonly log: (event: APIGatewayProxyEventV2, message: string, fields: object) => void;
  /** The ports that this deployment probes. */
  readonly probePorts: readonly number[];
  /** Who may ask for an account. */
  readonly registration: Registration;
  readonly lookups: Lookups;
  readonly operatorNetworks: readonly Network[];
  /** The token that proofs of consent of an account hold. */
  readonly tokenOf: (accountId: string) => string;
  /** The addresses that our probes come from; empty where the deployment does not know them. */
  readonly egressAddresses: readonly string[];
  /** The name that our probes say EHLO with. */
  readonly ehloName: string;
  /** Where the links of mails lead to; empty is where the request was sent to. */
  readonly baseUrl: string;
};

/** One request that needs no key. */
export type OpenCall = Services & { readonly event: APIGatewayProxyEventV2 };

/** One authenticated request. */
export type Call = OpenCall & { readonly accountId: string };

export type Answer = APIGatewayProxyStructuredResultV2;

/** What a route does. */
export type Verb = (call: Call) => Promise<Answer>;

/** What a route does that needs no key. */
export type OpenVerb = (call: OpenCall) => Promise<Answer>;

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
