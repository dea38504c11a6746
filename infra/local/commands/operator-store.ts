import { join } from 'node:path';
import { systemClock } from '../../../shared/runtime/clock.ts';
import type { AuditStore } from '../../../shared/store/audit-store.ts';
import { dynamoDbStore } from '../../../shared/store/dynamodb-store.ts';
import { TABLE_NAME } from '../engines/dynamodb.ts';
import { readLocalState } from '../service/data-folder.ts';
import { type Endpoints, sdkEnvironment } from '../service/environment.ts';
import { UsageError } from './options.ts';

/** Which service an operator's command is for: a deployed table, or the local service on a data folder. */
export type Where = { readonly table?: string | undefined; readonly data: string };

/** Opens its store. Throws a `UsageError` that says how to name a service when there is none. */
export function openStore({ table, data }: Where, usage: string): AuditStore {
  if (table !== undefined) return dynamoDbStore(table, 0, systemClock);
  Object.assign(process.env, sdkEnvironment(localEndpoints(data, 'a deployed table', usage)));
  return dynamoDbStore(TABLE_NAME, 0, systemClock);
}

/** Where the engines of the local service on a data folder answer. Throws a `UsageError` that says how to name `another` when there is none. */
export function localEndpoints(data: string, another: string, usage: string): Endpoints {
  const endpoints = readLocalState(data)?.endpoints;
  if (endpoints === undefined)
    throw new UsageError(`No local service has run on ${data}. Start one with npm start, or name ${another}. ${usage}`);
  return endpoints;
}

/** Where the secret of the local service on a data folder is. */
export function secretOf(data: string): string {
  return `file:${join(data, 'secret')}`;
}
