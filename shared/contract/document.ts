import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiPathsObject } from 'zod-openapi';
import { askForAccount, createKey, listKeys, removeAccount, revokeKey, showAccount, useConfirmation } from './account-operations.ts';
import { consentResponse } from './consent.ts';
import {
  answer,
  authenticated,
  body,
  conditional,
  type Described,
  invalid,
  invalidBody,
  mayChange,
  notYetAnswered,
  ofHost,
  problem,
  repeatable,
} from './describe.ts';
import { noticePath, noticeResponse, noticesResponse } from './notices.ts';
import { OPERATION_IDS, OPERATIONS, type OperationId } from './operations.ts';
import { proposalResponse, proposalsQuery } from './proposals.ts';
import { changeHostRequest, hostPath, pageQuery, registerHostRequest, scanPath, scansQuery } from './requests.ts';
import {
  changesResponse,
  hostResponse,
  hostsResponse,
  owedScanResponse,
  registeredHostResponse,
  scanHereResponse,
  scanOrOwedResponse,
  scansResponse,
} from './responses.ts';

const registerHost: Described = {
  summary: 'Register a mail server. Its first scan is made within a minute or two.',
  description:
    'Alert recipients other than the address of the account are asked by mail first, and get no alert until they confirm. A domain that has no address but an MX is refused with 422: proposals name its servers. A name that you have already, or that leads to a server that another host of yours is (all of its addresses, and a port), is refused with 409: `instead` names that host, and what to PATCH it with. An account tries 200 times in an hour at most, or as often as it may register hosts in a day.',
  requestParams: { header: repeatable },
  requestBody: body(registerHostRequest),
  responses: {
    201: answer('Registered.', registeredHostResponse, ['Location', 'ETag', 'Idempotency-Replayed']),
    ...invalidBody,
    ...authenticated,
    ...mayChange,
    409: problem(
      'A host of this account is that server already (`instead`), or the account has as many hosts as it may have, or registers too many at once, or the first request with this Idempotency-Key has not been answered yet.',
      ['Retry-After'],
    ),
  },
};

const listHosts: Described = {
  summary: 'The registered hosts.',
  requestParams: { query: pageQuery },
  responses: { 200: answer('A page of hosts.', hostsResponse), ...invalid, ...authenticated },
};

const showHost: Described = {
  summary: 'One host with its relay state.',
  requestParams: { path: hostPath },
  responses: { 200: answer('The host.', hostResponse, ['ETag']), ...invalid, ...ofHost },
};

const changeHost: Described = {
  summary: 'Change the settings of a host. Its name stays: register another host for another name.',
  description:
    'Alert recipients that it names and that have not confirmed are asked by mail, once a day at most by all accounts together; `recipientsNotAsked` names the others. Giving it further ports counts as a try to register. A port more is refused with 409 when another host of yours audits the same server (all of its addresses) at that port: `instead` names that host.',
  requestParams: { path: hostPath, header: conditional },
  requestBody: body(changeHostRequest),
  responses: {
    200: answer('The host as it is now.', hostResponse, ['ETag']),
    ...invalidBody,
    ...ofHost,
    ...mayChange,
    409: problem(
      'Another host of this account audits the server at that port (`instead`), or the account registers or changes too many at once.',
      ['Retry-After'],
    ),
    412: problem('Its settings are not those that If-Match names.'),
  },
};

const removeHost: Described = {
  summary: 'Stop auditing a host. Its history is out of reach at once.',
  requestParams: { path: hostPath },
  responses: {
    204: { description: 'Removed.' },
    ...invalid,
    ...ofHost,
    ...mayChange,
    409: problem('Somebody else keeps changing it.', ['Retry-After']),
  },
};

const requestScan: Described = {
  summary: 'Ask for a scan now. One that was asked for and has not been made yet is given back instead of a second.',
  description: 'Six in an hour for one host.',
  requestParams: { path: hostPath, header: repeatable },
  responses: {
    202: answer('The scan is owed; follow Location.', owedScanResponse, ['Location', 'Idempotency-Replayed']),
    ...invalidBody,
    ...ofHost,
    ...mayChange,
    ...notYetAnswered,
  },
};

const scanHere: Described = {
  summary: 'Ask for one scan of the very address that this request comes from.',
  description:
    'For who runs a mail server and cannot set DNS: make this request on the server. It is consent to one scan of ports 25, 465 and 587, with what completes and confirms it, within 24 hours; to no schedule and nothing else. The address is the one that the connection comes from, whatever headers say. Do not make it from an address that you share with others. Three in a day for one address, ten for one account; asked again before the scan is made, it gives the same one back.',
  requestParams: { header: repeatable },
  responses: {
    202: answer('The scan is owed; follow Location.', scanHereResponse, ['Location', 'Idempotency-Replayed']),
    ...invalidBody,
    ...authenticated,
    ...mayChange,
    409: problem(
      'It is being asked for by another request, or the account has as many hosts as it may have, or the first request with this Idempotency-Key has not been answered yet.',
      ['Retry-After'],
    ),
  },
};

