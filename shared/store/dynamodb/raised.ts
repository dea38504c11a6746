import { TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import type { Results } from '../audit-store.ts';
import { keys } from '../keys.ts';
import { newsPuts } from './news.ts';
import { changePut, scanPut, spanPut, stateUpdate, unchangedState } from './results.ts';
import { ifHolds, type Table } from './table.ts';

/** Stored scans that canaries have raised. */
export function raised(table: Table): Pick<Results, 'storeRaised'> {
  return {
    async storeRaised({ host, before, scan, effect, notices, span }) {
      const TransactItems = [
        effect.kind === 'late'
          ? { ConditionCheck: { ...unchangedState(host), TableName: table.name, Key: keys.host(host.accountId, host.id) } }
          : { Update: stateUpdate(table, host, effect.state) },
        { Put: scanPut(table, scan, before) },
        ...(effect.kind === 'changed' ? [{ Put: changePut(table, effect.change) }] : []),
        ...(span === undefined ? [] : [{ Put: spanPut(table, host.id, span, 'raised') }]),
        ...(effect.kind === 'late' ? [] : newsPuts(table, host, effect.state, notices)),
      ];
      return (await ifHolds(() => table.client.send(new TransactWriteCommand({ TransactItems })))) ? 'stored' : 'conflict';
    },
  };
}
