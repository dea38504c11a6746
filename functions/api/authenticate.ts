import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { readApiKey } from '../../shared/runtime/api-key.ts';
import type { Secrets } from '../../shared/runtime/secrets.ts';
import type { AuditStore } from '../../shared/store/audit-store.ts';
import { Problem } from './problem.ts';

/** The account whose key the request bears. A made-up key is refused by its checksum, without a read. */
export async function authenticate(event: APIGatewayProxyEventV2, secrets: Secrets, store: AuditStore): Promise<string> {
  const [, text] = /^Bearer +(\S+)$/i.exec(event.headers.authorization ?? '') ?? [];
  if (text === undefined) throw refused('Send your API key in the header Authorization: Bearer <key>.');
  const key = readApiKey(secrets, text);
  const stored = key === undefined ? undefined : await store.findKey(key.prefix);
  if (key === undefined || stored === undefined || !secrets.verify('api-key', key.text, stored.mac))
    throw refused('This API key is not valid here.');
  return stored.accountId;
}

function refused(detail: string): Problem {
  return new Problem(401, detail, undefined, { 'www-authenticate': 'Bearer' });
}
