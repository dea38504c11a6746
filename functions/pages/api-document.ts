import * as z from 'zod';
import type { DocAnswer, DocBody, DocField, DocOperation } from '../../shared/pages/docs.ts';

// What of an OpenAPI document is shown. Whatever else it holds is for machines.

type Schema = {
  $ref?: string | undefined;
  type?: string | string[] | undefined;
  description?: string | undefined;
  format?: string | undefined;
  enum?: unknown[] | undefined;
  const?: unknown;
  default?: unknown;
  example?: unknown;
  minimum?: number | undefined;
  maximum?: number | undefined;
  minItems?: number | undefined;
  maxItems?: number | undefined;
  maxLength?: number | undefined;
  required?: string[] | undefined;
  properties?: Record<string, Schema> | undefined;
  items?: Schema | undefined;
  anyOf?: Schema[] | undefined;
};

const schema: z.ZodType<Schema> = z.lazy(() =>
  z.object({
    $ref: z.string().optional(),
    type: z.union([z.string(), z.array(z.string())]).optional(),
    description: z.string().optional(),
    format: z.string().optional(),
    enum: z.array(z.unknown()).optional(),
    const: z.unknown().optional(),
    default: z.unknown().optional(),
    example: z.unknown().optional(),
    minimum: z.number().optional(),
    maximum: z.number().optional(),
    minItems: z.number().optional(),
    maxItems: z.number().optional(),
    maxLength: z.number().optional(),
    required: z.array(z.string()).optional(),
    properties: z.record(z.string(), schema).optional(),
    items: schema.optional(),
    anyOf: z.array(schema).optional(),
  }),
);

const content = z.record(z.string(), z.object({ schema })).optional();
const operation = z.object({
  operationId: z.string(),
  summary: z.string().default(''),
  description: z.string().default(''),
  security: z.array(z.unknown()).optional(),
  parameters: z
    .array(
      z.object({ in: z.string(), name: z.string(), required: z.boolean().default(false), description: z.string().default(''), schema }),
    )
    .default([]),
  requestBody: z.object({ content }).optional(),
  responses: z.record(z.string(), z.object({ description: z.string(), headers: z.record(z.string(), z.unknown()).default({}), content })),
});

const document = z.object({
  info: z.object({ description: z.string() }),
  components: z.object({ schemas: z.record(z.string(), schema) }),
  paths: z.record(z.string(), z.record(z.string(), operation)),
});

/** The documentation of an API, for pages. */
export type ApiDocument = {
  readonly text: string;
  readonly operations: readonly DocOperation[];
  /** The schemas that others refer to, by name. */
  readonly schemas: ReadonlyMap<string, DocBody>;
};

/** Reads an OpenAPI document; throws on one that is none. `baseUrl` is where its examples are sent to. */
export function readApiDocument(value: unknown, baseUrl: string): ApiDocument {
  const { info, components, paths } = document.parse(value);
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, each]) => operationOf(method.toUpperCase(), path, each, components.schemas, baseUrl)),
  );
  const schemas = new Map(Object.entries(components.schemas).map(([name, each]) => [name, { fields: fieldsOf(each) }] as const));
  return { text: info.description, operations, schemas };
}

function operationOf(
  method: string,
  path: string,
  each: z.output<typeof operation>,
  schemas: Readonly<Record<string, Schema>>,
  baseUrl: string,
): DocOperation {
  const sent = schemaIn(each.requestBody?.content);
  const open = each.security !== undefined && each.security.length === 0;
  return {
    id: each.operationId,
    method,
    path,
    summary: each.summary,
    text: each.description,
    open,
    parameters: each.parameters.map((parameter) => ({
      ...fieldOf(parameter.name, parameter.schema, parameter.required),
      text: textOf({ ...parameter.schema, description: parameter.description }),
      place: parameter.in,
    })),
    body: sent === undefined ? undefined : { fields: fieldsOf(resolved(sent, schemas)) },
    answers: Object.entries(each.responses).map(([status, response]): DocAnswer => {
      const given = schemaIn(response.content);
      return {
        status,
        text: response.description,
        headers: Object.keys(response.headers),
        body: given === undefined ? undefined : bodyOf(given),
      };
    }),
    curl: curlOf(method, `${baseUrl}${path}`, open, sent === undefined ? undefined : exampleOf(resolved(sent, schemas))),
  };
}

