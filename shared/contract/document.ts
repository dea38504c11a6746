import type * as z from 'zod';
import { createDocument, type ZodOpenApiOperationObject } from 'zod-openapi';
import { changeHostRequest, hostPath, pageQuery, registerHostRequest, scanPath, scansQuery } from './requests.ts';
import {
  changesResponse,
  hostResponse,
  hostsResponse,
  owedScanResponse,
  problemResponse,
  scanOrOwedResponse,
  scansResponse,
} from './responses.ts';

const body = (schema: z.ZodType) => ({ required: true, content: { 'application/json': { schema } } });
const answer = (description: string, schema: z.ZodType) => ({ description, content: { 'application/json': { schema } } });
const problem = (description: string) => ({ description, content: { 'application/problem+json': { schema: problemResponse } } });

const authenticated = { 401: problem('No valid API key.'), 500: problem('Trouble on our side.') };
const ofHost = { ...authenticated, 404: problem('No such host in this account.') };
const invalid = { 422: problem('Some of the input is not valid.') };
const invalidBody = { ...invalid, 400: problem('Not JSON.'), 413: problem('More than 64 KiB.'), 415: problem('Not sent as JSON.') };

const registerHost: ZodOpenApiOperationObject = {
  operationId: 'registerHost',
  summary: 'Register a mail server. Its first scan is made within a minute or two.',
  requestBody: body(registerHostRequest),
  responses: { 201: answer('Registered.', hostResponse), ...invalidBody, ...authenticated },
};

const listHosts: ZodOpenApiOperationObject = {
  operationId: 'listHosts',
  summary: 'The registered hosts.',
  requestParams: { query: pageQuery },
  responses: { 200: answer('A page of hosts.', hostsResponse), ...invalid, ...authenticated },
};

const showHost: ZodOpenApiOperationObject = {
  operationId: 'showHost',
  summary: 'One host with its relay state.',
  requestParams: { path: hostPath },
  responses: { 200: answer('The host.', hostResponse), ...invalid, ...ofHost },
};

const changeHost: ZodOpenApiOperationObject = {
  operationId: 'changeHost',
  summary: 'Change the settings of a host. Its name stays: register another host for another name.',
  requestParams: { path: hostPath },
  requestBody: body(changeHostRequest),
  responses: {
    200: answer('The host as it is now.', hostResponse),
    ...invalidBody,
    ...ofHost,
    409: problem('Somebody else keeps changing it.'),
  },
};

const removeHost: ZodOpenApiOperationObject = {
  operationId: 'removeHost',
  summary: 'Stop auditing a host. Its history is out of reach at once.',
  requestParams: { path: hostPath },
  responses: {
    204: { description: 'Removed.' },
    ...invalid,
    ...ofHost,
    409: problem('Somebody else keeps changing it.'),
  },
};

const requestScan: ZodOpenApiOperationObject = {
  operationId: 'requestScan',
  summary: 'Ask for a scan now. One that was asked for and has not been made yet is given back instead of a second.',
  requestParams: { path: hostPath },
  responses: { 202: answer('The scan is owed; follow Location.', owedScanResponse), ...invalidBody, ...ofHost },
};

const listScans: ZodOpenApiOperationObject = {
  operationId: 'listScans',
  summary: 'The scan history, newest first.',
  requestParams: { path: hostPath, query: scansQuery },
  responses: { 200: answer('A page of scans.', scansResponse), ...invalid, ...ofHost },
};

const showScan: ZodOpenApiOperationObject = {
  operationId: 'showScan',
  summary: 'One scan with its legs, tests and transcripts.',
  requestParams: { path: scanPath },
  responses: { 200: answer('The scan, finished or still owed.', scanOrOwedResponse), ...invalid, ...ofHost },
};

const listChanges: ZodOpenApiOperationObject = {
  operationId: 'listChanges',
  summary: 'The confirmed changes of the relay state, newest first.',
  requestParams: { path: hostPath, query: pageQuery },
  responses: { 200: answer('A page of changes.', changesResponse), ...invalid, ...ofHost },
};

/** The OpenAPI document of the API, made from the schemas that validate it. */
export function openApiDocument() {
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: 'Relay Audit',
      version: '1',
      description:
        'Audits mail servers for open relaying, on a schedule, and tells their owners. Every path but this document needs an API key.',
    },
    security: [{ apiKey: [] }],
    components: { securitySchemes: { apiKey: { type: 'http', scheme: 'bearer' } } },
    paths: {
      '/v1/hosts': { post: registerHost, get: listHosts },
      '/v1/hosts/{id}': { get: showHost, patch: changeHost, delete: removeHost },
      '/v1/hosts/{id}/scans': { post: requestScan, get: listScans },
      '/v1/hosts/{id}/scans/{scanId}': { get: showScan },
      '/v1/hosts/{id}/changes': { get: listChanges },
      '/v1/openapi.json': {
        get: { operationId: 'showOpenApi', summary: 'This document.', security: [], responses: { 200: { description: 'OpenAPI 3.1.' } } },
      },
    },
  });
}
