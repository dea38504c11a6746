/** An item as the document client knows it: its attributes by name. */
export type Item = Record<string, unknown>;

/** What the placeholders of an expression stand for. */
export type Placed = { readonly names: Readonly<Record<string, string>>; readonly values: Item };

type Condition = (item: Item, placed: Placed) => boolean;
type Operand = (item: Item, placed: Placed) => unknown;
type Change = (item: Item, before: Item, placed: Placed) => void;

/** Whether a condition, a key condition or a filter holds for an item; of one that is not there, for `{}`. */
export function holds(expression: string, item: Item, placed: Placed): boolean {
  const condition = CONDITIONS.get(expression) ?? whole(expression, anyOf);
  CONDITIONS.set(expression, condition);
  return condition(item, placed);
}

/** Does to `item` what an update expression says. */
export function update(expression: string, item: Item, placed: Placed): void {
  const changes = UPDATES.get(expression) ?? whole(expression, changesIn);
  UPDATES.set(expression, changes);
  const before = { ...item };
  for (const change of changes) change(item, before, placed);
}

// Few expressions are asked again and again.
const CONDITIONS = new Map<string, Condition>();
const UPDATES = new Map<string, readonly Change[]>();

/** The words of an expression, from the first that is not yet read. */
class Words {
  readonly #all: readonly string[];
  #at = 0;

  constructor(expression: string) {
    this.#all = expression.match(/<=|>=|<>|[=<>(),]|[\w.#:]+/g) ?? [];
  }

  get next(): string | undefined {
    return this.#all[this.#at];
  }

  take(): string {
    const word = this.#all[this.#at++];
    if (word === undefined) throw new Error(`${this.#all.join(' ')} ends too soon`);
    return word;
  }

  /** Takes the next word if it is this one. */
  skip(word: string): boolean {
    if (this.next !== word) return false;
    this.#at++;
    return true;
  }

  expect(word: string): void {
    if (!this.skip(word)) throw new Error(`${this.#all.join(' ')}: ${word} should be where ${this.next} is`);
  }
}

function whole<T>(expression: string, read: (words: Words) => T): T {
  const words = new Words(expression);
  const result = read(words);
  if (words.next !== undefined) throw new Error(`${expression}: nothing reads ${words.next}`);
  return result;
}

function listOf<T>(words: Words, between: string, read: (words: Words) => T): T[] {
  const all = [read(words)];
  while (words.skip(between)) all.push(read(words));
  return all;
}

function anyOf(words: Words): Condition {
  const all = listOf(words, 'OR', allOf);
  return (item, placed) => all.some((each) => each(item, placed));
}

function allOf(words: Words): Condition {
  const all = listOf(words, 'AND', oneOf);
  return (item, placed) => all.every((each) => each(item, placed));
}

const TESTS: Record<string, (values: readonly unknown[]) => boolean> = {
  attribute_exists: ([value]) => value !== undefined,
  attribute_not_exists: ([value]) => value === undefined,
  begins_with: ([value, prefix]) => typeof value === 'string' && value.startsWith(String(prefix)),
  contains: ([value, part]) =>
    value instanceof Set
      ? value.has(part)
      : Array.isArray(value)
        ? value.includes(part)
        : typeof value === 'string' && value.includes(String(part)),
};

function oneOf(words: Words): Condition {
  if (words.skip('(')) {
    const inner = anyOf(words);
    words.expect(')');
    return inner;
  }
  const check = TESTS[words.next ?? ''];
  if (check !== undefined) {
    words.take();
    const operands = inBrackets(words);
    return (item, placed) => check(operands.map((each) => each(item, placed)));
  }
  return comparison(words);
}

function comparison(words: Words): Condition {
  const left = operand(words);
  const sign = words.take();
  if (sign === 'BETWEEN') {
    const first = operand(words);
    words.expect('AND');
    const last = operand(words);
    return (item, placed) => {
      const value = left(item, placed);
      return compare(value, first(item, placed), (order) => order >= 0) && compare(value, last(item, placed), (order) => order <= 0);
    };
  }
  if (sign === 'IN') {
    const among = inBrackets(words);
    return (item, placed) => among.some((each) => same(left(item, placed), each(item, placed)));
  }
  const right = operand(words);
  if (sign === '=') return (item, placed) => same(left(item, placed), right(item, placed));
  if (sign === '<>') return (item, placed) => !same(left(item, placed), right(item, placed));
  const fits = ORDERS[sign];
  if (fits === undefined) throw new Error(`${sign} compares nothing`);
  return (item, placed) => compare(left(item, placed), right(item, placed), fits);
}

