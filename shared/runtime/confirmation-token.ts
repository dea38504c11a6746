import * as z from 'zod';
import { newId } from './ids.ts';
import type { Secrets } from './secrets.ts';

/**
 * What the owner of a mail address is asked to confirm: that they want an account, the alerts of somebody's account, or to sign in (and go
 * on to the page `to`).
 */
export type Confirmation =
  | { readonly kind: 'account'; readonly email: string }
  | { readonly kind: 'recipient'; readonly email: string; readonly accountId: string }
  | { readonly kind: 'sign-in'; readonly email: string; readonly to?: string | undefined };

/**
 * A confirmation as its token holds it. `nonce` names the token, so that it can be used once; `expires` is in epoch milliseconds; `cause`
 * is who asked for it.
 */
export type SealedConfirmation = Confirmation & { readonly nonce: string; readonly expires: number; readonly cause?: string | undefined };

/** What a token turned out to be. */
export type ReadConfirmation =
  | { readonly kind: 'good'; readonly confirmation: SealedConfirmation }
  | { readonly kind: 'unreadable' }
  | { readonly kind: 'expired'; readonly confirmation: SealedConfirmation };

/** How long a link is good for: a day, so that a mail that greylisting holds up or that is read in the evening still serves. */
export const CONFIRMATION_HOURS = 24;

/** How long a link to sign in is good for: it opens an account, and who asks for it waits for it. */
export const SIGN_IN_MINUTES = 15;

const MINUTE_MS = 60_000;
const LIFETIME_MS: Readonly<Record<Confirmation['kind'], number>> = {
  account: CONFIRMATION_HOURS * 60 * MINUTE_MS,
  recipient: CONFIRMATION_HOURS * 60 * MINUTE_MS,
  'sign-in': SIGN_IN_MINUTES * MINUTE_MS,
};
const MAC_BYTES = 16; // 128 bits
const FORM = /^ra1\.([\w-]+)\.([\w-]+)$/;

const sealed = { email: z.string(), nonce: z.string(), expires: z.int(), cause: z.string().optional() };
const payloadShape = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('account'), ...sealed }),
  z.object({ kind: z.literal('recipient'), accountId: z.string(), ...sealed }),
  z.object({ kind: z.literal('sign-in'), to: z.string().optional(), ...sealed }),
]);

/**
 * Makes the token of a confirmation mail: `ra1.<what is confirmed>.<code>`, in characters that a URL takes as they are. `1`
 * names the secret of the deployment that it hangs on. It needs no place in the table until it is used, so asking for mails fills nothing.
 */
export function sealConfirmation(secrets: Secrets, confirmation: Confirmation, now: number, cause?: string): string {
  const payload = { ...confirmation, nonce: newId(), expires: now + LIFETIME_MS[confirmation.kind], cause };
  const encoded = Buffer.from(JSON.stringify(payload)).toString('base64url');
  return `ra1.${encoded}.${secrets.mac('confirmation', encoded, MAC_BYTES)}`;
}

/** Reads a token as a caller sent it; `unreadable` when it is not one that this deployment made. Whether it was used is for the store to say. */
export function readConfirmation(secrets: Secrets, text: string, now: number): ReadConfirmation {
  const [, encoded = '', code = ''] = FORM.exec(text) ?? [];
  if (encoded === '' || !secrets.verify('confirmation', encoded, code, MAC_BYTES)) return { kind: 'unreadable' };
  const confirmation = payloadShape.parse(JSON.parse(Buffer.from(encoded, 'base64url').toString()));
  return { kind: confirmation.expires <= now ? 'expired' : 'good', confirmation };
}

/** When a confirmation was made, in epoch milliseconds. */
export function issuedAt({ kind, expires }: Pick<SealedConfirmation, 'kind' | 'expires'>): number {
  return expires - LIFETIME_MS[kind];
}
