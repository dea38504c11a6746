import type * as z from 'zod';
import { noticePath, type noticeResponse } from '../../shared/contract/notices.ts';
import { pageQuery } from '../../shared/contract/requests.ts';
import type { NoticeRecord } from '../../shared/store/audit-store.ts';
import { spend } from './budgets.ts';
import { hostInPath, json, type Verb } from './call.ts';
import { Problem } from './problem.ts';
import { readNoBody, readNoQuery, readQuery } from './read-request.ts';

/** `GET /v1/hosts/{id}/notices`: the mails and webhook calls that the host has owed, newest first, and what became of them. */
export const listNotices: Verb = async (call) => {
  const host = await hostInPath(call);
  const query = readQuery(call.event, pageQuery);
  const place = [call.accountId, 'notices', host.id];
  const page = await call.store.listNotices(host.id, query.limit, call.cursors.open(place, query.cursor));
  return json(200, { items: page.items.map(noticeView), next: call.cursors.seal(place, page.next) });
};

/** `POST /v1/hosts/{id}/notices/{noticeId}/repeat`: calls the webhook again. Mails are not repeated: their evidence is in the history. */
export const repeatNotice: Verb = async (call) => {
  readNoQuery(call.event);
  readNoBody(call.event);
  const host = await hostInPath(call);
  const path = noticePath.safeParse(call.event.pathParameters ?? {});
  const noticeId = path.success ? path.data.noticeId : '';
  const found = noticeId.startsWith(host.id) ? await call.store.findNotice(noticeId) : undefined;
  if (found === undefined) throw new Problem(404, 'There is no such notice of this host. GET its /notices lists them.');
  if (found.notice.channel !== 'webhook') throw new Problem(409, 'Only calls of a webhook are repeated, no mails.');
  await spend(call, 'webhook-repeats', host.id, 'Calls of this webhook were repeated as often as they may be in an hour.');
  if (!(await call.store.repeatNotice(noticeId, call.clock()))) throw new Problem(409, 'It is still owed, and tried again by itself.');
  return json(202, noticeView((await call.store.findNotice(noticeId)) ?? found));
};

function noticeView({ notice, tries, outcome, dueAt, settledAt, why }: NoticeRecord): z.input<typeof noticeResponse> {
  if (notice.about === 'hosts') throw new Error('a notice of several hosts among those of one');
  return {
    id: notice.id,
    about: notice.occasion.kind,
    relayState: notice.relay,
    channel: notice.channel,
    recipient: notice.recipient,
    owedAt: iso(notice.owedAt),
    outcome: outcome ?? 'owed',
    tries,
    settledAt: settledAt === undefined ? undefined : iso(settledAt),
    nextTryAt: dueAt === undefined ? undefined : iso(dueAt),
    why,
  };
}

function iso(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
