import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { AuditStore } from '../../shared/store/audit-store.ts';

/** The requests since the last `reset`, what the engine charged for those that it did, and how many are under way. */
export type Meter = { writeUnits: number; readUnits: number; requests: number; queries: number; underWay: number; reset(): void };

export type TestTable = {
  readonly store: AuditStore;
  readonly client: DynamoDBClient;
  readonly name: string;
  readonly meter: Meter;
  stop(): Promise<void>;
};

/** A meter that stands at nothing. */
export function newMeter(): Meter {
  const zero = { writeUnits: 0, readUnits: 0, requests: 0, queries: 0 };
  const meter: Meter = { ...zero, underWay: 0, reset: () => Object.assign(meter, zero) };
  return meter;
}
