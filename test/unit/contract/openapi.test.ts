import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { OPERATIONS } from '../../../functions/api/routes.ts';
import { openApiDocument } from '../../../shared/contract/document.ts';

const committed = JSON.parse(readFileSync(new URL('../../../shared/contract/openapi.json', import.meta.url), 'utf8'));

test('the committed OpenAPI document is the one that the schemas make (npm run openapi writes it)', () => {
  expect(committed).toEqual(JSON.parse(JSON.stringify(openApiDocument())));
});

test('the document describes every operation that the API routes, and no other', () => {
  const described = Object.entries(committed.paths as Record<string, object>).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const routed = [...OPERATIONS.map(([method, path]) => `${method} ${path}`), 'GET /v1/openapi.json'];
  expect(described.toSorted()).toEqual(routed.toSorted());
});
