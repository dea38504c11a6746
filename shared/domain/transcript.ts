/**
 * The transcript with what changes from session to session taken out: dates, times, queue and session ids. Two
 * transcripts that come out the same show the same behaviour, and one of them need not be kept.
 */
export function normalise(lines: readonly string[]): string {
  return lines
    .map((line) =>
      line
        .replace(/\b(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? [^\r\n]*$/i, '~') // the date that ends a greeting
        .replace(/[\w.-]{8,}/g, (word) => (/\d/.test(word) && /[a-z]/i.test(word) ? '~' : word)) // words of letters and digits: ids
        .replace(/\b\d{5,}\b/g, '~'),
    )
    .join('\n');
}

/** A server's text made safe to show: visible ASCII stays, every other byte becomes `\xNN`. */
export function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
