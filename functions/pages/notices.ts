import { findHost } from '../../shared/accounts/hosts.ts';
import { repeatNotice } from '../../shared/accounts/notices.ts';
import type { HostNotice, NoticeRecord } from '../../shared/domain/notice.ts';
import { noticesPage } from '../../shared/pages/notices.ts';
import { acted } from './acted.ts';
import { page, pathOf, queryOf, type SignedVerb } from './call.ts';

const NOTICES_A_PAGE = 50;

/** `GET /hosts/{id}/notices?after=…` */
export const showNotices: SignedVerb = async (call) => {
  const host = await findHost(call, pathOf(call, 'id'));
  const after = queryOf(call, 'after');
  const { items, next } = await call.store.listNotices(host.id, NOTICES_A_PAGE, /^\d{10}-\w+$/.test(after) ? after : undefined);
  const notices = items.flatMap(({ notice, ...rest }): NoticeRecord<HostNotice>[] =>
    notice.about === 'host' ? [{ notice, ...rest }] : [],
  );
  const following = next === undefined ? undefined : `/hosts/${host.id}/notices?after=${next}`;
  return page(200, noticesPage({ visitor: call.visitor, host, notices, next: following, now: call.clock() }));
};

/** `POST /hosts/{id}/notices/{noticeId}/repeat` */
export const callAgain: SignedVerb = async (call) => {
  const host = await findHost(call, pathOf(call, 'id'));
  return acted(call, host, () => repeatNotice(call, host, pathOf(call, 'noticeId')), '/notices');
};
