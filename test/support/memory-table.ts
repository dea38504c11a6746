import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { storeOn } from '../../shared/store/dynamodb-store.ts';
import { DUE_INDEX } from '../../shared/store/keys.ts';
import { holds, type Item, type Placed, update } from './expressions.ts';
import { type Meter, newMeter, type TestTable } from './test-table.ts';

const NAME = 'relay-audit';
const READ_UNIT = 4096;
const WRITE_UNIT = 1024;

type Stored = { readonly item: Item; readonly size: number };
type Key = { readonly pk: string; readonly sk: string };
type Partition = { readonly items: Map<string, Stored>; sorted: readonly string[] | undefined };

/** What requests have in common, as far as the store uses it. */
type Request = {
  readonly Key?: Key;
  readonly Item?: Item & Key;
  readonly ConditionExpression?: string;
  readonly UpdateExpression?: string;
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>>;
  readonly ExpressionAttributeValues?: Item;
  readonly ReturnValues?: string;
  readonly ReturnValuesOnConditionCheckFailure?: string;
  readonly ConsistentRead?: boolean;
};

type Query = Request & {
  readonly KeyConditionExpression: string;
  readonly FilterExpression?: string;
  readonly IndexName?: string;
  readonly Limit?: number;
  readonly ScanIndexForward?: boolean;
  readonly ExclusiveStartKey?: Key;
};

/**
 * The store on a table in this process, for searches that take too long with a request over a socket for each step. Requests are the
 * real store's own; it is checked against the embedded engine by playing the same games on both. It keeps no more than the store uses.
 */
export async function memoryTable(clock: () => number, retentionMs: number): Promise<TestTable> {
  const meter = newMeter();
  const items = new Items(meter);
  const between = new Map<string, Middleware>();
  const send = async (command: { readonly constructor: { readonly name: string }; readonly input: object }) => {
    const { name } = command.constructor;
    const answer = ANSWERS[name];
    if (answer === undefined) throw new Error(`the table in memory has no ${name}`);
    meter.requests++;
    if (name === 'QueryCommand') meter.queries++;
    const commandName = WIRE_NAMES[name] ?? name;
    const last: Next = async ({ input }) => ({ output: answer(items, input as never) });
    const first = [...between.values()].reduceRight((next, middleware) => middleware(next, { commandName }), last);
    return (await first({ input: command.input })).output;
  };
  const middlewareStack = {
    add: (middleware: Middleware, { name }: { readonly name: string }) => void between.set(name, middleware),
    remove: (name: string) => between.delete(name),
  };
  const client = { send, middlewareStack } as unknown as DynamoDBDocumentClient;
  const store = storeOn({ name: NAME, client, retentionMs, clock });
  return { store, client: client as unknown as DynamoDBClient, name: NAME, meter, stop: async () => {} };
}

type Next = (args: { readonly input: object }) => Promise<{ readonly output: object }>;
type Middleware = (next: Next, context: { readonly commandName: string }) => Next;

// The client beneath the document client, whose middleware tests stand in, has other names for some.
const WIRE_NAMES: Readonly<Record<string, string>> = {
  BatchWriteCommand: 'BatchWriteItemCommand',
  TransactWriteCommand: 'TransactWriteItemsCommand',
};

const ANSWERS: Record<string, (items: Items, input: never) => object> = {
  GetCommand: (items, { Key, ConsistentRead = false }: { Key: Key; ConsistentRead?: boolean }) => {
    const there = items.read(Key, ConsistentRead ? 1 : 0.5);
    return there === undefined ? {} : { Item: there };
  },
  BatchGetCommand: (items, { RequestItems }: { RequestItems: Record<string, { Keys: readonly Key[] }> }) => ({
    Responses: { [NAME]: RequestItems[NAME]?.Keys.flatMap((key) => items.read(key, 1) ?? []) },
  }),
  BatchWriteCommand: (items, { RequestItems }: { RequestItems: Record<string, readonly BatchWrite[]> }) => {
    for (const { DeleteRequest } of RequestItems[NAME] ?? []) items.write(DeleteRequest.Key, undefined, 1);
    return {};
  },
  PutCommand: (items, request: Request) => items.make('Put', request),
  PutItemCommand: (items, { Item }: { Item: Record<string, { S: string } | { N: string }> }) =>
    items.make('Put', { Item: fromWire(Item) as Item & Key }),
  DeleteCommand: (items, request: Request) => items.make('Delete', request),
  UpdateCommand: (items, request: Request) => items.make('Update', request),
  QueryCommand: (items, query: Query) => items.query(query),
  TransactWriteCommand: (items, { TransactItems }: { TransactItems: readonly Record<string, Request>[] }) => {
    const writes = TransactItems.map((each) => Object.entries(each)[0] as [Write, Request]);
    const refused = writes.map(([, request]) => items.refuses(request));
    if (refused.some(Boolean)) {
      const CancellationReasons = refused.map((each) => each ?? { Code: 'None' });
      const codes = CancellationReasons.map(({ Code }) => Code).join(', ');
      throw Object.assign(new Error(`the transaction was cancelled: ${codes}`), {
        name: 'TransactionCanceledException',
        CancellationReasons,
      });
    }
    for (const [kind, request] of writes) items.make(kind, request, 2);
    return {};
  },
};

