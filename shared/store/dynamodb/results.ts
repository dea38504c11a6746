import { GetCommand, PutCommand, TransactWriteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import type { Change, Confirmation } from '../../domain/change.ts';
import type { Host, HostState } from '../../domain/host.ts';
import type { Scan } from '../../domain/scan.ts';
import type { AuditStore, Result, Stored } from '../audit-store.ts';
import { evidenceHash, packEvidence, unpackEvidence } from '../evidence.ts';
import { readScan } from '../items.ts';
import { keys } from '../keys.ts';
import { noticePut } from './notices.ts';
import { owedPut } from './schedule.ts';
import { expiry, ifHolds, type Table } from './table.ts';

const EVIDENCE_MARGIN_MS = 31 * 24 * 60 * 60_000; // evidence written on the first of a month is referred to until its last

type Part = Pick<AuditStore, 'keepEvidence' | 'readEvidence' | 'findScan' | 'storeResult'>;

/** Finished scans, and what they do to their host. */
export function results(table: Table): Part {
  return {
    async keepEvidence(host, legs) {
      const now = table.clock();
      const hash = evidenceHash(legs, now);
      if (host.state.evidence === hash) return hash;
      const Key = keys.evidence(host.id, hash);
      // Reading first costs no write unit; a failed conditional write would.
      const { Item } = await table.client.send(new GetCommand({ TableName: table.name, Key, ProjectionExpression: 'pk' }));
      if (Item !== undefined) return hash;
      const body = packEvidence(legs);
      const expiresAt = expiry(now, table.retentionMs + EVIDENCE_MARGIN_MS);
      await table.client.send(new PutCommand({ TableName: table.name, Item: { ...Key, body, expiresAt } }));
      return hash;
    },

    async readEvidence(hostId, hash) {
      const { Item } = await table.client.send(new GetCommand({ TableName: table.name, Key: keys.evidence(hostId, hash) }));
      return Item === undefined ? undefined : unpackEvidence(z.object({ body: z.instanceof(Uint8Array) }).parse(Item).body);
    },

    async findScan(hostId, scanId) {
      const { Item } = await table.client.send(
        new GetCommand({ TableName: table.name, Key: keys.scan(hostId, scanId), ConsistentRead: true }),
      );
      const scan = Item === undefined ? undefined : readScan(Item);
      return scan !== undefined && scan.startedAt + table.retentionMs > table.clock() ? scan : undefined;
    },

    async storeResult(result) {
      if (result.effect.kind === 'late') return storeLate(table, result, result.effect.owed);
      const plain = result.effect.kind === 'unchanged' && result.effect.owed === undefined && !result.wasOwed;
      return plain ? storePlain(table, result, result.effect.state) : storeTogether(table, result, result.effect.state);
    },
  };
}

async function storeLate(table: Table, { host, scan, wasOwed }: Result, owed: Confirmation | undefined): Promise<Stored> {
  const Delete = { TableName: table.name, Key: keys.owed(scan.hostId, scan.id) };
  const TransactItems = [
    { Put: scanPut(table, scan) },
    ...(wasOwed ? [{ Delete }] : []),
    ...(owed === undefined ? [] : [{ Put: owedPut(table, { accountId: host.accountId, hostId: host.id, ...owed, tries: 0 }) }]),
  ];
  return (await ifHolds(() => table.client.send(new TransactWriteCommand({ TransactItems })))) ? 'stored' : 'conflict';
}

// A transaction costs twice the write units. A scan that changes nothing can do without: the scan is written first, and
// whoever finds it stored beside a host that has not counted it goes on from there.
async function storePlain(table: Table, { host, scan }: Result, state: HostState): Promise<Stored> {
  if (!(await ifHolds(() => table.client.send(new PutCommand(scanPut(table, scan)))))) return 'conflict';
  return (await ifHolds(() => table.client.send(new UpdateCommand(stateUpdate(table, host, state))))) ? 'stored' : 'conflict';
}

async function storeTogether(table: Table, { host, scan, effect, notices, wasOwed }: Result, state: HostState): Promise<Stored> {
  const change = effect.kind === 'changed' ? effect.change : undefined;
  const owed = effect.kind === 'unchanged' ? effect.owed : undefined;
  const ref = { accountId: host.accountId, hostId: host.id };
  const TransactItems = [
    { Update: stateUpdate(table, host, state) },
    { Put: scanPut(table, scan) },
    ...(wasOwed ? [{ Delete: { TableName: table.name, Key: keys.owed(host.id, scan.id) } }] : []),
    ...(owed === undefined ? [] : [{ Put: owedPut(table, { ...ref, ...owed, tries: 0 }) }]),
    ...(change === undefined ? [] : [{ Put: changePut(table, change) }]),
    ...notices.map((notice) => ({ Put: noticePut(table, notice) })),
  ];
  return (await ifHolds(() => table.client.send(new TransactWriteCommand({ TransactItems })))) ? 'stored' : 'conflict';
}

function changePut(table: Table, change: Change) {
  const Item = { ...keys.change(change.hostId, change.version), change, expiresAt: expiry(change.at, table.retentionMs) };
  return { TableName: table.name, Item };
}

function scanPut(table: Table, scan: Scan) {
  const { hostId, id, ...rest } = scan;
  return {
    TableName: table.name,
    Item: { ...keys.scan(hostId, id), ...rest, expiresAt: expiry(scan.startedAt, table.retentionMs) },
    // The same scan again is no conflict; another that was made under the same id, by a second delivery, is.
    ConditionExpression: 'attribute_not_exists(pk) OR startedAt = :startedAt',
    ExpressionAttributeValues: { ':startedAt': scan.startedAt },
  };
}

// Only `state` is written, so that an owner's edit at the same moment stands.
function stateUpdate(table: Table, host: Host, state: HostState) {
  return {
    TableName: table.name,
    Key: keys.host(host.accountId, host.id),
    UpdateExpression: 'SET #state = :state',
    ConditionExpression: '#state.version = :version',
    ExpressionAttributeNames: { '#state': 'state' },
    ExpressionAttributeValues: { ':state': state, ':version': host.state.version },
  };
}
