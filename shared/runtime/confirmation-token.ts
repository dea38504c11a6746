import * as z from 'zod';
import { newId } from './ids.ts';
import type { Secrets } from './secrets.ts';

/** What the owner of a mail address is asked to confirm: that they want an account, or the alerts of somebody's account. */
export type Confirmation =
  | { readonly kind: 'account'; readonly email: string }
  | { readonly kind: 'recipient'; readonly email: string; readonly accountId: string };

/** A confirmation as its token holds it. `nonce` names the token, so that it can be used once; `expires` is in epoch milliseconds. */
export type SealedConfirmation = Confirmation & { readonly nonce: string; readonly expires: number };

/** What a token turned out to be. */
export type ReadConfirmation =
  | { readonly kind: 'good'; readonly confirmation: SealedConfirmation }
  | { readonly kind: 'unreadable' }
  | { readonly kind: 'expired' };

/** How long a link is good for: a day, so that a mail that greylisting holds up or that is read in the evening still serves. */
export const CONFIRMATION_HOURS = 24;

const HOUR_MS = 60 * 60_000;
const MAC_BYTES = 16; // 128 bits
const FORM = /^ra1\.([\w-]+)\.([\w-]+)$/;

const sealed = { email: z.string(), nonce: z.string(), expires: z.int() };
const payloadShape = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('account'), ...sealed }),
  z.object({ kind: z.literal('recipient'), accountId: z.string(), ...sealed }),
]);

/**
 * Makes the token of a confirmation mail: `ra1.<what is confirmed>.<code>`, in characters that a URL takes as they are. `1`
 * names the secret of the deployment that it hangs on. It needs no place in the table until it is used, so asking for mails fills nothing.
 */
export function sealConfirmation(secrets: Secrets, confirmation: Confirmation, now: number): string {
  const payload = { ...confirmation, nonce: newId(), expires: now + CONFIRMATION_HOURS * HOUR_MS };
  const encoded = Buffer.from(JSON.stringify(payload)).toString('base64url');
  return `ra1.${encoded}.${secrets.mac('confirmation', encoded, MAC_BYTES)}`;
}

/** Reads a token as a caller sent it; `unreadable` when it is not one that this deployment made. Whether it was used is for the store to say. */
export function readConfirmation(secrets: Secrets, text: string, now: number): ReadConfirmation {
  const [, encoded = '', code = ''] = FORM.exec(text) ?? [];
  if (encoded === '' || !secrets.verify('confirmation', encoded, code, MAC_BYTES)) return { kind: 'unreadable' };
  const confirmation = payloadShape.parse(JSON.parse(Buffer.from(encoded, 'base64url').toString()));
  return confirmation.expires <= now ? { kind: 'expired' } : { kind: 'good', confirmation };
}
