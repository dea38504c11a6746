import openapi from '../../shared/contract/openapi.json' with { type: 'json' };
import { docsPage, operationPage, schemaPage } from '../../shared/pages/docs.ts';
import { messagePage } from '../../shared/pages/message.ts';
import { readApiDocument } from './api-document.ts';
import { type Answer, baseUrlOf, KEPT, page, pathOf, type Verb } from './call.ts';

const GROUPS: Readonly<Record<string, string>> = {
  accounts: 'Accounts and keys',
  confirmations: 'Accounts and keys',
  account: 'Accounts and keys',
  keys: 'Accounts and keys',
  proposals: 'Hosts',
  hosts: 'Hosts',
  consent: 'Consent',
  scans: 'Scans and changes',
  changes: 'Scans and changes',
  notices: 'Mails and webhooks',
  'openapi.json': 'This document',
};

/** `GET /docs` */
export const showDocs: Verb = async (call) => {
  const { text, operations } = readApiDocument(openapi, baseUrlOf(call));
  const groups = new Map<string, typeof operations>();
  for (const operation of operations) {
    const about = groupOf(operation.path);
    groups.set(about, [...(groups.get(about) ?? []), operation]);
  }
  return page(200, docsPage({ text, baseUrl: baseUrlOf(call), groups: [...groups] }), KEPT);
};

/** `GET /docs/{operationId}` */
export const showOperation: Verb = async (call) => {
  const found = readApiDocument(openapi, baseUrlOf(call)).operations.find(({ id }) => id === pathOf(call, 'operationId'));
  return found === undefined ? nothingHere() : page(200, operationPage(found), KEPT);
};

/** `GET /docs/schema/{name}` */
export const showSchema: Verb = async (call) => {
  const name = pathOf(call, 'name');
  const body = readApiDocument(openapi, baseUrlOf(call)).schemas.get(name);
  return body === undefined ? nothingHere() : page(200, schemaPage(name, body), KEPT);
};

// By the last part of the path that is no parameter.
function groupOf(path: string): string {
  const about = path.split('/').findLast((part) => GROUPS[part] !== undefined);
  return GROUPS[about ?? ''] ?? 'Hosts';
}

function nothingHere(): Answer {
  return page(404, messagePage('Nothing here', 'The API has nothing of this name. The page “API” lists what it has.'));
}
