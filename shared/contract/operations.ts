type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

/** The operations of the API, each by its id, with where it is. `document.ts` says what they take and give. */
export const OPERATIONS = {
  askForAccount: ['POST', '/v1/accounts'],
  useConfirmation: ['POST', '/v1/confirmations'],
  showAccount: ['GET', '/v1/account'],
  removeAccount: ['DELETE', '/v1/account'],
  createKey: ['POST', '/v1/keys'],
  listKeys: ['GET', '/v1/keys'],
  revokeKey: ['DELETE', '/v1/keys/{prefix}'],
  showProposal: ['GET', '/v1/proposals'],
  registerHost: ['POST', '/v1/hosts'],
  listHosts: ['GET', '/v1/hosts'],
  showHost: ['GET', '/v1/hosts/{id}'],
  changeHost: ['PATCH', '/v1/hosts/{id}'],
  removeHost: ['DELETE', '/v1/hosts/{id}'],
  showConsent: ['GET', '/v1/hosts/{id}/consent'],
  checkConsent: ['POST', '/v1/hosts/{id}/consent/check'],
  reaffirmConsent: ['POST', '/v1/hosts/{id}/consent/reaffirm'],
  scanHere: ['POST', '/v1/scans/here'],
  acknowledgeHost: ['POST', '/v1/hosts/{id}/acknowledge'],
  listNotices: ['GET', '/v1/hosts/{id}/notices'],
  repeatNotice: ['POST', '/v1/hosts/{id}/notices/{noticeId}/repeat'],
  requestScan: ['POST', '/v1/hosts/{id}/scans'],
  listScans: ['GET', '/v1/hosts/{id}/scans'],
  showScan: ['GET', '/v1/hosts/{id}/scans/{scanId}'],
  listChanges: ['GET', '/v1/hosts/{id}/changes'],
  showOpenApi: ['GET', '/v1/openapi.json'],
} as const satisfies Readonly<Record<string, readonly [method: Method, path: string]>>;

export type OperationId = keyof typeof OPERATIONS;

/** All of them, in the order of the document. */
export const OPERATION_IDS = Object.keys(OPERATIONS) as OperationId[];
