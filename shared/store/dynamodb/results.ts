import { GetCommand, PutCommand, TransactWriteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import type { Change, Confirmation } from '../../domain/change.ts';
import type { Host, HostState } from '../../domain/host.ts';
import type { Scan } from '../../domain/scan.ts';
import type { Span } from '../../domain/timeline.ts';
import type { Result, Results, Stored } from '../audit-store.ts';
import { evidenceHash, exactHash, packEvidence, unpackEvidence } from '../evidence.ts';
import { packSeenLegs, readScan } from '../items.ts';
import { keys } from '../keys.ts';
import { newsPuts } from './news.ts';
import { owedPut } from './schedule.ts';
import { expiry, ifHolds, type Table } from './table.ts';

const evidenceItem = z.object({ body: z.instanceof(Uint8Array) });
const EVIDENCE_MARGIN_MS = 31 * 24 * 60 * 60_000; // evidence written on the first of a month is referred to until its last

const SO_FAR_MS = 24 * 60 * 60_000; // the last sitting of a scan begins some two hours after its first

const SPAN_KEPT = 2; // retention times: what a host has shown unchanged for all of one began before it

/** Finished scans, and what they do to their host. */
export function results(table: Table): Omit<Results, 'storeRaised'> {
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

    async keepSoFar(host, legs) {
      const body = packEvidence(legs);
      const hash = exactHash(body);
      const expiresAt = expiry(table.clock(), SO_FAR_MS);
      await table.client.send(new PutCommand({ TableName: table.name, Item: { ...keys.evidence(host.id, hash), body, expiresAt } }));
      return hash;
    },

    async readEvidence(hostId, hash) {
      const { Item } = await table.client.send(new GetCommand({ TableName: table.name, Key: keys.evidence(hostId, hash) }));
      return Item === undefined ? undefined : unpackEvidence(evidenceItem.parse(Item).body);
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
      const plain =
        result.effect.kind === 'unchanged' && result.effect.owed === undefined && result.notices.length === 0 && !result.wasOwed;
      return plain ? storePlain(table, result, result.effect.state) : storeTogether(table, result, result.effect.state);
    },
  };
}

async function storeLate(table: Table, { host, scan, wasOwed }: Result, owed: Confirmation | undefined): Promise<Stored> {
  const Delete = { TableName: table.name, Key: keys.owed(scan.hostId, scan.id) };
  const waits = host.state.putOff === scan.id;
  const TransactItems = [
    { Put: scanPut(table, scan) },
    ...(wasOwed ? [{ Delete }] : []),
    ...(waits ? [{ Update: noLongerWaiting(table, host, scan.id) }] : []),
    ...(wasOwed && !waits ? [{ ConditionCheck: notWaiting(table, host, scan.id) }] : []),
    ...(owed === undefined ? [] : [{ Put: owedPut(table, { accountId: host.accountId, hostId: host.id, ...owed, tries: 0 }) }]),
  ];
  return (await ifHolds(() => table.client.send(new TransactWriteCommand({ TransactItems })))) ? 'stored' : 'conflict';
}

function noLongerWaiting(table: Table, host: Host, scanId: string) {
  return {
    TableName: table.name,
    Key: keys.host(host.accountId, host.id),
    UpdateExpression: 'REMOVE #state.putOff ADD #state.version :one',
    ConditionExpression: '#state.putOff = :scan',
    ExpressionAttributeNames: { '#state': 'state' },
    ExpressionAttributeValues: { ':scan': scanId, ':one': 1 },
  };
}

// It may have begun to wait since the host was read; said to wait and owed no more, it would stand in the way of others for good.
function notWaiting(table: Table, host: Host, scanId: string) {
  return {
    TableName: table.name,
    Key: keys.host(host.accountId, host.id),
    ConditionExpression: 'attribute_not_exists(#state.putOff) OR #state.putOff <> :scan',
    ExpressionAttributeNames: { '#state': 'state' },
    ExpressionAttributeValues: { ':scan': scanId },
  };
}

