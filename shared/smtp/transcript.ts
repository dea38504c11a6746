/** What went over the wire with one leg, in order, up to a limit: a server that talks without end does not fill our storage. */
export type Transcript = { readonly lines: readonly string[]; add(line: string): void };

const TRANSCRIPT_CHARACTERS = 64 * 1024; // of one leg; an ordinary one has under 8 KiB

export function newTranscript(): Transcript {
  const lines: string[] = [];
  let left = TRANSCRIPT_CHARACTERS;
  return {
    lines,
    add(line) {
      if (left <= 0) return;
      left -= line.length + 1;
      lines.push(left > 0 ? line : '-- the rest is not kept');
    },
  };
}
