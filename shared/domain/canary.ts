/**
 * A message of ours on its way through a host under test, written down before it is sent. `recipient` is the envelope
 * recipient without brackets that it must come back to; `leg` and `test` say by which way and envelope it was sent.
 * `from` is the envelope's sender without brackets, empty when that is nobody. `mailboxes` are those that all messages of ours
 * through the host go to: a server may keep the text of one and deliver it to the recipient of another.
 */
export type Canary = {
  readonly id: string;
  readonly accountId: string;
  readonly hostId: string;
  readonly scanId: string;
  readonly leg: string;
  readonly test: string;
  readonly recipient: string;
  readonly from?: string | undefined;
  readonly mailboxes?: Mailboxes | undefined;
  readonly sentAt: number;
};

/** Our mailboxes: every local part that begins with `prefix`, at `domain` and every name below it. */
export type Mailboxes = { readonly prefix: string; readonly domain: string };

/** One Received header: who handed the message over (`from`, with the address that the receiver saw), and who took it (`by`). */
export type Hop = { readonly from?: string | undefined; readonly address?: string | undefined; readonly by?: string | undefined };

/** A canary that came back: the proof of an open relay. `path` is the way it took, newest hop first, as its Received headers say. */
export type Arrival = {
  readonly canary: string;
  readonly leg: string;
  readonly test: string;
  readonly sentAt: number;
  readonly at: number;
  readonly path: readonly Hop[];
};

/** The arrival of a canary: what is known of its sending, and when and by which way it came. */
export function arrivalOf({ id, leg, test, sentAt }: Canary, { at, path }: Pick<Arrival, 'at' | 'path'>): Arrival {
  return { canary: id, leg, test, sentAt, at, path };
}

/**
 * A canary that the server took and then bounced to the sender that we gave: it could not deliver it, so it will not come back. `by` is
 * who reports so, where the bounce says it.
 */
export type Bounce = {
  readonly canary: string;
  readonly leg: string;
  readonly test: string;
  readonly sentAt: number;
  readonly at: number;
  readonly by?: string | undefined;
};

/** The bounce of a canary: what is known of its sending, and when and by whom it was bounced. */
export function bounceOf({ id, leg, test, sentAt }: Canary, { at, by }: Pick<Bounce, 'at' | 'by'>): Bounce {
  return { canary: id, leg, test, sentAt, at, by };
}

/** What became of the canaries of a scan, as far as it is known, in the order in which it came to be. A canary may be in both lists. */
export type Returns = { readonly arrivals: readonly Arrival[]; readonly bounces: readonly Bounce[] };

/** Whether anything came back at all. */
export function isAny({ arrivals, bounces }: Returns): boolean {
  return arrivals.length > 0 || bounces.length > 0;
}
