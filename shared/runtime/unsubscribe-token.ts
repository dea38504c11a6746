import * as z from 'zod';
import type { Secrets } from './secrets.ts';

/** Whose mail a reader wants no more. */
export type Subscription = { readonly accountId: string; readonly email: string };

const MAC_BYTES = 16; // 128 bits
const FORM = /^ru1\.([\w-]+)\.([\w-]+)$/;
const shape = z.object({ accountId: z.string(), email: z.string() });

/** Makes the token of an unsubscribe link: `ru1.<whose mail, to whom>.<code>`. It stays good: old mails are unsubscribed from too. */
export function sealSubscription(secrets: Secrets, { accountId, email }: Subscription): string {
  const encoded = Buffer.from(JSON.stringify({ accountId, email })).toString('base64url');
  return `ru1.${encoded}.${secrets.mac('unsubscribe', encoded, MAC_BYTES)}`;
}

/** Reads a token as a reader's mail program sent it; undefined when it is not one that this deployment made. */
export function readSubscription(secrets: Secrets, text: string): Subscription | undefined {
  const [, encoded = '', code = ''] = FORM.exec(text) ?? [];
  if (encoded === '' || !secrets.verify('unsubscribe', encoded, code, MAC_BYTES)) return undefined;
  return shape.parse(JSON.parse(Buffer.from(encoded, 'base64url').toString()));
}