type Write = 'Put' | 'Update' | 'Delete' | 'ConditionCheck';
type BatchWrite = { readonly DeleteRequest: { readonly Key: Key } };

class Items {
  readonly #partitions = new Map<string, Partition>();
  readonly #due = new Map<string, Stored>();
  readonly #meter: Meter;

  constructor(meter: Meter) {
    this.#meter = meter;
  }

  read(key: Key, price: number): Item | undefined {
    const there = this.#find(key);
    this.#meter.readUnits += price * Math.max(1, Math.ceil((there?.size ?? 0) / READ_UNIT));
    return there?.item;
  }

  write(key: Key, item: Item | undefined, price: number): void {
    const before = this.#find(key);
    const after = item === undefined ? undefined : storedOf({ ...item, pk: key.pk, sk: key.sk });
    this.#meter.writeUnits += price * Math.max(1, Math.ceil(Math.max(before?.size ?? 0, after?.size ?? 0) / WRITE_UNIT));
    this.#meter.writeUnits += indexWrites(before?.item, after?.item);
    const { pk, sk } = key;
    const partition = this.#partitions.get(pk) ?? { items: new Map<string, Stored>(), sorted: undefined };
    this.#partitions.set(pk, partition);
    if ((before === undefined) !== (after === undefined)) partition.sorted = undefined;
    if (after === undefined) partition.items.delete(sk);
    else partition.items.set(sk, after);
    if (partition.items.size === 0) this.#partitions.delete(pk);
    const place = `${pk} ${sk}`;
    if (after?.item[DUE_INDEX.partitionKey] !== undefined && after.item[DUE_INDEX.sortKey] !== undefined) this.#due.set(place, after);
    else this.#due.delete(place);
  }

  /** Why a write is not made, if its condition does not hold. */
  refuses(request: Request): { Code: string; Item?: object } | undefined {
    const { ConditionExpression: condition, ReturnValuesOnConditionCheckFailure: shows } = request;
    if (condition === undefined) return undefined;
    const there = this.#find(keyOf(request))?.item;
    if (holds(condition, there ?? {}, placedIn(request))) return undefined;
    return { Code: 'ConditionalCheckFailed', ...(shows === 'ALL_OLD' && there !== undefined ? { Item: onWire(there) } : {}) };
  }

  /** Makes a write, unless its condition is against it. */
  make(kind: Write, request: Request, price = 1): { Attributes?: Item } {
    const refused = this.refuses(request);
    if (refused !== undefined)
      throw Object.assign(new Error('The conditional request failed'), { name: 'ConditionalCheckFailedException', Item: refused.Item });
    const key = keyOf(request);
    if (kind === 'ConditionCheck') this.#meter.writeUnits += price;
    if (kind === 'Put') this.write(key, request.Item, price);
    if (kind === 'Delete') this.write(key, undefined, price);
    if (kind !== 'Update') return {};
    const before = this.#find(key)?.item;
    const after: Item = { ...before, pk: key.pk, sk: key.sk };
    update(request.UpdateExpression ?? '', after, placedIn(request));
    this.write(key, after, price);
    const changed = (of: Item) => Object.fromEntries(Object.entries(of).filter(([name]) => after[name] !== before?.[name]));
    if (request.ReturnValues === 'ALL_NEW') return { Attributes: this.#find(key)?.item ?? {} };
    if (request.ReturnValues === 'UPDATED_NEW') return { Attributes: changed(after) };
    return request.ReturnValues === 'UPDATED_OLD' ? { Attributes: changed(before ?? {}) } : {};
  }

  query(query: Query): object {
    const placed = placedIn(query);
    const { ExclusiveStartKey: start, Limit = Number.POSITIVE_INFINITY, ScanIndexForward: forward = true } = query;
    const all = query.IndexName === undefined ? this.#inPartition(placed) : this.#dueFirst();
    const fits = all.filter(({ item }) => holds(query.KeyConditionExpression, item, placed));
    if (!forward) fits.reverse();
    // The start is where the last page ended: what is there may be gone since.
    const isAfter = (item: Item) => start === undefined || query.IndexName !== undefined || (item.sk as string) > start.sk === forward;
    const left = fits.filter(({ item }) => isAfter(item) && item.sk !== start?.sk);
    const page = left.slice(0, Limit);
    const size = page.reduce((sum, each) => sum + each.size, 0);
    this.#meter.readUnits += (query.ConsistentRead === true ? 1 : 0.5) * Math.max(1, Math.ceil(size / READ_UNIT));
    const filter = query.FilterExpression;
    const Items = page.map(({ item }) => item).filter((item) => filter === undefined || holds(filter, item, placed));
    const last = page.at(-1)?.item;
    return { Items, ...(last !== undefined && page.length === Limit ? { LastEvaluatedKey: { pk: last.pk, sk: last.sk } } : {}) };
  }

  #find({ pk, sk }: Key): Stored | undefined {
    return this.#partitions.get(pk)?.items.get(sk);
  }

