import type * as z from 'zod';
import * as accounts from '../../shared/accounts/consent.ts';
import type { consentResponse } from '../../shared/contract/consent.ts';
import { type ConsentFinding, relativeTo, zoneLine } from '../../shared/domain/consent-finding.ts';
import type { ConsentSight, SeenAddress } from '../../shared/domain/consent-sight.ts';
import type { Host } from '../../shared/domain/host.ts';
import { hostInPath, json, type Verb } from './call.ts';
import { readNoBody, readNoQuery } from './read-request.ts';

/** `GET /v1/hosts/{id}/consent` */
export const showConsent: Verb = async (call) => {
  readNoQuery(call.event);
  const host = await hostInPath(call);
  const { sight } = await accounts.lookAtConsent(call, host);
  return json(200, consentView(host, sight));
};

/** `POST /v1/hosts/{id}/consent/check`: looks again, and owes the scan that has waited for it. */
export const checkConsent: Verb = async (call) => {
  readNoQuery(call.event);
  readNoBody(call.event);
  const host = await hostInPath(call);
  const { sight, scan, refused } = await accounts.checkConsent(call, host);
  if (scan === undefined) return json(200, { ...consentView(host, sight), ...(refused === undefined ? {} : { next: refused }) });
  const next = `A scan is owed and made within a minute or two: GET /v1/hosts/${host.id}/scans/${scan} shows what comes of it.`;
  return json(200, { ...consentView(host, sight), scan, next });
};

/** `POST /v1/hosts/{id}/consent/reaffirm`: lifts what strangers have paused, where DNS proves the address now. */
export const reaffirmConsent: Verb = async (call) => {
  readNoQuery(call.event);
  readNoBody(call.event);
  const host = await hostInPath(call);
  return json(200, consentView(host, await accounts.reaffirmConsent(call, host)));
};

function nextOf(id: string, { complete, add, addresses, trouble }: ConsentSight): string {
  if (complete)
    return `Both sides speak for every address. POST /v1/hosts/${id}/scans asks for a scan; GET its /scans shows what came of it.`;
  if (addresses.some(({ standing }) => standing === 'paused'))
    return `Probes are paused: POST /v1/hosts/${id}/consent/reaffirm lifts that for each address that DNS proves.`;
  const again = `POST /v1/hosts/${id}/consent/check looks again.`;
  const ofAddresses = addresses.some(needsRecord);
  const what = [
    ...(add.length > 0 ? ['the record under `add`'] : []),
    ...(ofAddresses ? [`one of ${add.length > 0 ? 'those' : 'the records'} under the \`add\` of each address`] : []),
  ];
  if (what.length > 0) return `Set ${what.join(', and ')}. Then ${again}`;
  return `No record is missing. ${trouble ?? 'What stands in the way is said of each address.'} When that has changed, ${again}`;
}

// One of the ways may need nothing more, once the name is proven.
function needsRecord({ add }: SeenAddress): boolean {
  return add.length > 0 && add.every(({ record, also = [] }) => record !== undefined || also.length > 0);
}

function consentView({ id }: Host, sight: ConsentSight): z.input<typeof consentResponse> {
  return {
    ...sight,
    addresses: sight.addresses.map(({ pausedUntil, ...address }) => ({
      ...address,
      ...(pausedUntil === undefined ? {} : { pausedUntil: new Date(pausedUntil).toISOString() }),
    })),
    findings: sight.findings.map((finding) => findingView(finding, sight.zone)),
    next: nextOf(id, sight),
  };
}

function findingView({ change: { records = [], ...change }, ...finding }: ConsentFinding, zone: string | undefined) {
  const lines = records.map((record) => {
    const nameInZone = relativeTo(record.name, zone);
    return { ...record, ...(nameInZone === undefined ? {} : { nameInZone }), line: zoneLine(record) };
  });
  return { ...finding, change: { ...change, ...(lines.length === 0 ? {} : { records: lines }) } };
}
