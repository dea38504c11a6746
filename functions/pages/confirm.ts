import { confirm } from '../../shared/accounts/confirm.ts';
import { confirmPage, keyPage, recipientPage } from '../../shared/pages/confirm.ts';
import { messagePage } from '../../shared/pages/message.ts';
import { baseUrlOf, page, type Verb } from './call.ts';
import { fieldOf, refusalOf } from './read-form.ts';

const AGAIN = 'Ask for another mail: POST /v1/accounts with your address, or name the recipient of a host anew.';

const REFUSED = {
  unreadable: `This link is not whole. Copy all of it from the mail. ${AGAIN}`,
  expired: `This link is too old. ${AGAIN}`,
  used: `This link has been used. ${AGAIN}`,
} as const;

/** `GET /confirm?token=…`: asks; whoever only opens links changes nothing. */
export const askConfirm: Verb = async ({ event }) => page(200, confirmPage(event.queryStringParameters?.token ?? ''));

/** `POST /confirm`: acts, once. */
export const actConfirm: Verb = async (call) => {
  const refusal = refusalOf(call);
  if (refusal !== undefined) return refusal;
  const confirmed = await confirm(fieldOf(call.event, 'token') ?? '', call);
  switch (confirmed.kind) {
    case 'refused':
      return page(422, messagePage('Not confirmed', REFUSED[confirmed.why]));
    case 'recipient':
      return page(200, recipientPage(confirmed.email));
    case 'account':
      return page(200, keyPage({ ...confirmed, baseUrl: baseUrlOf(call) }));
  }
};
