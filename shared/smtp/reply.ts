/** One complete SMTP reply (RFC 5321 §4.2): its code and its lines without code and line end, one character per byte. */
export type Reply = { readonly code: number; readonly lines: readonly string[]; readonly raw: readonly string[] };

/** Why bytes are not, or no longer, a reply that we go on reading. */
export type Violation = 'not-smtp' | 'line-too-long' | 'reply-too-long' | 'session-too-long';

export type ReplyEvent = { readonly kind: 'reply'; readonly reply: Reply } | { readonly kind: 'violation'; readonly violation: Violation };

/** Bounds on what a server may send us (P7). Servers exceed the 512 octets of RFC 5321 §4.5.3.1.5, never by this much. */
export const READ_LIMITS = { lineBytes: 2 * 1024, replyBytes: 16 * 1024, sessionBytes: 64 * 1024 } as const;

/**
 * Bytes in, replies out, nothing kept beyond the limits. After a violation it stays in violation: a server that breaks
 * the protocol once is not read further. A bare LF ends a line too, since old servers send it.
 */
export class ReplyReader {
  #line = '';
  #raw: string[] = [];
  #replyBytes = 0;
  #sessionBytes = 0;
  #violation: Violation | undefined;

  /** Takes bytes as they came and gives the replies they complete, in order. */
  feed(bytes: Uint8Array): ReplyEvent[] {
    const events: ReplyEvent[] = [];
    for (const byte of bytes) {
      if (this.#violation !== undefined) break;
      const event = this.#take(byte);
      if (event !== undefined) events.push(event);
    }
    return events;
  }

  /** What has come of a reply that is not complete, for the transcript. */
  unfinished(): readonly string[] {
    return this.#line === '' ? this.#raw : [...this.#raw, this.#line];
  }

  #take(byte: number): ReplyEvent | undefined {
    this.#sessionBytes++;
    this.#replyBytes++;
    if (this.#sessionBytes > READ_LIMITS.sessionBytes) return this.#broken('session-too-long');
    if (this.#replyBytes > READ_LIMITS.replyBytes) return this.#broken('reply-too-long');
    if (byte !== 0x0a) {
      this.#line += String.fromCharCode(byte);
      return this.#line.length > READ_LIMITS.lineBytes ? this.#broken('line-too-long') : undefined;
    }
    const line = this.#line.endsWith('\r') ? this.#line.slice(0, -1) : this.#line;
    this.#line = '';
    return this.#endLine(line);
  }

  #endLine(line: string): ReplyEvent | undefined {
    this.#raw.push(line);
    const match = /^([2-5]\d\d)(?:([ -])(.*))?$/s.exec(line);
    const first = this.#raw[0] ?? '';
    if (match === null || line.slice(0, 3) !== first.slice(0, 3)) return this.#broken('not-smtp');
    if (match[2] === '-') return undefined;
    const raw = this.#raw;
    this.#raw = [];
    this.#replyBytes = 0;
    return { kind: 'reply', reply: { code: Number(match[1]), lines: raw.map((each) => each.slice(4)), raw } };
  }

  #broken(violation: Violation): ReplyEvent {
    this.#violation = violation;
    return { kind: 'violation', violation };
  }
}

/** The whole text of a reply on one line. */
export function replyText(reply: Reply): string {
  return `${reply.code} ${reply.lines.join(' ')}`.trimEnd();
}