  #inPartition({ values }: Placed): Stored[] {
    const partition = this.#partitions.get(values[':pk'] as string);
    if (partition === undefined) return [];
    partition.sorted ??= [...partition.items.keys()].toSorted();
    return partition.sorted.map((sk) => partition.items.get(sk) as Stored);
  }

  #dueFirst(): Stored[] {
    const dueAt = ({ item }: Stored) => item[DUE_INDEX.sortKey] as number;
    return [...this.#due.entries()]
      .toSorted(([a, one], [b, other]) => dueAt(one) - dueAt(other) || (a < b ? -1 : 1))
      .map(([, each]) => each);
  }
}

// An item that changes its place in the index leaves one and takes another.
function indexWrites(before: Item | undefined, after: Item | undefined): number {
  const shown = (item: Item | undefined, names: readonly string[]) => JSON.stringify(names.map((name) => item?.[name]));
  const key = [DUE_INDEX.partitionKey, DUE_INDEX.sortKey];
  const [had, has] = [before, after].map((item) => key.every((name) => item?.[name] !== undefined));
  if (had !== true || has !== true) return had === has ? 0 : 1;
  if (shown(before, key) !== shown(after, key)) return 2;
  return shown(before, DUE_INDEX.included) === shown(after, DUE_INDEX.included) ? 0 : 1;
}

function keyOf({ Key, Item }: Request): Key {
  const key = Key ?? Item;
  if (key === undefined) throw new Error('a write has no key');
  return key;
}

function placedIn({ ExpressionAttributeNames: names = {}, ExpressionAttributeValues: values = {} }: Request): Placed {
  return { names, values };
}

// Kept apart from what was handed over, and without what is undefined, as on the way through the wire.
function storedOf(item: Item): Stored {
  const copy = copyOf(item) as Item;
  return { item: copy, size: sizeOf(copy) };
}

function copyOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Set) return new Set(value);
  if (Array.isArray(value)) return value.map(copyOf);
  if (value instanceof Uint8Array) return value;
  const copy: Item = {};
  for (const [name, each] of Object.entries(value)) if (each !== undefined) copy[name] = copyOf(each);
  return copy;
}

/** About what DynamoDB reckons: names and values, numbers by their digits, maps and lists with their overhead. */
function sizeOf(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (typeof value === 'number') return Math.ceil(String(value).length / 2) + 1;
  if (typeof value !== 'object' || value === null) return 1;
  if (value instanceof Uint8Array) return value.length;
  if (value instanceof Set || Array.isArray(value)) return [...value].reduce((sum: number, each) => sum + 1 + sizeOf(each), 3);
  return Object.entries(value).reduce((sum, [name, each]) => sum + name.length + 1 + sizeOf(each), 3);
}

// An item that comes with an error stays as it is on the wire. The store asks for such of strings, numbers and sets of strings.
function onWire(item: Item): object {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, wireValueOf(value)]));
}

function wireValueOf(value: unknown): object {
  if (typeof value === 'number') return { N: String(value) };
  return value instanceof Set ? { SS: [...value] } : { S: value };
}

function fromWire(item: Record<string, { S: string } | { N: string }>): Item {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, 'N' in value ? Number(value.N) : value.S]));
}
