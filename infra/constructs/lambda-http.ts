// What the bundles get for `node:http`. Imported as an ES module it shows all its members, and the getter of one of them
// loads Node's whole fetch: a fifth of a cold start, for nothing that a function uses.
import { createRequire } from 'node:module';

const http: typeof import('node:http') = createRequire(import.meta.url)('node:http');

export const { Agent, request, STATUS_CODES } = http;
