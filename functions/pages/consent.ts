import { checkConsent, lookAtConsent, nextLookAt, reaffirmConsent, waitsForDns } from '../../shared/accounts/consent.ts';
import { findHost } from '../../shared/accounts/hosts.ts';
import { Problem } from '../../shared/accounts/problem.ts';
import type { ConsentSight } from '../../shared/domain/consent-sight.ts';
import type { Host } from '../../shared/domain/host.ts';
import { consentPage } from '../../shared/pages/consent.ts';
import { type Answer, page, pathOf, queryOf, type SignedCall, type SignedVerb, seeOther } from './call.ts';

const TOLD: Readonly<Record<string, string>> = {
  looked: 'We have looked again just now. A change that you do not see yet may take as long as the TTL of the old answer.',
  lifted: 'The pause is lifted.',
};

/** `GET /hosts/{id}/consent` */
export const showConsent: SignedVerb = async (call) => {
  const host = await findHost(call, pathOf(call, 'id'));
  return shown(call, host, TOLD[queryOf(call, 'told')]);
};

/** `POST /hosts/{id}/consent/check`: when a scan is owed now, the page of the host shows it. */
export const check: SignedVerb = async (call) => {
  const host = await findHost(call, pathOf(call, 'id'));
  try {
    const { sight, scan, refused: why } = await checkConsent(call, host);
    if (why !== undefined) return seen(call, host, sight, why);
    return seeOther(scan === undefined ? `/hosts/${host.id}/consent?told=looked` : `/hosts/${host.id}`);
  } catch (error) {
    return refused(call, host, error);
  }
};

/** `POST /hosts/{id}/consent/reaffirm` */
export const reaffirm: SignedVerb = async (call) => {
  const host = await findHost(call, pathOf(call, 'id'));
  try {
    await reaffirmConsent(call, host);
    return seeOther(`/hosts/${host.id}/consent?told=lifted`);
  } catch (error) {
    return refused(call, host, error);
  }
};

async function shown(call: SignedCall, host: Host, told: string | undefined): Promise<Answer> {
  try {
    const { sight } = await lookAtConsent(call, host);
    return await seen(call, host, sight, told);
  } catch (error) {
    return refused(call, host, error);
  }
}

async function seen(call: SignedCall, host: Host, sight: ConsentSight, told: string | undefined): Promise<Answer> {
  const awaitsScan = sight.complete && (await waitsForDns(call, host, sight));
  const looksAt = await nextLookAt(call, host);
  return page(200, consentPage({ visitor: call.visitor, host, now: call.clock(), sight, awaitsScan, looksAt, told }));
}

// What could not be done is told among the pages of the host.
function refused({ visitor, clock }: SignedCall, host: Host, error: unknown): Answer {
  if (!(error instanceof Problem)) throw error;
  return page(error.status, consentPage({ visitor, host, now: clock(), sight: undefined, told: error.message }), error.headers);
}
