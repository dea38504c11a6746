import type { Host, HostState } from '../../domain/host.ts';
import type { Notice } from '../../domain/notice.ts';
import { type DueQueue, keys } from '../keys.ts';
import { noticePut } from './notices.ts';
import type { Table } from './table.ts';

/** The writes of what an owner is told, for the transaction that decided it: notices, and a digest that is owed from now on. */
export function newsPuts(table: Table, host: Host, state: HostState, notices: readonly Notice[]) {
  const owedAt = host.state.flapping?.owedAt === undefined ? state.flapping?.owedAt : undefined;
  return [
    ...notices.map((notice) => ({ Put: noticePut(table, notice) })),
    ...(owedAt === undefined ? [] : [{ Put: digestPut(table, host, owedAt) }]),
  ];
}

function digestPut(table: Table, { accountId, id }: Host, dueAt: number) {
  return { TableName: table.name, Item: { ...keys.digest(id), accountId, dueQueue: 'DIGEST' satisfies DueQueue, dueAt } };
}
