import type { Send } from '../../shared/mail/mailer.ts';
import { renderNotice } from '../../shared/mail/templates.ts';
import type { Clock } from '../../shared/runtime/clock.ts';
import type { AuditStore } from '../../shared/store/audit-store.ts';

export type Services = {
  readonly store: AuditStore;
  readonly send: Send;
  readonly clock: Clock;
  readonly log: { info: (message: string, fields: object) => void; error: (message: string, fields: object) => void };
  /** Where the API answers, without a slash at the end. */
  readonly baseUrl: string;
  readonly claimLeaseMs: number;
};

const REFUSED_WAIT_MS = 60_000; // grows with each try, up to an hour
const REFUSED_WAIT_LIMIT_MS = 3_600_000;

/**
 * Sends one notice: claim, hand over to SES once, settle. Whoever does not get the claim does nothing, since the notice
 * is settled or somebody else's. When we cannot tell whether SES took it, the claim is left to run out, and only then is
 * it sent again: the one case in which a recipient may get a mail twice.
 */
export async function notify(noticeId: string, services: Services): Promise<void> {
  const { store, clock } = services;
  const now = clock();
  const claim = await store.claimNotice(noticeId, now, now + services.claimLeaseMs);
  if (claim === undefined) return;
  const { notice, tries } = claim;
  const mail = renderNotice(notice, `${services.baseUrl}/v1/hosts/${notice.hostId}/scans`);
  const handover = await services.send(mail, notice.recipient, notice.id);
  if (handover.kind === 'accepted') {
    await store.settleNotice(noticeId, handover.messageId, clock());
    services.log.info('mailed', { noticeId, hostId: notice.hostId, host: notice.hostName, to: notice.to });
    return;
  }
  const wait = Math.min(REFUSED_WAIT_MS * 2 ** Math.min(tries - 1, 10), REFUSED_WAIT_LIMIT_MS);
  await store.releaseNotice(noticeId, clock() + wait);
  services.log.error('SES refused a mail; it will be tried again', { noticeId, why: handover.why, tries });
}
