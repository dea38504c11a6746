/** One complete SMTP reply (RFC 5321 §4.2): its code and its lines without their ends, one character per byte. */
export type Reply = { readonly code: number; readonly raw: readonly string[] };

/** Why bytes are not, or no longer, a reply that we go on reading. */
export type Violation = 'not-smtp' | 'line-too-long' | 'reply-too-long' | 'session-too-long';

export type ReplyEvent = { readonly kind: 'reply'; readonly reply: Reply } | { readonly kind: 'violation'; readonly violation: Violation };

/** Bounds on what a server may send us (P7). Servers exceed the 512 octets of RFC 5321 §4.5.3.1.5, never by this much. */
export const READ_LIMITS = { lineBytes: 2 * 1024, replyBytes: 16 * 1024, sessionBytes: 64 * 1024 } as const;

const CODE = /^[2-5]\d\d$/;

/**
 * Bytes in, one character each, replies out, nothing kept beyond the limits. After a violation it stays in violation: a server that breaks
 * the protocol once is not read further. A bare LF ends a line too, since old servers send it.
 */
export class ReplyReader {
  #line = '';
  #raw: string[] = [];
  #replyBytes = 0;
  #sessionBytes: number;
  #violation: Violation | undefined;

  /** `readBefore`: bytes of the session that were read before this reader took over, as after STARTTLS. */
  constructor(readBefore = 0) {
    this.#sessionBytes = readBefore;
  }

  /** Bytes of the session so far. */
  get sessionBytes(): number {
    return this.#sessionBytes;
  }

  /** Takes bytes as they came, as ISO 8859-1 text, and gives the replies they complete, in order. */
  feed(text: string): ReplyEvent[] {
    const events: ReplyEvent[] = [];
    for (let start = 0; start < text.length && this.#violation === undefined; ) {
      const found = text.indexOf('\n', start);
      const end = found < 0 ? text.length : found;
      const event = this.#take(text.slice(start, end), found >= 0);
      if (event !== undefined) events.push(event);
      start = end + 1;
    }
    return events;
  }

  /** What has come of a reply that is not complete, for the transcript. */
  unfinished(): readonly string[] {
    return this.#line === '' ? this.#raw : [...this.#raw, this.#line];
  }

  // Takes a piece of one line, up to the first limit that it meets.
  #take(piece: string, complete: boolean): ReplyEvent | undefined {
    const end = complete ? 1 : 0;
    const room = Math.min(
      READ_LIMITS.sessionBytes - this.#sessionBytes - end,
      READ_LIMITS.replyBytes - this.#replyBytes - end,
      READ_LIMITS.lineBytes - this.#line.length,
    );
    if (piece.length > room) return this.#exceed(piece, end);
    this.#line += piece;
    this.#sessionBytes += piece.length + end;
    this.#replyBytes += piece.length + end;
    if (!complete) return undefined;
    const line = this.#line.endsWith('\r') ? this.#line.slice(0, -1) : this.#line;
    this.#line = '';
    return this.#endLine(line);
  }

  // Keeps what still fits, for the transcript.
  #exceed(piece: string, end: number): ReplyEvent {
    const left = [
      ['session-too-long', READ_LIMITS.sessionBytes - this.#sessionBytes],
      ['reply-too-long', READ_LIMITS.replyBytes - this.#replyBytes],
      ['line-too-long', READ_LIMITS.lineBytes - this.#line.length],
    ] as const;
    const taken = Math.max(0, Math.min(piece.length, ...left.map(([, room]) => room)));
    this.#line += piece.slice(0, taken);
    this.#sessionBytes += taken;
    const broken = left.find(([, room]) => piece.length > room) ?? left.slice(0, 2).find(([, room]) => piece.length + end > room);
    return this.#broken(broken?.[0] ?? 'line-too-long');
  }

  #endLine(line: string): ReplyEvent | undefined {
    this.#raw.push(line);
    const code = line.slice(0, 3);
    const mark = line.charAt(3);
    const first = this.#raw[0] ?? '';
    if (!CODE.test(code) || (mark !== '' && mark !== ' ' && mark !== '-') || !first.startsWith(code)) return this.#broken('not-smtp');
    if (mark === '-') return undefined;
    const raw = this.#raw;
    this.#raw = [];
    this.#replyBytes = 0;
    return { kind: 'reply', reply: { code: Number(code), raw } };
  }

  #broken(violation: Violation): ReplyEvent {
    this.#violation = violation;
    return { kind: 'violation', violation };
  }
}

/** The lines of a reply without their codes. */
export function replyLines({ raw }: Reply): string[] {
  return raw.map((line) => line.slice(4));
}

/** The words of a reply on one line, without its code. */
export function replyWords(reply: Reply): string {
  const [first = ''] = reply.raw;
  return reply.raw.length === 1 ? first.slice(4) : replyLines(reply).join(' ');
}

/** The whole text of a reply on one line. */
export function replyText(reply: Reply): string {
  return `${reply.code} ${replyWords(reply)}`.trimEnd();
}
