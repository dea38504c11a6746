import type { Host } from '../domain/host.ts';
import type { NoticeRecord } from '../domain/notice.ts';
import type { Acting } from './acting.ts';
import { spend } from './budgets.ts';
import { Problem } from './problem.ts';

/** Calls the webhook of a host again with a notice. Mails are not repeated: their evidence is in the history. */
export async function repeatNotice(acting: Acting, host: Host, noticeId: string): Promise<NoticeRecord> {
  const { store } = acting;
  const found = noticeId.startsWith(host.id) ? await store.findNotice(noticeId) : undefined;
  if (found === undefined) throw new Problem(404, 'There is no such notice of this host.');
  if (found.notice.channel !== 'webhook') throw new Problem(409, 'Only calls of a webhook are repeated, no mails.');
  await spend(acting, 'webhook-repeats', host.id, 'Calls of this webhook were repeated as often as they may be in an hour.');
  if (!(await store.repeatNotice(found.notice, acting.clock()))) throw new Problem(409, 'It is still owed, and tried again by itself.');
  return (await store.findNotice(noticeId)) ?? found;
}
