import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { AuditStore } from './audit-store.ts';
import { accounts } from './dynamodb/accounts.ts';
import { apiKeys } from './dynamodb/api-keys.ts';
import { budgets } from './dynamodb/budgets.ts';
import { canaries } from './dynamodb/canaries.ts';
import { digests } from './dynamodb/digests.ts';
import { erasure } from './dynamodb/erasure.ts';
import { groups } from './dynamodb/groups.ts';
import { history } from './dynamodb/history.ts';
import { hosts } from './dynamodb/hosts.ts';
import { mailboxes } from './dynamodb/mailboxes.ts';
import { notices } from './dynamodb/notices.ts';
import { optOuts } from './dynamodb/opt-outs.ts';
import { raised } from './dynamodb/raised.ts';
import { recipients } from './dynamodb/recipients.ts';
import { requests } from './dynamodb/requests.ts';
import { results } from './dynamodb/results.ts';
import { schedule } from './dynamodb/schedule.ts';
import { sessions } from './dynamodb/sessions.ts';
import type { Table } from './dynamodb/table.ts';
import { turns } from './dynamodb/turns.ts';

/**
 * The audit store on one DynamoDB table. The client finds endpoint and credentials as every AWS SDK client does;
 * `retentionMs` is how long finished scans, changes, evidence and settled notices are kept.
 */
export function dynamoDbStore(
  tableName: string,
  retentionMs: number,
  clock: () => number,
  client: DynamoDBClient = new DynamoDBClient({}),
): AuditStore {
  const document = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
  return storeOn({ name: tableName, client: document, retentionMs, clock });
}

/** The audit store on a table that is open already. */
export function storeOn(table: Table): AuditStore {
  return {
    ...accounts(table),
    ...apiKeys(table),
    ...recipients(table),
    ...budgets(table),
    ...turns(table),
    ...optOuts(table),
    ...requests(table),
    ...hosts(table),
    ...erasure(table),
    ...schedule(table),
    ...results(table),
    ...raised(table),
    ...history(table),
    ...canaries(table),
    ...notices(table),
    ...groups(table),
    ...digests(table),
    ...mailboxes(table),
    ...sessions(table),
  };
}
