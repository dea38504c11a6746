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

/** What a webhook is sent. */
export type WebhookMessage = { readonly body: string; readonly headers: Readonly<Record<string, string>> };

/** What came of a call. `why` is for the owner of the webhook to read. */
export type WebhookCall = { readonly kind: 'taken'; readonly status: number } | { readonly kind: 'refused'; readonly why: string };

const TIME_LIMIT_MS = 10_000; // for the whole call, DNS included
const TURN_MS = 4_000; // of one address, until a session stands, so that the next one still has its turn
const ADDRESSES_TRIED = 2;
const ANSWER_LIMIT_BYTES = 64 * 1024; // of which nothing but the status is used; P7

/**
 * Calls a webhook once: HTTPS, to public addresses only, certificates verified, no redirects. The addresses that were checked
 * are those that are dialled, and one that is not public among them refuses the host, as for probes. Nothing that the receiver, its
 * name servers or its network do makes it throw, or keeps it beyond ten seconds. How long it takes tells of networks: who waits for
 * it must not let others see when it ended.
 */
export async function postToWebhook(url: string, message: WebhookMessage, door: WebhookDoor): Promise<WebhookCall> {
  const read = readWebhookUrl(url);
  if ('wrong' in read) return refused(read.wrong);
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(), TIME_LIMIT_MS);
  try {
    const addresses = await Promise.race([addressesOf(read, door), slowness(over.signal)]);
    for (const address of addresses.slice(0, ADDRESSES_TRIED)) {
      const call = door.isVetoed(address.text) ? undefined : () => post(address, read, message, door, over.signal);
      const answer = await turnOf(call, over.signal);
      if (answer !== undefined) return answer;
    }
    return refused(NO_SESSION);
  } finally {
    clearTimeout(timer);
  }
}

function slowness(over: AbortSignal): Promise<readonly Address[]> {
  return new Promise((resolve) => over.addEventListener('abort', () => resolve([]), { once: true }));
}

// The addresses that may be called, if not that of the never-list; none when one of them may not.
async function addressesOf({ target }: WebhookUrl, door: WebhookDoor): Promise<readonly Address[]> {
  if (target.kind === 'address') return isPublic(target.address, door) ? [target.address] : [];
  if (door.isVetoed(target.name)) return [];
  const found = await door.lookups.addresses(target.name);
  return found.kind === 'found' && found.values.every((address) => isPublic(address, door)) ? found.values : [];
}

function isPublic(address: Address, { operatorNetworks }: WebhookDoor): boolean {
  return operatorNetworks.some((network) => contains(network, address)) || forbiddenBecause(address) === undefined;
}

/**
 * The turn of one address: an answer once a session with a valid certificate stood, otherwise none, and never before its time is over.
 * Whoever has a name lead to a stranger's address first and to an own one second would learn from an earlier call at the second
 * what the first has done. The same goes for an address that is not called at all, for it is on the never-list.
 */
function turnOf(start: (() => ClientRequest) | undefined, over: AbortSignal): Promise<WebhookCall | undefined> {
  return new Promise((resolve) => {
    const call = start?.();
    const end = () => {
      stop();
      resolve(undefined);
      call?.destroy();
    };
    const turn = setTimeout(end, TURN_MS);
    const stop = () => {
      clearTimeout(turn);
      over.removeEventListener('abort', end);
    };
    over.addEventListener('abort', end);
    if (call !== undefined) listen(call, stop, resolve);
  });
}

function post(
  address: Address,
  { target, port, path }: WebhookUrl,
  { body, headers }: WebhookMessage,
  { ca }: WebhookDoor,
  over: AbortSignal,
): ClientRequest {
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
  return call;
}

// The status decides, as soon as it is here. What follows it is read to its end or to the limit, and dropped: some receivers
// give up what they were asked to do when their caller leaves before they have answered.
function listen(call: ClientRequest, secured: () => void, resolve: (answer: WebhookCall) => void): void {
  let secure = false;
  let answer: WebhookCall | undefined;
  let answerBytes = 0;
  const settle = (why: string) => {
    if (secure) resolve(answer ?? refused(why));
  };
  call.once('socket', (socket) => {
    socket.once('secureConnect', () => {
      secure = true; // its certificate was verified: others give an error instead
      secured();
    });
    socket.on('data', (bytes: Buffer) => {
      answerBytes += bytes.length;
      if (answerBytes > ANSWER_LIMIT_BYTES) call.destroy(Object.assign(new Error(), { code: 'ANSWER_TOO_LONG' }));
    });
  });
  call.on('error', (error: NodeJS.ErrnoException) => settle(whyFailed(error)));
  call.once('response', (response) => {
    const settled = answerOf(response.statusCode ?? 0);
    answer = settled;
    response.on('error', () => {});
    response.once('close', () => resolve(settled));
    response.resume();
  });
  // After an upgrade that nobody asked for there is neither an answer nor an error.
  call.once('close', () => settle('it ended the connection without an answer'));
}

function answerOf(status: number): WebhookCall {
  if (status >= 200 && status < 300) return { kind: 'taken', status };
  const redirect = status >= 300 && status < 400 ? ', a redirect, which is not followed: give the address that it leads to' : '';
  return refused(`it answered ${status}${redirect}`);
}

// Whoever names a host that is not theirs must not learn of it which ports are open, what answers there, where its name leads, or
// that it is on the never-list.
const NO_SESSION = 'no HTTPS session with a public address of it, under a certificate that is valid for it, came about';

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

function refused(why: string): WebhookCall {
  return { kind: 'refused', why };
}
