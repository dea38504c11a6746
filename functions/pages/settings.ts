import { changeHost, findHost, removeHost } from '../../shared/accounts/hosts.ts';
import { Problem } from '../../shared/accounts/problem.ts';
import { recipientsOf } from '../../shared/accounts/recipients.ts';
import { changeHostRequest } from '../../shared/contract/requests.ts';
import type { Host } from '../../shared/domain/host.ts';
import { fieldsIn, fieldsOf, wishOf } from '../../shared/pages/host-fields.ts';
import { deletePage, type SettingsPage, settingsPage } from '../../shared/pages/settings.ts';
import { webhookSecret } from '../../shared/runtime/webhook-signature.ts';
import { acted } from './acted.ts';
import { type Answer, page, pathOf, queryOf, type SignedCall, type SignedVerb, seeOther } from './call.ts';
import { faultsIn, faultsOf, inWords } from './host-faults.ts';
import { readForm } from './read-form.ts';

const TOLD: Readonly<Record<string, string>> = {
  1: 'Saved.',
  unasked:
    'Saved. Not every recipient who has yet to confirm was mailed: an address is asked once a day by all accounts together. Have its reader look for that mail, or save again tomorrow.',
};
const CHANGED =
  'The settings were changed elsewhere since you opened this form. They stand below as they are now; nothing of yours was saved, and what you had typed stands beside them.';

/** `GET /hosts/{id}/settings` */
export const showSettings: SignedVerb = async (call) => {
  const host = await findHost(call, pathOf(call, 'id'));
  const told = TOLD[queryOf(call, 'saved')];
  return shown(call, 200, host, { fields: fieldsOf(host.settings), told });
};

/** `POST /hosts/{id}/settings`: only of settings that nobody has changed since the form was made. */
export const saveSettings: SignedVerb = async (call) => {
  const host = await findHost(call, pathOf(call, 'id'));
  const form = readForm(call);
  const fields = fieldsIn(form);
  const wish = wishOf(fields);
  const read = changeHostRequest.safeParse({ ...wish, webhook: wish.webhook === '' ? null : wish.webhook });
  const revision = Number(form.get('revision'));
  if (!read.success) return shown(call, 422, host, { fields, faults: faultsIn(read.error, wish), revision });
  try {
    const { notAsked } = await changeHost(call, host.id, read.data, (current) => {
      if (current.revision !== revision) throw new Problem(412, CHANGED);
    });
    return seeOther(`/hosts/${host.id}/settings?saved=${notAsked.length === 0 ? '1' : 'unasked'}`);
  } catch (error) {
    if (error instanceof Problem && (error.status === 412 || error.status === 409)) {
      const current = await findHost(call, host.id);
      return shown(call, error.status, current, { fields: fieldsOf(current.settings), told: error.message, typed: fields });
    }
    return shown(call, 422, host, { fields, faults: faultsOf(error), revision });
  }
};

type Shown = Pick<SettingsPage, 'fields' | 'told' | 'typed'> & Partial<Pick<SettingsPage, 'faults' | 'revision'>>;

async function shown(
  call: SignedCall,
  statusCode: number,
  host: Host,
  { faults = {}, revision = host.revision, ...more }: Shown,
): Promise<Answer> {
  const { unconfirmed, stopped } = await recipientsOf(call, host);
  const secret = host.settings.webhook === undefined ? undefined : webhookSecret(call.secrets, host.id);
  return page(
    statusCode,
    settingsPage({ visitor: call.visitor, host, faults, revision, unconfirmed, stopped, secret, probePorts: call.probePorts, ...more }),
  );
}

/** `POST /hosts/{id}/domains`: adds domains to those that it takes mail for. */
export const addDomains: SignedVerb = async (call) => {
  const host = await findHost(call, pathOf(call, 'id'));
  const servedDomains = [...new Set([...host.settings.servedDomains, ...readForm(call).getAll('domain')])];
  return acted(call, host, () => changeDomains(call, host, servedDomains), '/settings?saved=1');
};

async function changeDomains(call: SignedCall, { id, revision }: Host, servedDomains: readonly string[]): Promise<void> {
  const read = changeHostRequest.safeParse({ servedDomains });
  if (!read.success) throw new Problem(422, inWords(faultsIn(read.error, { servedDomains })));
  await changeHost(call, id, read.data, (current) => {
    if (current.revision !== revision) throw new Problem(409, 'Its settings were changed at the same time. Try again.');
  });
}

/** `GET /hosts/{id}/delete` */
export const askDelete: SignedVerb = async (call) => page(200, deletePage(call.visitor, await findHost(call, pathOf(call, 'id'))));

/** `POST /hosts/{id}/delete`: with the name of the host typed. */
export const deleteHost: SignedVerb = async (call) => {
  const host = await findHost(call, pathOf(call, 'id'));
  const typed = (readForm(call).get('confirm') ?? '').trim().toLowerCase();
  if (typed !== host.settings.name) return page(422, deletePage(call.visitor, host, `Type ${host.settings.name} to confirm.`));
  await removeHost(call, host.id);
  return seeOther('/hosts');
};