function curlOf(method: string, url: string, open: boolean, body: unknown): string {
  const parts = [
    ...(method === 'GET' ? [] : [`-X ${method}`]),
    ...(open ? [] : ['-H "Authorization: Bearer KEY"']),
    ...(body === undefined ? [] : ['-H "Content-Type: application/json"', `-d '${JSON.stringify(body)}'`]),
  ];
  return ['curl', ...parts, url].join(' ');
}

function schemaIn(all: z.output<typeof content>): Schema | undefined {
  return all === undefined ? undefined : Object.values(all)[0]?.schema;
}

function refName({ $ref }: Schema): string | undefined {
  return $ref?.slice($ref.lastIndexOf('/') + 1);
}

function resolved(each: Schema, schemas: Readonly<Record<string, Schema>>): Schema {
  return schemas[refName(each) ?? ''] ?? each;
}

function bodyOf(each: Schema): DocBody {
  const of = refName(each);
  return of === undefined ? { fields: fieldsOf(each) } : { fields: [], of };
}

// Objects within are told with their way, as in `legs[].address`; what has a name of its own is told elsewhere.
function fieldsOf(each: Schema, before = ''): DocField[] {
  if (each.anyOf !== undefined) return each.anyOf.map((one) => fieldOf('either', one, false));
  if (each.properties === undefined) return [fieldOf(before === '' ? 'value' : before, each, false)];
  return Object.entries(each.properties).flatMap(([name, property]) => {
    const way = `${before}${name}`;
    const own = fieldOf(way, property, each.required?.includes(name) ?? false);
    if (property.properties !== undefined) return [own, ...fieldsOf(property, `${way}.`)];
    return property.items?.properties === undefined ? [own] : [own, ...fieldsOf(property.items, `${way}[].`)];
  });
}

function fieldOf(name: string, each: Schema, required: boolean): DocField {
  return { name, type: typeOf(each), required, text: textOf(each), of: refName(each) ?? refName(each.items ?? {}) };
}

function typeOf(each: Schema): string {
  if (each.anyOf !== undefined)
    return each.anyOf
      .map(typeOf)
      .filter((part) => part !== '')
      .join(' or ');
  if (each.const !== undefined) return JSON.stringify(each.const);
  if (each.enum !== undefined) return each.enum.map((value) => JSON.stringify(value)).join(' | ');
  const types = [each.type ?? []].flat();
  if (types.includes('array'))
    return each.items === undefined || refName(each.items) !== undefined ? 'list of' : `list of ${typeOf(each.items)}`;
  return each.format === 'date-time' ? 'time' : types.join(' or ');
}

function textOf({ description = '', default: usual, example, minimum, maximum, minItems, maxItems, maxLength }: Schema): string {
  const bounds = [
    ...(minimum !== undefined && maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER ? [`From ${minimum} to ${maximum}.`] : []),
    ...(maxItems === undefined ? [] : [`${minItems === undefined ? 'At most' : `${minItems} to`} ${maxItems} entries.`]),
    ...(maxLength === undefined ? [] : [`At most ${maxLength} characters.`]),
    ...(usual === undefined ? [] : [`${JSON.stringify(usual)} when left out.`]),
    ...(example === undefined ? [] : [`For example ${JSON.stringify(example)}.`]),
  ];
  return [description, ...bounds].filter((part) => part !== '').join(' ');
}

// What is required, and what has an example.
function exampleOf({ properties = {}, required = [] }: Schema): unknown {
  const shown = Object.entries(properties).flatMap(([name, each]) => {
    if (each.example !== undefined) return [[name, each.example] as const];
    return required.includes(name) ? [[name, each.enum?.[0] ?? (each.type === 'boolean' ? true : '…')] as const] : [];
  });
  return Object.fromEntries(shown);
}
