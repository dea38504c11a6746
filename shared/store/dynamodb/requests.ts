import { DeleteCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { RepeatableRequest, Requests } from '../audit-store.ts';
import { readRefused, readRequest } from '../items.ts';
import { keys } from '../keys.ts';
import { expiry, ifHolds, isConditionFailure, type Table } from './table.ts';

/** Requests with an idempotency key: each claims its key first, and a repeated request gets the same answer. */
export function requests(table: Table): Requests {
  return {
    async claimRequest(request, now, claimUntil, keepUntil) {
      const { fingerprint } = request;
      const put = new PutCommand({
        TableName: table.name,
        Item: { ...keyOf(request), fingerprint, claimUntil, keepUntil, expiresAt: expiry(keepUntil, 0) },
        ConditionExpression: 'attribute_not_exists(pk) OR keepUntil <= :now OR (attribute_not_exists(answer) AND claimUntil <= :now)',
        ExpressionAttributeValues: { ':now': now },
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      });
      try {
        await table.client.send(put);
        return { kind: 'new' };
      } catch (error) {
        if (!isConditionFailure(error)) throw error;
        const standing = readRequest(readRefused(error));
        if (standing.fingerprint !== fingerprint) return { kind: 'different' };
        return standing.answer === undefined ? { kind: 'running' } : { kind: 'answered', answer: standing.answer };
      }
    },

    async keepAnswer(request, answer) {
      const update = new UpdateCommand({
        TableName: table.name,
        Key: keyOf(request),
        UpdateExpression: 'SET answer = :answer',
        ...unanswered(request),
        ExpressionAttributeValues: { ...unanswered(request).ExpressionAttributeValues, ':answer': answer },
      });
      // Its claim may have lapsed, and the request been made again: the first answer stands, since it may have been given already.
      await ifHolds(() => table.client.send(update));
    },

    async forgetRequest(request) {
      await ifHolds(() => table.client.send(new DeleteCommand({ TableName: table.name, Key: keyOf(request), ...unanswered(request) })));
    },
  };
}

function keyOf({ accountId, key }: RepeatableRequest) {
  return keys.request(accountId, key);
}

function unanswered({ fingerprint }: RepeatableRequest) {
  return {
    ConditionExpression: 'fingerprint = :fingerprint AND attribute_not_exists(answer)',
    ExpressionAttributeValues: { ':fingerprint': fingerprint },
  };
}
