import fc from 'fast-check';
import { type Operation, type Parameter, resolved, type Schema } from '../support/openapi-document.ts';

/**
 * A request as plain data that a failed test can show. Texts such as `known:host:1` stand for ids that the test knows when it
 * sends it.
 */
export type Asking = {
  readonly owner: number;
  readonly bearer: 'write' | 'read' | 'none' | 'unknown' | 'revoked' | 'hostile';
  readonly path: Readonly<Record<string, string>>;
  readonly tail: '' | '/';
  readonly query: readonly (readonly [name: string, value: string])[];
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly base64: 'no' | 'yes' | 'broken';
  readonly source: number;
};

/** Accounts that requests are made for. */
export const OWNERS = 4;

const HOSTILE = [
  ...['', ' ', '\0', 'a\0b', 'a\r\nSet-Cookie: a=b', '\u202e', '\ufeff', '\ud800', 'a\udfffb', '💥'.repeat(30), '\u0130', 'ﬀ'],
  ...['__proto__', 'constructor', 'toString', 'prototype', 'hasOwnProperty', 'null', 'undefined', '-1', '1e400', '9'.repeat(400)],
  ...['..', '%2e%2e%2f', '..%2f..%2fv1%2fkeys', '%00', '%', '%c0%af', '\\', 'HOST#', '#', '*', '"', "' OR 1=1 --", '{{7*7}}', '<script>'],
  ...['a'.repeat(255), 'a'.repeat(256), 'a'.repeat(1_025), 'a.'.repeat(5_000), '1.'.repeat(5_000), 'a@'.repeat(3_000)],
];

const hostileText = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...HOSTILE) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 60 }) },
);
const segment = hostileText.map((text) => text.replaceAll('/', '%2F') || '%20');

const names = fc.constantFrom('mail.example.org', 'MX.Example.NET', '192.0.2.25', '2001:db8::25', '127.0.0.1', `${'a.'.repeat(120)}org`);
const domains = fc.constantFrom('example.org', 'Example.NET', 'xn--bcher-kva.example', `${'a'.repeat(63)}.example`);
const recipients = fc.nat(9).map((which) => `friend-${which}@example.org`);
const moments = (fromYear: number, years: number) =>
  fc.nat(years * 500_000).map((minutes) => new Date(Date.UTC(fromYear) + minutes * 60_000).toISOString());
const known = (what: string, most: number) => fc.nat(most).map((which) => `known:${what}:${which}`);

// What the document leaves to words, and ids of what there is.
const BY_NAME: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  id: known('host', 3),
  scanId: known('scan', 2),
  noticeId: known('notice', 2),
  webhook: fc.constantFrom('https://hooks.example.org/relay', 'https://192.0.2.9:8443/?a=b'),
  prefix: known('prefix', 1),
  cursor: fc.constant('known:cursor:0'),
  confirm: fc.constant('known:email:0'),
  token: known('token', 1_000_000),
  email: fc.nat(200).map((which) => `applicant-${which}@example.org`),
  name: names,
  servedDomains: fc.uniqueArray(domains, { maxLength: 4 }),
  ports: fc.uniqueArray(fc.constantFrom(25, 465, 587), { minLength: 1, maxLength: 3 }),
  controlMailbox: fc.constantFrom('', 'office@example.org', 'The.Office@Example.NET', 'office@victim.example'),
  alertRecipients: fc.uniqueArray(recipients, { minLength: 1, maxLength: 3 }),
  from: moments(1990, 30),
  to: moments(2030, 30),
  'If-Match': fc.constantFrom('"1"', '*', '"7", "1"', '"9"', 'W/"1"'),
  'Idempotency-Key': fc.oneof(
    fc.nat(3).map((which) => `again-${which}`),
    fc.uuid(),
  ),
};

function fieldValue(name: string, named: Schema): fc.Arbitrary<unknown> {
  const byName = Object.hasOwn(BY_NAME, name) ? BY_NAME[name] : undefined;
  if (byName !== undefined) return byName;
  const schema = resolved(named);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.type === 'object') return objectOf(schema);
  const { minLength = 0, maxLength = 80 } = schema;
  if (schema.pattern === undefined) return fc.string({ minLength, maxLength });
  const form = new RegExp(schema.pattern, 'u');
  const text = schema.pattern.includes('\\p') ? fc.string({ unit: 'grapheme', minLength, maxLength }) : fc.stringMatching(form);
  return text.filter((each) => form.test(each) && each.length >= minLength && each.length <= maxLength);
}