// A transaction costs twice the write units. A scan that changes nothing can do without: the scan is written first, and
// whoever finds it stored beside a host that has not counted it goes on from there.
async function storePlain(table: Table, { host, scan, span }: Result, state: HostState): Promise<Stored> {
  if (!(await ifHolds(() => table.client.send(new PutCommand(scanPut(table, scan)))))) return 'conflict';
  if (span !== undefined) await table.client.send(new PutCommand(spanPut(table, host.id, span)));
  return (await ifHolds(() => table.client.send(new UpdateCommand(stateUpdate(table, host, state))))) ? 'stored' : 'conflict';
}

async function storeTogether(table: Table, { host, scan, effect, notices, wasOwed, span }: Result, state: HostState): Promise<Stored> {
  const change = effect.kind === 'changed' ? effect.change : undefined;
  const owed = effect.kind === 'unchanged' ? effect.owed : undefined;
  const ref = { accountId: host.accountId, hostId: host.id };
  const TransactItems = [
    { Update: stateUpdate(table, host, state) },
    { Put: scanPut(table, scan) },
    ...(wasOwed ? [{ Delete: { TableName: table.name, Key: keys.owed(host.id, scan.id) } }] : []),
    ...(owed === undefined ? [] : [{ Put: owedPut(table, { ...ref, ...owed, tries: 0 }) }]),
    ...(change === undefined ? [] : [{ Put: changePut(table, change) }]),
    ...(span === undefined ? [] : [{ Put: spanPut(table, host.id, span) }]),
    ...newsPuts(table, host, state, notices),
  ];
  return (await ifHolds(() => table.client.send(new TransactWriteCommand({ TransactItems })))) ? 'stored' : 'conflict';
}

/** The write of a change, for its transaction. */
export function changePut(table: Table, change: Change) {
  const Item = { ...keys.change(change.hostId, change.version), change, expiresAt: expiry(change.at, table.retentionMs) };
  return { TableName: table.name, Item };
}

/** The write of a span, for transactions too. */
export function spanPut(table: Table, hostId: string, span: Span, kind: 'scan' | 'raised' = 'scan') {
  const Item = {
    ...keys.span(hostId, span.from, kind),
    ...span,
    legs: packSeenLegs(span.legs),
    expiresAt: expiry(span.from, SPAN_KEPT * table.retentionMs),
  };
  return { TableName: table.name, Item };
}

/**
 * The write of a scan. The same scan again is no conflict; another that was made under the same id, by a second delivery,
 * is. So is the scan with other arrivals or bounces than it was decided with: what a canary has made of it is never written over.
 * `stored` is the scan as it was read, when it must be there already.
 */
export function scanPut(table: Table, scan: Scan, stored?: Scan) {
  const { hostId, id, ...rest } = scan;
  const { arrivals, bounces } = stored ?? scan;
  const counted = (name: string, list: readonly unknown[] | undefined) =>
    list === undefined ? `attribute_not_exists(${name})` : `size(${name}) = :${name}`;
  const same = `startedAt = :startedAt AND ${counted('arrivals', arrivals)} AND ${counted('bounces', bounces)}`;
  return {
    TableName: table.name,
    Item: { ...keys.scan(hostId, id), ...rest, expiresAt: expiry(scan.startedAt, table.retentionMs) },
    ConditionExpression: stored === undefined ? `attribute_not_exists(pk) OR (${same})` : same,
    ExpressionAttributeValues: {
      ':startedAt': scan.startedAt,
      ...(arrivals === undefined ? {} : { ':arrivals': arrivals.length }),
      ...(bounces === undefined ? {} : { ':bounces': bounces.length }),
    },
  };
}

/** The write of what scans have shown of a host. Only `state` is written, so that an owner's edit at the same moment stands. */
export function stateUpdate(table: Table, host: Host, state: HostState) {
  const unchanged = unchangedState(host);
  return {
    TableName: table.name,
    Key: keys.host(host.accountId, host.id),
    UpdateExpression: 'SET #state = :state',
    ...unchanged,
    ExpressionAttributeValues: { ...unchanged.ExpressionAttributeValues, ':state': state },
  };
}

/** The condition that no scan has written the host since it was read. */
export function unchangedState(host: Host) {
  return {
    ConditionExpression: '#state.version = :version',
    ExpressionAttributeNames: { '#state': 'state' },
    ExpressionAttributeValues: { ':version': host.state.version },
  };
}
