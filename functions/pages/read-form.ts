import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { readTarget, type Target } from '../../shared/domain/host-name.ts';
import { messagePage } from '../../shared/pages/message.ts';
import { type Answer, baseUrlOf, type Call, page } from './call.ts';

const BODY_LIMIT = 16 * 1024; // bytes; the largest settings, every character of them escaped, have under 8 KiB

/** A target as it was sent, or the end of the sentence that says what is wrong with it. */
export type Read = { readonly kind: 'read'; readonly text: string; readonly target: Target } | Wrong;
type Wrong = { readonly kind: 'wrong'; readonly text: string; readonly why: string };

/** Refuses a request that does not come from one of our forms; undefined when it does. */
export function refusalOf(call: Call): Answer | undefined {
  const { event } = call;
  if (isForeign(call))
    return page(403, messagePage('Not from this page', 'This form was sent from another site. Open it here and send it again.'));
  if (!/^application\/x-www-form-urlencoded(;|$)/i.test(event.headers['content-type'] ?? ''))
    return page(415, messagePage('Not a form', 'Send the fields of the form as application/x-www-form-urlencoded.'));
  if (bodyOf(event).length > BODY_LIMIT)
    return page(413, messagePage('Too long', 'That is longer than anything the form takes. Go back and look at what you entered.'));
  return undefined;
}

/** The fields of the form. */
export function readForm({ event }: Pick<Call, 'event'>): URLSearchParams {
  return new URLSearchParams(bodyOf(event).toString('utf8'));
}

/** A field of the form; undefined when it is missing, or comes more than once. */
export function fieldOf(event: APIGatewayProxyEventV2, name: string): string | undefined {
  const [value, ...more] = readForm({ event }).getAll(name);
  return more.length === 0 ? value : undefined;
}

/** Reads the field `target`. */
export function readTargetField(event: APIGatewayProxyEventV2): Read {
  const text = (fieldOf(event, 'target') ?? '').trim();
  const wrong = (why: string): Wrong => ({ kind: 'wrong', text, why });
  if (text === '') return wrong('is missing; enter one address or one name');
  const target = readTarget(text);
  if (target.kind !== 'invalid') return { kind: 'read', text, target };
  return wrong(text.includes(':') ? 'must be a name or an address alone, without a port or anything else' : target.why);
}

// A page elsewhere should not use up its reader's budget, or speak for them. The browser
// itself says where a form comes from: by Sec-Fetch-Site, older ones by Origin (which a strict referrer policy makes "null").
function isForeign(call: Call): boolean {
  const { headers } = call.event;
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site !== 'same-origin';
  return headers.origin !== undefined && ![headers.host, hostOf(baseUrlOf(call))].includes(hostOf(headers.origin));
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'none';
}

function bodyOf(event: APIGatewayProxyEventV2): Buffer {
  return Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8');
}
