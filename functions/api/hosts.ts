import type * as z from 'zod';
import * as accounts from '../../shared/accounts/hosts.ts';
import { type NotAsked, recipientsOf } from '../../shared/accounts/recipients.ts';
import { changeHostRequest, pageQuery, registerHostRequest } from '../../shared/contract/requests.ts';
import type { hostResponse, registeredHostResponse } from '../../shared/contract/responses.ts';
import type { Host } from '../../shared/domain/host.ts';
import { webhookSecret } from '../../shared/runtime/webhook-signature.ts';
import { type Answer, type Call, hostInPath, json, type Verb } from './call.ts';
import { entityTag, requireMatch } from './entity-tag.ts';
import { readBody, readNoBody, readNoQuery, readQuery } from './read-request.ts';
import { hostView, owedScanView } from './views.ts';

/** `POST /v1/hosts` */
export const registerHost: Verb = async (call) => {
  readNoQuery(call.event);
  const wish = readBody(call.event, registerHostRequest);
  const { host, unconfirmed, notAsked, told } = await accounts.registerHost(call, wish);
  const answer: z.input<typeof registeredHostResponse> = {
    ...(await single(call, host, unconfirmed)),
    ...secretOf(call, host, wish),
    ...notAskedOf(notAsked),
    ...told,
  };
  return json(201, answer, { etag: entityTag(host.revision), location: `/v1/hosts/${host.id}` });
};

/** `GET /v1/hosts` */
export const listHosts: Verb = async (call) => {
  const query = readQuery(call.event, pageQuery);
  const place = [call.accountId, 'hosts'];
  const page = await call.store.listHosts(call.accountId, query.limit, call.cursors.open(place, query.cursor));
  const now = call.clock();
  return json(200, { items: page.items.map((host) => hostView(host, now)), next: call.cursors.seal(place, page.next) });
};

/** `GET /v1/hosts/{id}` */
export const showHost: Verb = async (call) => {
  readNoQuery(call.event);
  const host = await hostInPath(call);
  return hostAnswer(host, await single(call, host));
};

/** `PATCH /v1/hosts/{id}`: with If-Match, only what nobody has changed since. Recipients that it names are asked, if they have not confirmed. */
export const changeHost: Verb = async (call) => {
  const { id } = await hostInPath(call);
  readNoQuery(call.event);
  const wish = readBody(call.event, changeHostRequest);
  const { host, unconfirmed, notAsked } = await accounts.changeHost(call, id, wish, ({ revision }) => requireMatch(call.event, revision));
  return hostAnswer(host, { ...(await single(call, host, unconfirmed)), ...secretOf(call, host, wish), ...notAskedOf(notAsked) });
};

/** `POST /v1/hosts/{id}/acknowledge`: its owner knows it to be a sink, and is told no more of it until something changes. */
export const acknowledgeHost: Verb = async (call) => {
  readNoQuery(call.event);
  readNoBody(call.event);
  const { id } = await hostInPath(call);
  const host = await accounts.acknowledgeHost(call, id);
  return hostAnswer(host, await single(call, host));
};

/** `DELETE /v1/hosts/{id}` */
export const removeHost: Verb = async (call) => {
  readNoQuery(call.event);
  const { id } = await hostInPath(call);
  await accounts.removeHost(call, id);
  return { statusCode: 204 };
};

async function single(call: Call, host: Host, known?: readonly string[]): Promise<z.input<typeof hostResponse>> {
  const [{ unconfirmed, stopped }, owed] = await Promise.all([recipientsOf(call, host, known), call.store.owedOf(host.id)]);
  return {
    ...hostView(host, call.clock()),
    owedScans: owed.map(owedScanView),
    unconfirmedRecipients: unconfirmed,
    stoppedRecipients: stopped,
  };
}

const WHY_NOT_ASKED: Readonly<Record<NotAsked['why'], string>> = {
  'kept-back':
    'An address is asked once a day by all accounts together, and this one was, or takes no mail of ours. Have its reader look for that mail, or name it again tomorrow.',
  crowded: 'Very many addresses are to be asked at this time. Name it again in an hour, or tomorrow.',
  'too-many':
    'This account has had as many addresses asked as it may in a day; addresses that do not exist count as several. Name it again tomorrow.',
  failed: 'The mail could not be sent just now. Name it again in some minutes.',
};

function notAskedOf(notAsked: readonly NotAsked[]) {
  return notAsked.length === 0
    ? {}
    : { recipientsNotAsked: notAsked.map(({ email, why }) => ({ email, why, detail: WHY_NOT_ASKED[why] })) };
}

// Shown only when a webhook is set. Setting it again shows it again.
function secretOf(call: Call, { id }: Host, { webhook }: { webhook?: string | null | undefined }) {
  return typeof webhook === 'string' ? { webhookSecret: webhookSecret(call.secrets, id) } : {};
}

// One host, with the tag of its settings: what scans write does not change it.
function hostAnswer(host: Host, body: z.input<typeof hostResponse>): Answer {
  return json(200, body, { etag: entityTag(host.revision) });
}
