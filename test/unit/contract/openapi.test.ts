import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openApiDocument } from '../../../shared/contract/document.ts';

const committed = JSON.parse(readFileSync(new URL('../../../shared/contract/openapi.json', import.meta.url), 'utf8'));

test('the committed OpenAPI document is the one that the schemas make (npm run openapi writes it)', () => {
  expect(committed).toEqual(JSON.parse(JSON.stringify(openApiDocument())));
});