const ORDERS: Record<string, (order: number) => boolean> = {
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};

// What is of two kinds, or not there, is neither more nor less.
function compare(left: unknown, right: unknown, fits: (order: number) => boolean): boolean {
  if (typeof left === 'number' && typeof right === 'number') return fits(left - right);
  if (typeof left === 'string' && typeof right === 'string') return fits(left < right ? -1 : left > right ? 1 : 0);
  return false;
}

function same(left: unknown, right: unknown): boolean {
  if (left === undefined || right === undefined) return false;
  if (left === right) return true;
  if (left instanceof Set && right instanceof Set) return left.size === right.size && [...left].every((each) => right.has(each));
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  const [ours, theirs] = [Object.entries(left), right as Item];
  return ours.length === Object.keys(theirs).length && ours.every(([name, value]) => same(value, theirs[name]));
}

function inBrackets(words: Words): Operand[] {
  words.expect('(');
  const all = listOf(words, ',', operand);
  words.expect(')');
  return all;
}

const VALUES: Record<string, (values: readonly unknown[]) => unknown> = {
  size: ([value]) =>
    value instanceof Set
      ? value.size
      : typeof value === 'string' || Array.isArray(value)
        ? value.length
        : value === undefined
          ? undefined
          : Object.keys(value as Item).length,
  if_not_exists: ([value, otherwise]) => value ?? otherwise,
  list_append: ([list, more]) => [...(list as unknown[]), ...(more as unknown[])],
};

function operand(words: Words): Operand {
  const word = words.take();
  const make = VALUES[word];
  if (make !== undefined) {
    const operands = inBrackets(words);
    return (item, placed) => make(operands.map((each) => each(item, placed)));
  }
  if (word.startsWith(':')) {
    return (_item, { values }) => {
      if (!(word in values)) throw new Error(`nothing stands for ${word}`);
      return values[word];
    };
  }
  const path = word.split('.');
  return (item, { names }) => path.reduce<unknown>((value, name) => (value as Item | undefined)?.[nameOf(name, names)], item);
}

function nameOf(name: string, names: Placed['names']): string {
  if (!name.startsWith('#')) return name;
  const real = names[name];
  if (real === undefined) throw new Error(`nothing stands for ${name}`);
  return real;
}

function changesIn(words: Words): Change[] {
  const all: Change[] = [];
  while (words.next !== undefined) {
    const read = CLAUSES[words.take()];
    if (read === undefined) throw new Error('an update begins with SET, ADD, REMOVE or DELETE');
    all.push(...listOf(words, ',', read));
  }
  return all;
}

const CLAUSES: Record<string, (words: Words) => Change> = {
  SET(words) {
    const path = words.take();
    words.expect('=');
    const value = operand(words);
    return (item, before, placed) => put(item, path, placed, () => value(before, placed));
  },
  ADD(words) {
    const [path, value] = [words.take(), operand(words)];
    return (item, before, placed) =>
      put(item, path, placed, (had) => {
        const more = value(before, placed);
        if (more instanceof Set) return new Set([...((had as Set<unknown> | undefined) ?? []), ...more]);
        return ((had as number | undefined) ?? 0) + (more as number);
      });
  },
  DELETE(words) {
    const [path, value] = [words.take(), operand(words)];
    return (item, before, placed) =>
      put(item, path, placed, (had) => {
        const less = value(before, placed) as Set<unknown>;
        const left = new Set([...((had as Set<unknown> | undefined) ?? [])].filter((each) => !less.has(each)));
        return left.size === 0 ? undefined : left; // there are no empty sets
      });
  },
  REMOVE(words) {
    const path = words.take();
    return (item, _before, placed) => put(item, path, placed, () => undefined);
  },
};

// The maps on the way are made anew: what was read before is not changed.
function put(item: Item, path: string, { names }: Placed, make: (had: unknown) => unknown): void {
  const steps = path.split('.').map((name) => nameOf(name, names));
  const last = steps.pop() as string;
  let map = item;
  for (const step of steps) {
    if (map[step] === undefined) throw new Error(`${path} leads through what is not there`);
    map[step] = { ...(map[step] as Item) };
    map = map[step] as Item;
  }
  const value = make(map[last]);
  if (value === undefined) delete map[last];
  else map[last] = value;
}
