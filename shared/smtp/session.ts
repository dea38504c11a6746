import type { Software } from '../domain/remedies.ts';
import type { Contact, TestResult, TlsFacts, Transport } from '../domain/scan.ts';
import type { Command } from './command.ts';
import type { Reply } from './reply.ts';

/** What the dialogue wants next: a reply without saying anything, commands or a message to be sent, or the connection put inside TLS. */
export type Step =
  | { readonly kind: 'listen' }
  | { readonly kind: 'say'; readonly commands: readonly Command[] }
  | { readonly kind: 'send'; readonly message: string }
  | { readonly kind: 'secure' };

/** How a connection ended under a dialogue. `silent`: no reply came in the time that one may take. `out-of-time`: our own time was over. */
export type End = 'closed' | 'silent' | 'out-of-time' | 'not-smtp' | 'too-much' | 'tls-failed';

/**
 * How a session was cut short: by the end of the connection; by a 421 (RFC 5321 §3.8); by a limit of the server's; `spent`: it takes
 * nothing more in this session, and may in another.
 */
export type Cut = End | '421' | 'limit' | 'spent';

/** What came back: a reply and how long it was waited for (milliseconds), TLS with what was dropped in front of it, or the end of the connection. */
export type Heard =
  | { readonly kind: 'reply'; readonly reply: Reply; readonly waitedMs?: number | undefined }
  | { readonly kind: 'secured'; readonly tls: TlsFacts; readonly injected?: string | undefined }
  | { readonly kind: 'end'; readonly end: End; readonly why?: string | undefined };

/** One envelope of a session: its name in the results, and its recipient as it goes over the wire. */
export type Recipient = { readonly id: string; readonly to: string };

/** MAIL and its RCPTs, and with one recipient a canary to go through to the final dot. */
export type Transaction = {
  readonly ehlo: string;
  readonly from: string;
  readonly recipients: readonly Recipient[];
  /** A recipient of the server's own in the same transaction, before ours or behind; its answer is nobody's result. */
  readonly beside?: { readonly to: string; readonly first: boolean } | undefined;
  readonly canary?: { readonly id: string; readonly message: string } | undefined;
};

/** What a server says of itself first. */
export type Greeting = {
  readonly name?: string | undefined;
  readonly software?: Software | undefined;
  /** How long it kept us waiting for it; milliseconds. */
  readonly afterMs?: number | undefined;
};

/** What one session is to do. */
export type Errand = {
  readonly ourName: string;
  /** Our own sender, as it goes over the wire. */
  readonly ourSender: string;
  readonly transport: Transport;
  /** Claim to be another client by XCLIENT first. */
  readonly xclient: boolean;
  /** Group no commands before a sender was accepted. */
  readonly cautious: boolean;
  /** Ask for HELP before we go, since nothing else told what the server is. */
  readonly help: boolean;
  /** With how many messages taken the session is done. */
  readonly enough: number;
  /** The transactions, once the server has greeted: which limits it has depends on what it is. */
  readonly choose: (greeting: Greeting) => readonly Transaction[];
};

/** What one session showed. `cutShort` says how it ended when it did not end by our QUIT. */
export type SessionEvidence = {
  readonly contact: Contact;
  readonly results: readonly TestResult[];
  readonly cutShort?: Cut | undefined;
  readonly greeting: Greeting;
  /** What EHLO offered; undefined when neither EHLO nor HELO was accepted. */
  readonly keywords?: readonly string[] | undefined;
  readonly tls?: TlsFacts | undefined;
  readonly injected?: string | undefined;
  /** The first line of the answer to EHLO, where servers say whom they take us for. */
  readonly hello?: string | undefined;
  /** The server takes one EHLO a session. */
  readonly oneName?: boolean | undefined;
  /** It does not take RSET. */
  readonly noReset?: boolean | undefined;
  /** A limit of its own kept it from answering some of what it was asked. */
  readonly limited?: boolean | undefined;
  /** The first envelope, where its limit came before any answer. */
  readonly limitedAt?: string | undefined;
  /** It took no further sender after a null one. */
  readonly spentByNull?: boolean | undefined;
  /** Ids of the envelopes at which it closed the connection or ended the session, where it did. */
  readonly closedAt?: readonly string[] | undefined;
  /** What went wrong with TLS, where it could not be set up. */
  readonly tlsError?: string | undefined;
  /** How long its refusals kept us waiting on average; milliseconds. */
  readonly refusalMs?: number | undefined;
};

/** Whether EHLO offered an extension. */
export function offers(keywords: readonly string[] | undefined, extension: string): boolean {
  return keywords?.some((line) => line.split(' ')[0] === extension) ?? false;
}
