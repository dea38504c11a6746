import { messagePage } from '../../shared/pages/message.ts';
import { resumedPage, unsubscribedPage, unsubscribePage } from '../../shared/pages/unsubscribe.ts';
import { readSubscription, type Subscription } from '../../shared/runtime/unsubscribe-token.ts';
import { type Answer, type Call, page, type Verb } from './call.ts';
import { fieldOf, refusalOf } from './read-form.ts';

const NOT_WHOLE = 'This link is not whole. Copy all of it from the mail, or write to us and we will do it for you.';
const ONE_CLICK = 'One-Click'; // of List-Unsubscribe (RFC 8058 §3.2)

/** `GET /unsubscribe?token=…`: asks first, so that only opening a link changes nothing. */
export const askUnsubscribe: Verb = async (call) =>
  withSubscription(call, async ({ email }, token) => page(200, unsubscribePage(token, email)));

/** `POST /unsubscribe?token=…`: from the page, or from a mail program by one click (RFC 8058), which comes from anywhere. */
export const unsubscribe: Verb = async (call) => {
  const oneClick = fieldOf(call.event, 'List-Unsubscribe') === ONE_CLICK;
  const refusal = oneClick ? undefined : refusalOf(call);
  if (refusal !== undefined) return refusal;
  return withSubscription(call, async ({ accountId, email }, token) => {
    if (!oneClick && fieldOf(call.event, 'act') === 'resume') {
      await call.store.confirmRecipient(accountId, email, call.clock());
      return page(200, resumedPage(email));
    }
    await call.store.unsubscribe(accountId, email, call.clock());
    return page(200, unsubscribedPage(token, email));
  });
};

// The token is enough: only a reader of the mail holds it.
async function withSubscription(call: Call, act: (subscription: Subscription, token: string) => Promise<Answer>): Promise<Answer> {
  const token = call.event.queryStringParameters?.token ?? '';
  const subscription = readSubscription(call.secrets, token);
  return subscription === undefined ? page(422, messagePage('Not a whole link', NOT_WHOLE)) : act(subscription, token);
}
