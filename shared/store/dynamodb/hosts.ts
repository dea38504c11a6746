import { GetCommand, QueryCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import type { Host, HostSettings } from '../../domain/host.ts';
import type { OwedScan } from '../../domain/scan.ts';
import { slotOf } from '../../domain/schedule.ts';
import type { Hosts, Registration, RegistrationLimits } from '../audit-store.ts';
import { readHost } from '../items.ts';
import { idIn, keys, kindRange } from '../keys.ts';
import { accounts } from './accounts.ts';
import { budgetUpdate } from './budgets.ts';
import { erasurePut } from './erasure.ts';
import { owedPut } from './schedule.ts';
import { ifHolds, isConditionFailure, isConflict, refusedWrites, type Table, withoutConflict } from './table.ts';

/** Registered hosts and their place on the timing wheel. */
export function hosts(table: Table): Hosts {
  return {
    registerHost: (host, first, limits) => register(table, host, first, limits),

    async findHost(accountId, hostId) {
      const { Item } = await table.client.send(
        new GetCommand({ TableName: table.name, Key: keys.host(accountId, hostId), ConsistentRead: true }),
      );
      return Item === undefined ? undefined : readHost(Item);
    },

    async listHosts(accountId, limit, after) {
      const any = keys.host(accountId, '');
      const { Items = [], LastEvaluatedKey } = await table.client.send(
        new QueryCommand({
          TableName: table.name,
          KeyConditionExpression: 'pk = :pk AND begins_with(sk, :host)',
          ExpressionAttributeValues: { ':pk': any.pk, ':host': kindRange(any).first },
          ConsistentRead: true,
          Limit: limit,
          ...(after === undefined ? {} : { ExclusiveStartKey: keys.host(accountId, after) }),
        }),
      );
      return { items: Items.map(readHost), next: LastEvaluatedKey === undefined ? undefined : idIn(String(LastEvaluatedKey.sk)) };
    },

    async changeSettings(host, settings, beside) {
      const edited = { ...host, settings, revision: host.revision + 1 };
      const moved = settings.period !== host.settings.period;
      const Update = {
        TableName: table.name,
        Key: keys.host(host.accountId, host.id),
        UpdateExpression: 'SET settings = :settings, revision = :next',
        ConditionExpression: 'revision = :revision',
        ExpressionAttributeValues: { ':settings': settings, ':next': edited.revision, ':revision': host.revision },
      };
      const move = [
        { Delete: { TableName: table.name, Key: wheelKey(host, host.settings) } },
        { Put: { TableName: table.name, Item: wheelItem(host, settings) } },
      ];
      const alone = beside === undefined ? [] : [{ Update: hostsUpdate(table, host.accountId, beside.hostsVersion) }];
      const TransactItems = [{ Update }, ...(moved ? move : []), ...alone];
      return (await ifHolds(() => table.client.send(new TransactWriteCommand({ TransactItems })))) ? edited : undefined;
    },

    removeHost: (host) => remove(table, host),
  };
}

async function register(
  table: Table,
  host: Host,
  first: OwedScan,
  { hosts: most, registrations, hostsVersion }: RegistrationLimits,
): Promise<Registration> {
  const { accountId, id, ...stored } = host;
  const asDecided = hostsUpdate(table, accountId, hostsVersion);
  const counted = {
    ...asDecided,
    UpdateExpression: `${asDecided.UpdateExpression}, hosts :one`,
    ConditionExpression: `${asDecided.ConditionExpression} AND (attribute_not_exists(hosts) OR hosts < :most)`,
    ExpressionAttributeValues: { ...asDecided.ExpressionAttributeValues, ':most': most },
  };
  const TransactItems = [
    { Update: counted },
    { Update: budgetUpdate(table, registrations, table.clock()) },
    { Put: { TableName: table.name, Item: { ...keys.host(accountId, id), ...stored }, ConditionExpression: 'attribute_not_exists(pk)' } },
    { Put: { TableName: table.name, Item: wheelItem(host, host.settings) } },
    { Put: owedPut(table, first) },
  ];
  try {
    await withoutConflict(() => table.client.send(new TransactWriteCommand({ TransactItems })));
    return 'registered';
  } catch (error) {
    if (isConflict(error)) return 'busy';
    const [noRoom, tooOften] = refusedWrites(error);
    if (noRoom) {
      const account = await accounts(table).findAccount(accountId);
      if (account === undefined) return 'no-account';
      return (account.hosts ?? 0) < most ? 'changed' : 'too-many-hosts';
    }
    if (tooOften) return 'too-many-registrations';
    throw error;
  }
}

// Only while the account exists and has the hosts that the decision knew of. Otherwise the caller decides again.
function hostsUpdate(table: Table, accountId: string, version: number | undefined) {
  return {
    TableName: table.name,
    Key: keys.account(accountId),
    UpdateExpression: 'ADD hostsVersion :one',
    ConditionExpression: `attribute_exists(pk) AND ${version === undefined ? 'attribute_not_exists(hostsVersion)' : 'hostsVersion = :version'}`,
    ExpressionAttributeValues: { ':one': 1, ...(version === undefined ? {} : { ':version': version }) },
  };
}

// The account may be gone before its host, or may never have counted it: then nothing is counted down.
async function remove(table: Table, host: Host): Promise<boolean> {
  const gone = {
    TableName: table.name,
    Key: keys.host(host.accountId, host.id),
    ConditionExpression: 'revision = :revision',
    ExpressionAttributeValues: { ':revision': host.revision },
  };
  const uncounted = {
    TableName: table.name,
    Key: keys.account(host.accountId),
    UpdateExpression: 'ADD hosts :minusOne',
    ConditionExpression: 'hosts > :none',
    ExpressionAttributeValues: { ':minusOne': -1, ':none': 0 },
  };
  const TransactItems = [
    { Delete: gone },
    { Delete: { TableName: table.name, Key: wheelKey(host, host.settings) } },
    { Put: erasurePut(table, host) },
  ];
  try {
    await withoutConflict(() => table.client.send(new TransactWriteCommand({ TransactItems: [...TransactItems, { Update: uncounted }] })));
    return true;
  } catch (error) {
    if (!isConditionFailure(error)) throw error;
    if (refusedWrites(error)[0]) return false;
  }
  return ifHolds(() => table.client.send(new TransactWriteCommand({ TransactItems })));
}

function wheelKey(host: Host, settings: HostSettings) {
  return keys.wheel(settings.period, slotOf(host.id, settings.period), host.id);
}

function wheelItem(host: Host, settings: HostSettings) {
  return { ...wheelKey(host, settings), accountId: host.accountId };
}