function objectOf({ properties = {}, required = [] }: Schema): fc.Arbitrary<Record<string, unknown>> {
  const fields = Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, fieldValue(name, schema)]));
  return fc.record(fields, { requiredKeys: [...required] });
}

function parametersOf(operation: Operation, where: Parameter['in']): fc.Arbitrary<Record<string, string>> {
  const parameters = operation.parameters.filter((each) => each.in === where);
  const fields = parameters.map(({ name, schema }) => [name, fieldValue(name, schema).map(String)] as const);
  return fc.record(Object.fromEntries(fields), { requiredKeys: parameters.filter((each) => each.required).map(({ name }) => name) });
}

function validAsking(operation: Operation): fc.Arbitrary<Asking> {
  const body = operation.body;
  return fc.record({
    owner: fc.nat(OWNERS - 1),
    bearer: fc.constant('write'),
    path: parametersOf(operation, 'path'),
    tail: fc.constant(''),
    // A cursor is good for the list without a filter that it came from, and for no other.
    query: fc
      .tuple(parametersOf(operation, 'query'), fc.boolean())
      .map(([query, alone]) => Object.entries(query).filter(([name]) => query.cursor === undefined || !alone || name === 'cursor')),
    headers: parametersOf(operation, 'header').map((headers) => ({
      ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    })),
    body: body === undefined ? fc.constant(undefined) : fieldValue('', body).map((value) => JSON.stringify(value)),
    base64: fc.constantFrom('no', 'yes'),
    source: fc.nat(400),
  });
}

type Change = (asking: Asking) => Asking;

// What stands behind `raw:` is JSON that no JavaScript value writes.
const WRONG = [
  ...[
    null,
    true,
    0,
    -1,
    1.5,
    2 ** 53,
    '',
    [],
    {},
    [[]],
    [null],
    [0],
    [65_536],
    'raw:1e400',
    'raw:-0',
    `raw:${'9'.repeat(500)}`,
    'raw:1E-400',
  ],
  ...['raw:"\\ud800"', 'raw:["\\udc00"]', 'raw:{"__proto__":{"isAdmin":true}}', `raw:${'['.repeat(20_000)}${']'.repeat(20_000)}`],
  ...[`raw:${'{"a":'.repeat(9_000)}1${'}'.repeat(9_000)}`, ['a@example.org', 'a@example.org'], Array.from({ length: 5_000 }, () => 25)],
];

const OVERSIZED = `"${'a'.repeat(70_000)}"`;

const TEXTS = [
  ...['', ' ', '{', '{"a":}', 'null', '[]', '"text"', '1e400', '{}{}', '\0', '\ufeff{}', '{"a":1,"a":2}', '{"__proto__":null}'],
  ...['{"constructor":{"prototype":{"isAdmin":true}}}', '[', '['.repeat(60_000), OVERSIZED],
];

const CONTENT_TYPES = [
  '',
  'text/plain',
  'application/jsonp',
  'application/json;charset=utf-16',
  'APPLICATION/JSON',
  'application/json, text/xml',
];

const withHeader = (asking: Asking, name: string, value: string): Asking => ({ ...asking, headers: { ...asking.headers, [name]: value } });

function withField(asking: Asking, name: string, value: unknown): Asking {
  const fields = Object.entries(JSON.parse(asking.body ?? '{}') as object).filter(([each]) => each !== name);
  // By hand, since an object literal takes `__proto__` for something else.
  const text = [...fields, ...(value === undefined ? [] : [[name, value] as const])].map(
    ([each, one]) => `${JSON.stringify(each)}:${jsonOf(one)}`,
  );
  return { ...withHeader(asking, 'content-type', 'application/json'), body: `{${text.join(',')}}` };
}

const jsonOf = (value: unknown) => (typeof value === 'string' && value.startsWith('raw:') ? value.slice(4) : JSON.stringify(value));

