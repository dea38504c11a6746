import type { Verdict } from '../../../shared/domain/reason.ts';
import type { Namespace } from './namespace.ts';
import type { Letter } from './stranger.ts';

/** A mail server under one configuration, running. */
export type RunningMta = { readonly address: string; stop(): Promise<void> };

/**
 * One configuration of a real mail server. Mail for `canary.example` and the names below it that the server relays
 * is handed to the sink at port 25 of our end of the namespace; mail for `served.example` is its own.
 */
export type MtaCase = {
  /** What it does, as the end of a sentence: `relays for senders at the served domain only`, `takes u%x for a local user`. */
  readonly rule: string;
  readonly truth: 'open' | 'closed';
  /** What an audit may say of it, where that is not `open` or `closed`, as its truth is: what cannot be told apart from outside. */
  readonly told?: readonly Verdict[];
  /** For an open one: an envelope that gets to the sink, sent by a stranger. */
  readonly proof?: Letter;
  /** For one that limits a stranger by time: how long to leave it alone before it is asked again, in milliseconds. */
  readonly betweenMs?: number;
  /** The ports that its owner has audited, where those are not 25, 465 and 587. */
  readonly ports?: readonly number[];
  /** Starts it on the n-th address of the namespace. */
  readonly start: (namespace: Namespace, n: number) => Promise<RunningMta>;
};
