import * as accounts from '../../shared/accounts/notices.ts';
import { noticePath } from '../../shared/contract/notices.ts';
import { pageQuery } from '../../shared/contract/requests.ts';
import { hostInPath, json, type Verb } from './call.ts';
import { readNoBody, readNoQuery, readQuery } from './read-request.ts';
import { noticeView } from './views.ts';

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
  return json(202, noticeView(await accounts.repeatNotice(call, host, noticeId)));
};
