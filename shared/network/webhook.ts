import { request } from 'node:https';
import { type Address, contains, type Network } from '../domain/address.ts';
import { readWebhookUrl, type WebhookUrl } from '../domain/webhook-url.ts';
import type { Lookups } from './lookups.ts';
import { forbiddenBecause } from './target-policy.ts';

/** What a call to a webhook goes by. */
export type WebhookDoor = {
  readonly lookups: Pick<Lookups, 'addresses'>;
  readonly operatorNetworks: readonly Network[];
  /** Whether the operator's never-list covers a name or an address. */
  readonly isVetoed: (target: string) => boolean;
  /** Certificates to trust instead of those of the machine, in PEM. */
  readonly ca?: string | undefined;
};

/** What came of a call. `why` is for the owner of the webhook to read. */
export type WebhookCall = { readonly kind: 'taken'; readonly status: number } | { readonly kind: 'refused'; readonly why: string };

const TIME_LIMIT_MS = 10_000; // for the whole call
const ADDRESSES_TRIED = 2; // the next one only when no connection came about

/**
 * Calls a webhook once: HTTPS, to public addresses only, certificates verified, no redirects. The addresses that were checked
 * are those that are dialled, and one bad one among them refuses the host, as for probes. Nothing that the receiver, its name
 * servers or its network do makes it throw.
 */
export async function postToWebhook(url: string, body: string, headers: Record<string, string>, door: WebhookDoor): Promise<WebhookCall> {
  const read = readWebhookUrl(url);
  if ('wrong' in read) return refused(read.wrong);
  const found = await addressesOf(read, door);
  if ('why' in found) return found;
  const deadline = Date.now() + TIME_LIMIT_MS;
  let answer: Answer = refused('its name has no address');
  for (const address of found.addresses.slice(0, ADDRESSES_TRIED)) {
    answer = await post(address, read, body, headers, door, deadline);
    if (answer.kind === 'taken' || answer.connected === true) break;
  }
  return answer.kind === 'taken' ? answer : refused(answer.why);
}

type Refused = { readonly kind: 'refused'; readonly why: string; readonly connected?: boolean };
type Answer = { readonly kind: 'taken'; readonly status: number } | Refused;

async function addressesOf({ target }: WebhookUrl, door: WebhookDoor): Promise<{ addresses: readonly Address[] } | Refused> {
  if (target.kind === 'address') return checked([target.address], door);
  if (door.isVetoed(target.name)) return refused('nothing is sent to this name: its operator has asked for it');
  const found = await door.lookups.addresses(target.name);
  if (found.kind === 'trouble') return refused('DNS did not say which addresses it has');
  if (found.kind === 'absent') return refused('its name has no address');
  return checked(found.values, door);
}

function checked(addresses: readonly Address[], { operatorNetworks, isVetoed }: WebhookDoor): { addresses: readonly Address[] } | Refused {
  for (const address of addresses) {
    if (isVetoed(address.text)) return refused(`nothing is sent to ${address.text}: its operator has asked for it`);
    if (operatorNetworks.some((network) => contains(network, address))) continue;
    const why = forbiddenBecause(address);
    if (why !== undefined) return refused(`it must be public: ${why}`);
  }
  return { addresses };
}

function post(
  address: Address,
  { target, port, path }: WebhookUrl,
  body: string,
  headers: Record<string, string>,
  { ca }: WebhookDoor,
  deadline: number,
): Promise<Answer> {
  const name = target.kind === 'name' ? target.name : target.address.family === 6 ? `[${target.address.text}]` : target.address.text;
  return new Promise((resolve) => {
    let connected = false;
    const call = request({
      method: 'POST',
      host: address.text,
      port,
      path,
      family: address.family,
      agent: false,
      signal: AbortSignal.timeout(Math.max(1, deadline - Date.now())),
      ...(target.kind === 'name' ? { servername: target.name } : {}),
      ...(ca === undefined ? {} : { ca }),
      headers: {
        ...headers,
        host: port === 443 ? name : `${name}:${port}`,
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        'user-agent': 'Relay-Audit-Webhook',
      },
    });
    call.once('socket', (socket) => socket.once('connect', () => (connected = true)));
    call.on('error', (error: NodeJS.ErrnoException) => resolve({ ...refused(whyFailed(error)), connected }));
    call.once('response', (response) => {
      resolve(answerOf(response.statusCode ?? 0));
      response.on('error', () => {});
      response.destroy(); // what it says besides is nobody's to read
    });
    call.end(body);
  });
}

function answerOf(status: number): Answer {
  if (status >= 200 && status < 300) return { kind: 'taken', status };
  const redirect = status >= 300 && status < 400 ? ', a redirect, which is not followed: give the address that it leads to' : '';
  return { ...refused(`it answered ${status}${redirect}`), connected: true };
}

function whyFailed({ name, code = '' }: NodeJS.ErrnoException): string {
  if (name === 'TimeoutError' || name === 'AbortError') return `it took longer than ${TIME_LIMIT_MS / 1000} seconds`;
  if (code === 'ECONNREFUSED') return 'it refused the connection';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'its certificate is for another name';
  if (code === 'CERT_HAS_EXPIRED') return 'its certificate has expired';
  if (/CERT|SIGNATURE|ISSUER/.test(code)) return 'its certificate is signed by nobody that we know';
  return `the connection failed (${/^[A-Z_]{3,40}$/.test(code) ? code : 'unknown'})`;
}

function refused(why: string): Refused {
  return { kind: 'refused', why };
}
