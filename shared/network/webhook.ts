import type { ClientRequest } from 'node:http';
import { request } from 'node:https';
import { type Address, contains, type Network } from '../domain/address.ts';
import { readWebhookUrl, type WebhookUrl } from '../domain/webhook-url.ts';
import type { Lookups } from './lookups.ts';
import { forbiddenBecause } from './target-policy.ts';

/** What a call to a webhook goes by. */
export type WebhookDoor = {
  readonly lookups: Pick<Lookups, 'addresses'>;
  /** Networks of the operator that its account may have called though they are not public. */
  readonly operatorNetworks: readonly Network[];
  /** Whether the operator's never-list covers a name or an address. */
  readonly isVetoed: (target: string) => boolean;
  /** Certificates to trust instead of those of the machine, in PEM. */
  readonly ca?: string | undefined;
};

/** What came of a call. `why` is for the owner of the webhook to read. */
export type WebhookCall = { readonly kind: 'taken'; readonly status: number } | { readonly kind: 'refused'; readonly why: string };

const TIME_LIMIT_MS = 10_000; // for the whole call, DNS included
const CONNECT_LIMIT_MS = 4_000; // to one address, so that the next one still has its turn
const ADDRESSES_TRIED = 2; // the next one only when no connection came about
const ANSWER_LIMIT_BYTES = 64 * 1024; // of which nothing but the status is used; P7

/**
 * Calls a webhook once: HTTPS, to public addresses only, certificates verified, no redirects. The addresses that were checked
 * are those that are dialled, and one bad one among them refuses the host, as for probes. Nothing that the receiver, its name
 * servers or its network do makes it throw, or keeps it beyond ten seconds.
 */
export async function postToWebhook(url: string, body: string, headers: Record<string, string>, door: WebhookDoor): Promise<WebhookCall> {
  const read = readWebhookUrl(url);
  if ('wrong' in read) return refused(read.wrong);
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(), TIME_LIMIT_MS);
  try {
    const found = await Promise.race([addressesOf(read, door), slowness(over.signal)]);
    if ('why' in found) return found;
    let answer: Answer = refused('its name has no address');
    for (const address of found.addresses.slice(0, ADDRESSES_TRIED)) {
      answer = await post(address, read, body, headers, door, over.signal);
      if (answer.kind === 'taken' || answer.connected === true || over.signal.aborted) break;
    }
    return answer.kind === 'taken' ? answer : refused(answer.why);
  } finally {
    clearTimeout(timer);
  }
}

type Refused = { readonly kind: 'refused'; readonly why: string; readonly connected?: boolean };
type Answer = { readonly kind: 'taken'; readonly status: number } | Refused;

function slowness(over: AbortSignal): Promise<Refused> {
  return new Promise((resolve) => over.addEventListener('abort', () => resolve(refused('DNS took too long')), { once: true }));
}

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
  over: AbortSignal,
): Promise<Answer> {
  const name = target.kind === 'name' ? target.name : target.address.family === 6 ? `[${target.address.text}]` : target.address.text;
  const call = request({
    method: 'POST',
    host: address.text,
    port,
    path,
    family: address.family,
    agent: false, // one connection for one call: no keep-alive, no TLS session kept, no proxy of the environment
    rejectUnauthorized: true, // whatever NODE_TLS_REJECT_UNAUTHORIZED says
    signal: over,
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
  call.end(body);
  return answerTo(call);
}

// The status decides, as soon as it is here. What follows it is read to its end or to the limit, and dropped: some receivers
// give up what they were asked to do when their caller leaves before they have answered.
function answerTo(call: ClientRequest): Promise<Answer> {
  return new Promise((resolve) => {
    let connected = false;
    let secure = false;
    let answer: Answer | undefined;
    let answerBytes = 0;
    const slow = setTimeout(() => call.destroy(failure('ETIMEDOUT')), CONNECT_LIMIT_MS);
    call.once('socket', (socket) => {
      socket.once('connect', () => {
        connected = true;
        clearTimeout(slow);
      });
      socket.once('secureConnect', () => {
        secure = true; // its certificate was verified: others give an error instead
      });
      socket.on('data', (bytes: Buffer) => {
        answerBytes += bytes.length;
        if (answerBytes > ANSWER_LIMIT_BYTES) call.destroy(failure('ANSWER_TOO_LONG'));
      });
    });
    call.on('error', (error: NodeJS.ErrnoException) =>
      resolve(answer ?? { ...refused(secure ? whyFailed(error) : NOT_SECURE), connected }),
    );
    call.once('response', (response) => {
      const settled = answerOf(response.statusCode ?? 0);
      answer = settled;
      response.on('error', () => {});
      response.once('close', () => resolve(settled));
      response.resume();
    });
    // After an upgrade that nobody asked for there is neither an answer nor an error.
    call.once('close', () => {
      clearTimeout(slow);
      resolve(answer ?? { ...refused(secure ? 'it ended the connection without an answer' : NOT_SECURE), connected });
    });
  });
}

function answerOf(status: number): Answer {
  if (status >= 200 && status < 300) return { kind: 'taken', status };
  const redirect = status >= 300 && status < 400 ? ', a redirect, which is not followed: give the address that it leads to' : '';
  return { ...refused(`it answered ${status}${redirect}`), connected: true };
}

// Whoever names a host that is not theirs must not learn of it which ports are open, or what answers there.
const NOT_SECURE = 'no HTTPS session with a certificate that is valid for it came about';

const FAILURES: readonly (readonly [RegExp, string])[] = [
  [/^ABORT_ERR$/, `it took longer than ${TIME_LIMIT_MS / 1000} seconds`],
  [/^ANSWER_TOO_LONG$/, 'it went on talking without an answer'],
  [/^ECONNRESET$|^EPIPE$/, 'it ended the connection without an answer'],
  [/^HPE_/, 'its answer is not HTTP that we can read'],
];

function whyFailed({ code = '' }: NodeJS.ErrnoException): string {
  const known = FAILURES.find(([form]) => form.test(code));
  return known?.[1] ?? `the connection failed (${/^[A-Z0-9_]{3,40}$/.test(code) ? code : 'unknown'})`;
}

function failure(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(code), { code });
}

function refused(why: string): Refused {
  return { kind: 'refused', why };
}
