import { GetCommand, QueryCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import type { Host, HostSettings } from '../../domain/host.ts';
import { slotOf } from '../../domain/schedule.ts';
import type { AuditStore } from '../audit-store.ts';
import { readHost } from '../items.ts';
import { idIn, keys } from '../keys.ts';
import { erasurePut } from './erasure.ts';
import { owedPut } from './schedule.ts';
import { ifHolds, refusedWrites, type Table, withoutConflict } from './table.ts';

type Part = Pick<AuditStore, 'registerHost' | 'findHost' | 'listHosts' | 'changeSettings' | 'removeHost'>;

/** Registered hosts and their place on the timing wheel. */
export function hosts(table: Table): Part {
  return {
    async registerHost(host, first) {
      const { accountId, id, ...stored } = host;
      const account = { TableName: table.name, Key: keys.account(accountId), ConditionExpression: 'attribute_exists(pk)' };
      const TransactItems = [
        { ConditionCheck: account },
        {
          Put: { TableName: table.name, Item: { ...keys.host(accountId, id), ...stored }, ConditionExpression: 'attribute_not_exists(pk)' },
        },
        { Put: { TableName: table.name, Item: wheelItem(host, host.settings) } },
        { Put: owedPut(table, first) },
      ];
      try {
        await withoutConflict(() => table.client.send(new TransactWriteCommand({ TransactItems })));
        return 'registered';
      } catch (error) {
        const [noAccount] = refusedWrites(error);
        if (noAccount) return 'no-account';
        throw error;
      }
    },

    async findHost(accountId, hostId) {
      const { Item } = await table.client.send(
        new GetCommand({ TableName: table.name, Key: keys.host(accountId, hostId), ConsistentRead: true }),
      );
      return Item === undefined ? undefined : readHost(Item);
    },

    async listHosts(accountId, limit, after) {
      const { pk } = keys.account(accountId);
      const { Items = [], LastEvaluatedKey } = await table.client.send(
        new QueryCommand({
          TableName: table.name,
          KeyConditionExpression: 'pk = :pk AND begins_with(sk, :host)',
          ExpressionAttributeValues: { ':pk': pk, ':host': 'HOST#' },
          ConsistentRead: true,
          Limit: limit,
          ...(after === undefined ? {} : { ExclusiveStartKey: keys.host(accountId, after) }),
        }),
      );
      return { items: Items.map(readHost), next: LastEvaluatedKey === undefined ? undefined : idIn(String(LastEvaluatedKey.sk)) };
    },

    async changeSettings(host, settings) {
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
      const TransactItems = [{ Update }, ...(moved ? move : [])];
      return (await ifHolds(() => table.client.send(new TransactWriteCommand({ TransactItems })))) ? edited : undefined;
    },

    async removeHost(host) {
      const TransactItems = [
        {
          Delete: {
            TableName: table.name,
            Key: keys.host(host.accountId, host.id),
            ConditionExpression: 'revision = :revision',
            ExpressionAttributeValues: { ':revision': host.revision },
          },
        },
        { Delete: { TableName: table.name, Key: wheelKey(host, host.settings) } },
        { Put: erasurePut(table, host.id) },
      ];
      return ifHolds(() => table.client.send(new TransactWriteCommand({ TransactItems })));
    },
  };
}

function wheelKey(host: Host, settings: HostSettings) {
  return keys.wheel(settings.period, slotOf(host.id, settings.period), host.id);
}

function wheelItem(host: Host, settings: HostSettings) {
  return { ...wheelKey(host, settings), accountId: host.accountId };
}
