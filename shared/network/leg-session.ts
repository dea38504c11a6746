import type { Canary } from '../domain/canary.ts';
import type { Contact, LegCosts, LegEvidence, TlsFacts, Transport } from '../domain/scan.ts';
import { legName } from '../domain/verdict.ts';
import { writeCanary } from '../smtp/canary-message.ts';
import { converse } from '../smtp/dialogue.ts';
import { type Cast, ownSender } from '../smtp/envelope-forms.ts';
import type { NextSession, Scope } from '../smtp/plan.ts';
import type { SessionEvidence, Transaction } from '../smtp/session.ts';
import { newTranscript, type Transcript } from '../smtp/transcript.ts';
import { type AskAtDial, connect, secure, type TlsLevel } from './connect.ts';
import { type Ran, runSession } from './session.ts';
import type { PermittedAddress } from './target-policy.ts';

/**
 * Time limits of a probe, in milliseconds. `replyMs` is what one reply may take, `pauseMs` the wait before a server that shook us off is
 * tried again.
 */
export type ProbeLimits = {
  readonly connectMs: number;
  readonly replyMs: number;
  readonly sessionMs: number;
  readonly sittingMs: number;
  readonly pauseMs: number;
};

/** P7: at most 90 s a session and a sitting. Courier takes 27 s for a refusal, and servers that shake off spammers greet after 15 s and more. */
export const PROBE_LIMITS: ProbeLimits = { connectMs: 15_000, replyMs: 45_000, sessionMs: 90_000, sittingMs: 90_000, pauseMs: 1_000 };

/** Hears how far a leg has come: tests answered, whatever the answer, of those planned. */
export type OnProgress = (progress: { readonly leg: string; readonly answered: number; readonly planned: number }) => void;

/** A canary written down as expected, whose message may be sent now. */
export type ExpectedCanary = { readonly id: string; readonly token: string };

/** Writes down that a canary is about to be sent in this way; undefined when no more may be sent. */
export type ExpectCanary = (about: SentCanary) => Promise<ExpectedCanary | undefined>;

/** What is known of a canary before it is sent. */
export type SentCanary = Pick<Canary, 'leg' | 'test' | 'recipient' | 'from' | 'mailboxes'>;

/** One leg to be audited. `deadline` is in epoch milliseconds. */
export type LegOrder = {
  readonly target: PermittedAddress;
  readonly port: number;
  readonly transport: Transport;
  readonly cast: Cast;
  readonly scope: Scope;
  readonly limits: ProbeLimits;
  readonly deadline: number;
  readonly clock: () => number;
  readonly optOutAddress: string;
  /** Where our pages answer; left out where there are none. */
  readonly siteUrl?: string | undefined;
  /** Whether its address may still be dialled; asked at every dial. */
  readonly askAtDial: AskAtDial;
  /** Left out where there is no mailbox for canaries: then nothing is carried further than RCPT. */
  readonly expectCanary?: ExpectCanary | undefined;
  /** Of a server that is known to take any local part: which round of the few messages that are sent to such it is. */
  readonly round?: number | undefined;
  /** Another leg of the same server, which was probed before. */
  readonly beside?: LegEvidence | undefined;
  /** What an earlier sitting of the same scan showed. */
  readonly before?: LegEvidence | undefined;
  readonly onProgress?: OnProgress | undefined;
  /** Cuts the sitting short, as its deadline does. */
  readonly signal?: AbortSignal | undefined;
};

/** What one session showed and cost, and what went over the wire in it. */
export type Held = {
  readonly session: SessionEvidence;
  readonly tls?: TlsFacts | undefined;
  readonly costs: LegCosts;
  readonly lines: readonly string[];
};

/** How a session is held, by what those before it have shown: how much of old TLS is taken, and after what time a server is silent. */
export type SessionManner = { readonly tlsLevel: TlsLevel; readonly silenceMs: number };

