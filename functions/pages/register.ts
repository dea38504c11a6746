import { lookAtConsent } from '../../shared/accounts/consent.ts';
import { defaultPorts, registerHost } from '../../shared/accounts/hosts.ts';
import { Problem } from '../../shared/accounts/problem.ts';
import { propose } from '../../shared/accounts/proposals.ts';
import { KnownServer } from '../../shared/accounts/same-server.ts';
import { registerHostRequest } from '../../shared/contract/requests.ts';
import type { Host } from '../../shared/domain/host.ts';
import { readTarget } from '../../shared/domain/host-name.ts';
import { type FieldFaults, fieldsIn, fieldsOf, type HostFields, wishOf } from '../../shared/pages/host-fields.ts';
import { askNamePage, knownServerPage, proposalPage, type RegisterForm, registerAgainPage } from '../../shared/pages/register.ts';
import { newId } from '../../shared/runtime/ids.ts';
import { page, queryOf, type SignedCall, type SignedVerb, seeOther } from './call.ts';
import { faultsIn, faultsOf } from './host-faults.ts';
import { readForm } from './read-form.ts';

const CLAIM_MS = 60_000; // longer than the function may run: after that its sender is gone
const ONCE_MS = 24 * 60 * 60_000; // a form that is older was forgotten

/** `GET /hosts/new?name=…` */
export const askHost: SignedVerb = async (call) => {
  const name = queryOf(call, 'name').trim().toLowerCase();
  if (name === '') return page(200, askNamePage(call.visitor));
  const target = readTarget(name);
  if (target.kind === 'invalid') return page(422, askNamePage(call.visitor, name, `It ${target.why}.`));
  const proposal = await propose(call, name);
  const forms = (proposal.register ?? []).map((each) => emptyForm(call, each));
  return page(200, proposalPage({ visitor: call.visitor, proposal, forms }));
};

/** `POST /hosts`: a form that is sent twice registers once, and leads to the same host. */
export const register: SignedVerb = async (call) => {
  const form = readForm(call);
  const [name, once] = [(form.get('name') ?? '').trim(), form.get('once') ?? ''];
  const fields = fieldsIn(form);
  const wish = wishOf(fields);
  const read = registerHostRequest.safeParse({ ...wish, name, webhook: wish.webhook === '' ? undefined : wish.webhook });
  if (!read.success) return again(call, name, fields, faultsIn(read.error, wish));
  if (!/^[0-9a-f]{20}$/.test(once)) return seeOther('/hosts');
  const now = call.clock();
  const request = { accountId: call.accountId, key: `form-${once}`, fingerprint: 'register' };
  const claimed = await call.store.claimRequest(request, now, now + CLAIM_MS, now + ONCE_MS);
  if (claimed.kind !== 'new') return seeOther(claimed.kind === 'answered' ? claimed.answer : '/hosts');
  let host: Host;
  try {
    ({ host } = await registerHost(call, read.data));
  } catch (error) {
    await call.store.forgetRequest(request);
    if (error instanceof KnownServer) return page(409, knownServerPage(call.visitor, error.known));
    if (error instanceof Problem && error.errors === undefined) return again(call, name, fields, {}, error);
    return again(call, name, fields, faultsOf(error));
  }
  await call.store.keepAnswer(request, `/hosts/${host.id}`);
  const { sight } = await lookAtConsent(call, host);
  return seeOther(sight.complete ? `/hosts/${host.id}` : `/hosts/${host.id}/consent`);
};

// With what is wrong with a field, or with all of it.
function again(call: SignedCall, name: string, fields: HostFields, faults: FieldFaults, problem?: Problem) {
  const form = { name, fields, faults, once: newId(), probePorts: call.probePorts };
  return page(problem?.status ?? 422, registerAgainPage(call.visitor, form, problem?.message), problem?.headers);
}

function emptyForm(call: SignedCall, { name, servedDomains }: { name: string; servedDomains: readonly string[] }): RegisterForm {
  const settings = {
    servedDomains,
    alertRecipients: [call.visitor.email],
    ports: defaultPorts(call),
    period: 'day',
    reminders: true,
  } as const;
  return { name, fields: fieldsOf(settings), faults: {}, once: newId(), probePorts: call.probePorts };
}