const acknowledgeHost: Described = {
  summary: 'Say that a host is a sink that you know of.',
  description: 'For a host that is suspected because it accepts everything: no reminders of it are mailed until something changes.',
  requestParams: { path: hostPath, header: repeatable },
  responses: {
    200: answer('The host as it is now.', hostResponse, ['ETag', 'Idempotency-Replayed']),
    ...invalidBody,
    ...ofHost,
    ...mayChange,
    409: problem('It is no such host, or it is being changed, or the first request with this Idempotency-Key has not been answered yet.', [
      'Retry-After',
    ]),
  },
};

const listNotices: Described = {
  summary: 'The mails and webhook calls of a host, newest first, and what became of them.',
  requestParams: { path: hostPath, query: pageQuery },
  responses: { 200: answer('A page of notices.', noticesResponse), ...invalid, ...ofHost },
};

const repeatNotice: Described = {
  summary: 'Call the webhook again.',
  description: 'Ten in an hour for one host.',
  requestParams: { path: noticePath, header: repeatable },
  responses: {
    202: answer('It is owed again.', noticeResponse, ['Idempotency-Replayed']),
    ...invalidBody,
    ...ofHost,
    ...mayChange,
    409: problem('It is a mail, or still owed, or the first request with this Idempotency-Key has not been answered yet.', ['Retry-After']),
  },
};

const listScans: Described = {
  summary: 'The scan history, newest first.',
  requestParams: { path: hostPath, query: scansQuery },
  responses: { 200: answer('A page of scans.', scansResponse), ...invalid, ...ofHost },
};

const showScan: Described = {
  summary: 'One scan with its legs, tests and transcripts.',
  requestParams: { path: scanPath },
  responses: { 200: answer('The scan, finished or still owed.', scanOrOwedResponse), ...invalid, ...ofHost },
};

const listChanges: Described = {
  summary: 'The confirmed changes of the relay state, newest first.',
  requestParams: { path: hostPath, query: pageQuery },
  responses: { 200: answer('A page of changes.', changesResponse), ...invalid, ...ofHost },
};

const showProposal: Described = {
  summary: 'What to register for a domain or a server.',
  description:
    'Asks DNS alone. Says which servers are yours to audit and which a provider runs, and holds the requests that register them. An account asks 200 times in an hour at most.',
  requestParams: { query: proposalsQuery },
  responses: { 200: answer('What there is to register.', proposalResponse), ...invalid, ...authenticated },
};

const showConsent: Described = {
  summary: 'Which proofs of consent stand for a host, and what to add.',
  description: 'Asks DNS alone, now. Nothing is probed before both the side of the name and that of the address speak for this account.',
  requestParams: { path: hostPath },
  responses: { 200: answer('Where it stands.', consentResponse), ...invalid, ...ofHost },
};

const checkConsent: Described = {
  summary: 'Look for the proofs again, and owe the scan that has waited for them.',
  description:
    'A scan is owed where none was made yet, or where the last one ended for what DNS said, such as `no-consent`, and one now goes further: every address is proven, or one that the last scan was kept from. It counts as one that you ask for: when no more of those are left, `next` says when to come again. With the other looks at its consent, sixty in an hour for one host.',
  requestParams: { path: hostPath, header: repeatable },
  responses: {
    200: answer('Where it stands.', consentResponse, ['Idempotency-Replayed']),
    ...invalidBody,
    ...ofHost,
    ...mayChange,
    ...notYetAnswered,
  },
};

const reaffirmConsent: Described = {
  summary: 'Lift what an unproven opt-out has paused, where DNS proves the address now.',
  requestParams: { path: hostPath, header: repeatable },
  responses: {
    200: answer('Where it stands.', consentResponse, ['Idempotency-Replayed']),
    ...invalidBody,
    ...ofHost,
    ...mayChange,
    409: problem('DNS proves no address of the host now, or the first request with this Idempotency-Key has not been answered yet.', [
      'Retry-After',
    ]),
  },
};

const showOpenApi: Described = { summary: 'This document.', security: [], responses: { 200: { description: 'OpenAPI 3.1.' } } };

const DESCRIBED: Readonly<Record<OperationId, Described>> = {
  askForAccount,
  useConfirmation,
  showAccount,
  removeAccount,
  createKey,
  listKeys,
  revokeKey,
  showProposal,
  registerHost,
  listHosts,
  showHost,
  changeHost,
  removeHost,
  showConsent,
  checkConsent,
  reaffirmConsent,
  scanHere,
  acknowledgeHost,
  listNotices,
  repeatNotice,
  requestScan,
  listScans,
  showScan,
  listChanges,
  showOpenApi,
};

function pathsOf(described: Readonly<Record<OperationId, Described>>): ZodOpenApiPathsObject {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  for (const operationId of OPERATION_IDS) {
    const [method, path] = OPERATIONS[operationId];
    paths[path] = { ...paths[path], [method.toLowerCase()]: { operationId, ...described[operationId] } };
  }
  return paths;
}

/** The OpenAPI document of the API, made from the schemas that validate it. */
export function openApiDocument() {
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: 'Relay Audit',
      version: '1',
      description:
        'Audits mail servers for open relaying, on a schedule, and tells their owners. All but asking for an account, confirming an address and this document needs an API key. Answers carry RateLimit and RateLimit-Policy, the budget of the key, and X-Request-Id, by which we find a request in our log.',
    },
    security: [{ apiKey: [] }],
    components: { securitySchemes: { apiKey: { type: 'http', scheme: 'bearer' } } },
    paths: pathsOf(DESCRIBED),
  });
}
