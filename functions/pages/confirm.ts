import { confirm } from '../../shared/accounts/confirm.ts';
import { confirmPage, keyPage, notConfirmedPage, recipientPage } from '../../shared/pages/confirm.ts';
import { baseUrlOf, page, type Verb } from './call.ts';
import { fieldOf, refusalOf } from './read-form.ts';

const AGAIN = 'For an API key, sign in and make one under Account. For alerts, ask whoever named you to name you again.';

const REFUSED = {
  unreadable: `This link is not whole. Copy all of it from the mail. ${AGAIN}`,
  expired: `This link is too old. ${AGAIN}`,
  used: `This link has been used. ${AGAIN}`,
  ended: `This link ended when its account was signed out everywhere, or deleted. ${AGAIN}`,
} as const;

/** `GET /confirm?token=…`: asks first, so that only opening a link changes nothing. */
export const askConfirm: Verb = async ({ event }) => page(200, confirmPage(event.queryStringParameters?.token ?? ''));

/** `POST /confirm`: acts, once. */
export const actConfirm: Verb = async (call) => {
  const refusal = refusalOf(call);
  if (refusal !== undefined) return refusal;
  const token = fieldOf(call.event, 'token') ?? '';
  const confirmed = await confirm(token, call);
  switch (confirmed.kind) {
    case 'refused':
      return page(422, notConfirmedPage(REFUSED[confirmed.why], confirmed.why === 'unreadable' ? undefined : token));
    case 'recipient':
      return page(200, recipientPage(confirmed.email));
    case 'account':
      return page(200, keyPage({ ...confirmed, baseUrl: baseUrlOf(call) }));
  }
};
