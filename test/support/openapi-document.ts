import openapi from '../../shared/contract/openapi.json' with { type: 'json' };

/** A JSON schema as the document uses it. Whatever keyword it has beyond these is a mistake in this reader, and throws. */
export type Schema = {
  readonly $ref?: string;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly format?: string;
};

export type Parameter = {
  readonly in: 'path' | 'query' | 'header';
  readonly name: string;
  readonly required?: boolean;
  readonly schema: Schema;
};

type Documented = { readonly headers?: Readonly<Record<string, unknown>>; readonly content?: Readonly<Record<string, { schema: Schema }>> };

/** One operation of the document: a method at a path. */
export type Operation = {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly needsKey: boolean;
  readonly parameters: readonly Parameter[];
  /** The schema of its body; undefined when it takes none. */
  readonly body: Schema | undefined;
  readonly responses: Readonly<Record<string, Documented>>;
};

type Raw = {
  readonly security?: readonly unknown[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly schema: Schema } } };
  readonly responses: Readonly<Record<string, Documented>>;
};

const PATHS = openapi.paths as unknown as Readonly<Record<string, Readonly<Record<string, Raw>>>>;
const SCHEMAS = openapi.components.schemas as unknown as Readonly<Record<string, Schema>>;

/** Every operation that the document has. */
export const DOCUMENTED: readonly Operation[] = Object.entries(PATHS).flatMap(([path, item]) =>
  Object.entries(item).map(([verb, raw]) => ({
    name: `${verb.toUpperCase()} ${path}`,
    method: verb.toUpperCase(),
    path,
    needsKey: raw.security?.length !== 0,
    parameters: raw.parameters ?? [],
    body: raw.requestBody?.content['application/json'].schema,
    responses: raw.responses,
  })),
);

/** The schema itself, where it is named by reference. */
export function resolved(schema: Schema): Schema {
  if (schema.$ref === undefined) return schema;
  const named = SCHEMAS[schema.$ref.replace('#/components/schemas/', '')];
  if (named === undefined) throw new Error(`the document has no ${schema.$ref}`);
  return named;
}

const NOTES = ['description', 'example', 'default', 'title'];
const KNOWN = [
  ...['$ref', 'type', 'enum', 'const', 'anyOf', 'properties', 'required', 'additionalProperties', 'items', 'minItems', 'maxItems'],
  ...['minLength', 'maxLength', 'minimum', 'maximum', 'pattern', 'format', ...NOTES],
];

/** What of a value is not as the schema says, each with its place; nothing when it conforms. */
export function faultsOf(named: Schema, value: unknown, place = '$'): string[] {
  const schema = resolved(named);
  const foreign = Object.keys(schema).filter((keyword) => !KNOWN.includes(keyword));
  if (foreign.length > 0) throw new Error(`keywords that are not read here: ${foreign.join(', ')}`);
  if (schema.anyOf !== undefined) {
    const each = schema.anyOf.map((one) => faultsOf(one, value, place));
    return each.some((faults) => faults.length === 0) ? [] : each.flat();
  }
  if (schema.const !== undefined) return value === schema.const ? [] : [`${place} is not ${schema.const}`];
  if (schema.enum !== undefined) return schema.enum.includes(value) ? [] : [`${place} is none of ${schema.enum.join(', ')}`];
  if (schema.type === 'object') return faultsOfObject(schema, value, place);
  if (schema.type === 'array') return faultsOfArray(schema, value, place);
  if (schema.type === 'string') return faultsOfString(schema, value, place);
  if (schema.type === 'boolean') return typeof value === 'boolean' ? [] : [`${place} is no boolean`];
  if (schema.type === 'null') return value === null ? [] : [`${place} is not null`];
  if (schema.type !== 'integer') throw new Error(`a type that is not read here: ${schema.type}`);
  const { minimum = -Infinity, maximum = Infinity } = schema;
  return Number.isInteger(value) && Number(value) >= minimum && Number(value) <= maximum ? [] : [`${place} is no integer in its range`];
}

function faultsOfObject({ properties = {}, required = [], ...schema }: Schema, value: unknown, place: string): string[] {
  if ((schema as { additionalProperties?: unknown }).additionalProperties !== false) throw new Error(`${place} may hold anything`);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${place} is no object`];
  const missing = required.filter((name) => !Object.hasOwn(value, name)).map((name) => `${place}.${name} is missing`);
  const inside = Object.entries(value).flatMap(([name, each]) => {
    const known = Object.hasOwn(properties, name) ? properties[name] : undefined;
    return known === undefined ? [`${place}.${name} is not documented`] : faultsOf(known, each, `${place}.${name}`);
  });
  return [...missing, ...inside];
}

function faultsOfArray({ items, minItems = 0, maxItems = Infinity }: Schema, value: unknown, place: string): string[] {
  if (!Array.isArray(value)) return [`${place} is no list`];
  const length = value.length >= minItems && value.length <= maxItems ? [] : [`${place} has ${value.length} items`];
  return [...length, ...(items === undefined ? [] : value.flatMap((each, index) => faultsOf(items, each, `${place}[${index}]`)))];
}

function faultsOfString({ minLength = 0, maxLength = Infinity, pattern }: Schema, value: unknown, place: string): string[] {
  if (typeof value !== 'string') return [`${place} is no string`];
  if (value.length < minLength || value.length > maxLength) return [`${place} has ${value.length} characters`];
  return pattern === undefined || new RegExp(pattern, 'u').test(value) ? [] : [`${place} is not of the form ${pattern}`];
}
