import { Problem } from '../../shared/accounts/problem.ts';
import * as accounts from '../../shared/accounts/scans.ts';
import { pageQuery, scanPath, scansQuery } from '../../shared/contract/requests.ts';
import { VERDICTS, type Verdict } from '../../shared/domain/reason.ts';
import { kindOf } from '../../shared/domain/scan.ts';
import { hostInPath, json, type Verb } from './call.ts';
import { readNoBody, readNoQuery, readQuery } from './read-request.ts';
import { changeView, owedScanView, scanSummaryView, scanView } from './views.ts';

/** `POST /v1/hosts/{id}/scans`: owes a scan, unless one that was asked for is owed already. */
export const requestScan: Verb = async (call) => {
  readNoQuery(call.event);
  readNoBody(call.event);
  const host = await hostInPath(call);
  const owed = await accounts.requestScan(call, host);
  return json(202, owedScanView(owed), { location: `/v1/hosts/${host.id}/scans/${owed.scanId}` });
};

/** `GET /v1/hosts/{id}/scans` */
export const listScans: Verb = async (call) => {
  const host = await hostInPath(call);
  const query = readQuery(call.event, scansQuery);
  const place = [call.accountId, 'scans', host.id, query.verdict ?? '', query.from ?? '', query.to ?? ''];
  const page = await call.store.listScans(host.id, {
    limit: query.limit,
    after: call.cursors.open(place, query.cursor),
    verdicts: query.verdict === undefined ? undefined : verdictsIn(query.verdict),
    fromMs: query.from === undefined ? undefined : Date.parse(query.from),
    toMs: query.to === undefined ? undefined : Date.parse(query.to),
  });
  return json(200, { items: page.items.map(scanSummaryView), next: call.cursors.seal(place, page.next) });
};

/** `GET /v1/hosts/{id}/scans/{scanId}` */
export const showScan: Verb = async (call) => {
  readNoQuery(call.event);
  const host = await hostInPath(call);
  const path = scanPath.safeParse(call.event.pathParameters ?? {});
  if (!path.success || kindOf(path.data.scanId) === undefined) throw noSuchScan();
  const scan = await call.store.findScan(host.id, path.data.scanId);
  if (scan !== undefined) {
    const legs = scan.evidence === undefined ? [] : await call.store.readEvidence(host.id, scan.evidence);
    return json(200, scanView(scan, legs ?? []));
  }
  const owed = await call.store.findOwed(host.id, path.data.scanId);
  if (owed === undefined) throw noSuchScan();
  return json(200, owedScanView(owed));
};

/** `GET /v1/hosts/{id}/changes` */
export const listChanges: Verb = async (call) => {
  const host = await hostInPath(call);
  const query = readQuery(call.event, pageQuery);
  const place = [call.accountId, 'changes', host.id];
  const page = await call.store.listChanges(host.id, query.limit, call.cursors.open(place, query.cursor));
  return json(200, { items: page.items.map(changeView), next: call.cursors.seal(place, page.next) });
};

function verdictsIn(text: string): Verdict[] {
  const wanted = text.split(',');
  return VERDICTS.filter((verdict) => wanted.includes(verdict));
}

function noSuchScan(): Problem {
  return new Problem(404, 'There is no such scan of this host. GET its /scans lists those there are.');
}