/** Changes to the fields of a body that is still JSON of our own making, and so come before all others. */
function fieldChange(operation: Operation): fc.Arbitrary<Change> {
  const fields = Object.keys(operation.body === undefined ? {} : (resolved(operation.body).properties ?? {}));
  const wrong = fc.oneof(fc.constantFrom(...WRONG), hostileText, fc.anything({ maxDepth: 2 }));
  const extra = fc.oneof(fc.constantFrom('__proto__', 'constructor', 'accountId', 'id', 'toString'), hostileText);
  const added = fc.tuple(extra, wrong).map(
    ([name, value]): Change =>
      (asking) =>
        withField(asking, name, value ?? null),
  );
  if (fields.length === 0) return added;
  const field = fc.constantFrom(...fields);
  return fc.oneof(
    added,
    field.map(
      (name): Change =>
        (asking) =>
          withField(asking, name, undefined),
    ),
    {
      weight: 3,
      arbitrary: fc.tuple(field, wrong).map(
        ([name, value]): Change =>
          (asking) =>
            withField(asking, name, value ?? null),
      ),
    },
  );
}

function otherChange(operation: Operation): fc.Arbitrary<Change> {
  const parameters = (where: Parameter['in']) => operation.parameters.filter((each) => each.in === where).map(({ name }) => name);
  const change = <T>(from: fc.Arbitrary<T>, make: (asking: Asking, value: T) => Asking) =>
    from.map(
      (value): Change =>
        (asking) =>
          make(asking, value),
    );
  const queryName = fc.oneof(fc.constantFrom('__proto__', 'x', 'limit', 'constructor', ...parameters('query')), hostileText);
  const headerName = fc.constantFrom('idempotency-key', 'if-match', 'x-forwarded-for', '__proto__');
  const pathNames = parameters('path');
  return fc.oneof(
    change(fc.constantFrom('read', 'none', 'unknown', 'revoked', 'hostile'), (asking, bearer) => ({ ...asking, bearer })),
    change(fc.tuple(queryName, hostileText), (asking, parameter) => ({ ...asking, query: [...asking.query, parameter] })),
    change(fc.constant(undefined), (asking) => ({ ...asking, query: [...asking.query, ...asking.query] })),
    change(fc.tuple(headerName, hostileText), (asking, [name, value]) => withHeader(asking, name, value)),
    change(fc.constantFrom(...CONTENT_TYPES), (asking, type) => withHeader(asking, 'content-type', type)),
    change(fc.oneof(fc.constantFrom(...TEXTS), hostileText), (asking, body) => ({ ...asking, body })),
    change(fc.constant(undefined), (asking) => ({ ...asking, body: undefined })),
    change(fc.constant('broken' as const), (asking, base64) => ({ ...asking, base64 })),
    change(fc.constant('/' as const), (asking, tail) => ({ ...asking, tail })),
    ...(pathNames.length === 0
      ? []
      : [
          change(fc.tuple(fc.constantFrom(...pathNames), segment), (asking, [name, text]) => ({
            ...asking,
            path: { ...asking.path, [name]: text },
          })),
        ]),
  );
}

/** Requests for an operation, made from its own schemas: as many valid ones as such with something wrong or hostile in them. */
export function askingOf(operation: Operation): fc.Arbitrary<Asking> {
  const valid = validAsking(operation);
  const changes = fc.tuple(fc.array(fieldChange(operation), { maxLength: 1 }), fc.array(otherChange(operation), { maxLength: 2 }));
  const spoilt = fc.tuple(valid, changes).map(([asking, made]) => made.flat().reduce((so, change) => change(so), asking));
  return fc.oneof(valid, spoilt);
}

/** One request of every kind that an operation refuses before it looks at what is asked, so that no seed leaves one out. */
export function refusedAskings(operation: Operation, seed: number): Asking[] {
  const [asking] = fc.sample(validAsking(operation), { seed, numRuns: 1 });
  if (asking === undefined) throw new Error('fast-check gave no sample');
  const plain = { ...asking, headers: {}, base64: 'no' as const };
  const asJson = withHeader(plain, 'content-type', 'application/json');
  return [
    ...(['read', 'none', 'unknown', 'revoked', 'hostile'] as const).map((bearer) => ({ ...plain, bearer })),
    ...['{', OVERSIZED].map((body) => ({ ...asJson, body })),
    { ...withHeader(plain, 'content-type', 'text/plain'), body: '{}' },
    { ...plain, query: [['x', '1']] },
    { ...plain, path: Object.fromEntries(Object.entries(asking.path).map(([name]) => [name, 'nothing'])) },
  ];
}
