import type * as z from 'zod';
import { scanHere as scan } from '../../shared/accounts/here.ts';
import type { scanHereResponse } from '../../shared/contract/responses.ts';
import { json, type Verb } from './call.ts';
import { readNoBody, readNoQuery } from './read-request.ts';
import { owedScanView } from './views.ts';

/** `POST /v1/scans/here`: owes one scan of the address that the request comes from, as the gateway saw it. */
export const scanHere: Verb = async (call) => {
  readNoQuery(call.event);
  readNoBody(call.event);
  const { host, owed, address, until } = await scan(call, call.event.requestContext.http.sourceIp);
  const answer: z.input<typeof scanHereResponse> = {
    address,
    hostId: host.id,
    scan: owedScanView(owed),
    url: `${call.siteUrl}/hosts/${host.id}/scans/${owed.scanId}`,
    consentUntil: new Date(until).toISOString(),
    next: `This is consent to this one scan. If you want to have ${address} scanned on a schedule, DNS must show that it is yours: GET /v1/hosts/${host.id}/consent says how.`,
  };
  return json(202, answer, { location: `/v1/hosts/${host.id}/scans/${owed.scanId}` });
};
