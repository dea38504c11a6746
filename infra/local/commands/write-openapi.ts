// `npm run openapi`: writes the API's document after a change of its schemas.
import { writeFileSync } from 'node:fs';
import { openApiDocument } from '../../../shared/contract/document.ts';

writeFileSync(new URL('../../../shared/contract/openapi.json', import.meta.url), `${JSON.stringify(openApiDocument(), null, 2)}\n`);
