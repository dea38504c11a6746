import type * as z from 'zod';
import { changeHostRequest, pageQuery, registerHostRequest, smallEnough, tooLong } from '../../shared/contract/requests.ts';
import type { hostResponse, registeredHostResponse } from '../../shared/contract/responses.ts';
import { type Host, type HostSettings, NEW_STATE } from '../../shared/domain/host.ts';
import { scanId } from '../../shared/domain/scan.ts';
import { newId } from '../../shared/runtime/ids.ts';
import { webhookSecret } from '../../shared/runtime/webhook-signature.ts';
import { ownAccount } from './accounts.ts';
import { type Answer, type Call, hostInPath, json, type Verb } from './call.ts';
import { entityTag, requireMatch } from './entity-tag.ts';
import { invalid, Problem } from './problem.ts';
import { readBody, readNoBody, readNoQuery, readQuery } from './read-request.ts';
import { askRecipients, whoIsUnconfirmed } from './recipients.ts';
import { adviceAtRegistration } from './registration.ts';
import { hostView } from './views.ts';

const DEFAULT_PORTS = [25, 465, 587]; // relay, implicit TLS submission, submission (RFC 5321, 8314, 6409)
const EDIT_TRIES = 3; // times an edit is made again when another edit came between

/** `POST /v1/hosts` */
export const registerHost: Verb = async (call) => {
  readNoQuery(call.event);
  const body = readBody(call.event, registerHostRequest);
  checkPorts(call, body.ports ?? []);
  const ports = body.ports ?? DEFAULT_PORTS.filter((port) => call.probePorts.includes(port));
  const now = call.clock();
  const host: Host = {
    accountId: call.accountId,
    id: newId(),
    createdAt: now,
    revision: 1,
    settings: {
      ...tidy({ ...body, ports, alertRecipients: body.alertRecipients ?? [(await ownAccount(call)).email] }),
      name: body.name.toLowerCase(),
    },
    state: NEW_STATE,
  };
  const first = { accountId: host.accountId, hostId: host.id, scanId: scanId(now, 'first'), dueAt: now, tries: 0 };
  const [unconfirmed, advice] = await Promise.all([
    whoIsUnconfirmed(call, host.settings),
    adviceAtRegistration(call, host.id, host.settings),
  ]);
  await call.store.registerHost(host, first);
  await askRecipients(call, unconfirmed);
  const answer: z.input<typeof registeredHostResponse> = {
    ...(await single(call, host, unconfirmed)),
    ...secretOf(call, host, body),
    ...advice,
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
  const host = await hostInPath(call);
  readNoQuery(call.event);
  const body = readBody(call.event, changeHostRequest);
  checkPorts(call, body.ports ?? []);
  return edit(call, host, body, EDIT_TRIES);
};

/** `POST /v1/hosts/{id}/acknowledge`: its owner knows it to be a sink, and is told no more of it until something changes. */
export const acknowledgeHost: Verb = async (call) => {
  readNoQuery(call.event);
  readNoBody(call.event);
  for (let tries = 0; tries < EDIT_TRIES; tries++) {
    const host = await hostInPath(call);
    if (host.state.relay !== 'suspected' || host.state.sink !== true)
      throw new Problem(
        409,
        'Only a host that is suspected because it accepts everything can be acknowledged, as a sink that you know of.',
      );
    const edited = await call.store.changeSettings(host, { ...host.settings, acknowledgedAt: call.clock() });
    if (edited !== undefined) return hostAnswer(edited, await single(call, edited));
  }
  throw beingChanged();
};

/** `DELETE /v1/hosts/{id}` */
export const removeHost: Verb = async (call) => {
  readNoQuery(call.event);
  for (let tries = 0; tries < EDIT_TRIES; tries++) if (await call.store.removeHost(await hostInPath(call))) return { statusCode: 204 };
  throw beingChanged();
};

async function edit(call: Call, host: Host, body: z.output<typeof changeHostRequest>, tries: number): Promise<Answer> {
  requireMatch(call.event, host.revision);
  const { webhook, ...rest } = body;
  const changes = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  const settings = tidy({ ...host.settings, ...changes, webhook: webhook === undefined ? host.settings.webhook : (webhook ?? undefined) });
  const field = body.servedDomains === undefined ? 'alertRecipients' : 'servedDomains';
  if (!smallEnough(settings)) throw invalid([{ field, message: tooLong }]);
  const unconfirmed = await whoIsUnconfirmed(call, settings);
  const edited = await call.store.changeSettings(host, settings);
  if (edited !== undefined) {
    if (body.alertRecipients !== undefined) await askRecipients(call, unconfirmed);
    return hostAnswer(edited, { ...(await single(call, edited, unconfirmed)), ...secretOf(call, edited, body) });
  }
  if (tries <= 1) throw beingChanged();
  return edit(call, await hostInPath(call), body, tries - 1);
}

function tidy(settings: HostSettings): HostSettings {
  const domains = settings.servedDomains.map((domain) => domain.toLowerCase());
  return {
    ...settings,
    servedDomains: [...new Set(domains)],
    alertRecipients: [...new Set(settings.alertRecipients)],
  };
}

function checkPorts(call: Call, ports: readonly number[]): void {
  const errors = ports.flatMap((port, index) =>
    call.probePorts.includes(port)
      ? []
      : [{ field: `ports[${index}]`, message: `${port} is not a port that is probed here; known are ${call.probePorts.join(', ')}` }],
  );
  if (errors.length > 0) throw invalid(errors);
}

function beingChanged(): Problem {
  return new Problem(409, 'The host is being changed by somebody else at the same time. Try again.');
}

async function single(call: Call, host: Host, unconfirmed?: string[]): Promise<z.input<typeof hostResponse>> {
  const [unconfirmedRecipients, stoppedRecipients] = await Promise.all([
    unconfirmed ?? whoIsUnconfirmed(call, host.settings),
    call.store.mailStops(call.accountId, host.settings.alertRecipients),
  ]);
  return { ...hostView(host, call.clock()), unconfirmedRecipients, stoppedRecipients };
}

// Shown to whoever sets a webhook, who may do so again to see it.
function secretOf(call: Call, { id }: Host, { webhook }: { webhook?: string | null | undefined }) {
  return typeof webhook === 'string' ? { webhookSecret: webhookSecret(call.secrets, id) } : {};
}

// One host, with the tag of its settings: what scans write does not change it.
function hostAnswer(host: Host, body: z.input<typeof hostResponse>): Answer {
  return json(200, body, { etag: entityTag(host.revision) });
}