/** Holds one session, from the connection to its end. */
export async function holdSession(order: LegOrder, next: NextSession, help: boolean, how: SessionManner): Promise<Held> {
  const transcript = newTranscript();
  const transactions = next.kind === 'messages' ? await messages(order, next) : [];
  const dialogue = converse({
    ourName: order.cast.ourDomain,
    ourSender: ownSender(order.cast),
    transport: order.transport,
    xclient: next.xclient,
    cautious: next.kind === 'envelopes' && next.cautious,
    help,
    enough: next.kind === 'messages' ? next.enough : Number.POSITIVE_INFINITY,
    choose: next.kind === 'messages' ? () => transactions : next.choose,
  });
  const ran = await dialAndRun(order, dialogue, transcript, how);
  if ('failed' in ran) {
    const cutShort = ran.failed === 'out-of-time' ? 'out-of-time' : undefined;
    const costs = { connections: 0, commands: 0, roundTrips: 0, refusals: 0 };
    return { session: { contact: ran.failed, results: [], cutShort, greeting: {}, tlsError: ran.why }, costs, lines: transcript.lines };
  }
  const { result, costs, tls } = ran;
  return { session: result, tls: result.tls ?? tls, costs: { connections: 1, ...costs }, lines: transcript.lines };
}

// Each canary is written down before a byte of its message leaves.
async function messages(order: LegOrder, { tests, around }: NextSession & { kind: 'messages' }): Promise<Transaction[]> {
  const { cast, target, port, transport, clock, optOutAddress, siteUrl } = order;
  const leg = legName({ address: target.text, port, transport });
  const mailboxes = { prefix: `${cast.localPart}-`, domain: cast.canaryDomain };
  const transactions: Transaction[] = [];
  for (const { id, envelope, recipient } of tests) {
    const sender = envelope.from.replace(/^<|>$/g, '');
    const expected = await order.expectCanary?.({ leg, test: id, recipient, from: sender, mailboxes });
    if (expected === undefined) continue;
    const { ourDomain, canaryDomain } = cast;
    const message = writeCanary({ token: expected.token, sentAt: clock(), ourDomain, canaryDomain, leg, optOutAddress, siteUrl });
    const { ehlo, from, to, beside } = envelope;
    transactions.push({ ehlo, from, recipients: [{ id, to }], beside, canary: { id: expected.id, message } });
  }
  return transactions.length === 0 ? [] : [...around, ...transactions, ...around];
}

type Dialled = (Ran<SessionEvidence> & { readonly tls?: TlsFacts | undefined }) | { readonly failed: Contact; readonly why?: string };

async function dialAndRun(
  order: LegOrder,
  dialogue: ReturnType<typeof converse>,
  transcript: Transcript,
  { tlsLevel, silenceMs }: SessionManner,
): Promise<Dialled> {
  const { target, port, transport, cast, limits, deadline, clock } = order;
  const left = Math.max(1, deadline - clock());
  const connection = await connect(target, port, Math.min(limits.connectMs, left), order.askAtDial);
  if (connection.kind === 'failed') {
    const failed = connection.contact === 'connection-timed-out' && left < limits.connectMs ? 'out-of-time' : connection.contact;
    transcript.add(`-- ${failed}`);
    return { failed };
  }
  const sessionDeadline = Math.min(deadline, clock() + limits.sessionMs);
  const rules = {
    replyMs: limits.replyMs,
    deadline: sessionDeadline,
    clock,
    serverName: cast.hostName,
    tlsLevel,
    silenceMs,
    signal: order.signal,
  };
  if (transport !== 'tls') return runSession(connection.socket, dialogue, rules, transcript);
  const within = Math.max(1, Math.min(limits.replyMs, sessionDeadline - clock()));
  const secured = await secure(connection.socket, cast.hostName, within, tlsLevel);
  if ('failed' in secured) {
    transcript.add(`-- tls-failed: ${secured.failed}`);
    return { failed: clock() >= sessionDeadline ? 'out-of-time' : 'tls-failed', why: secured.failed };
  }
  return { ...(await runSession(secured.socket, dialogue, rules, transcript)), tls: secured.tls };
}
