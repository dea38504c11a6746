const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'; // RFC 4648 §6, in lower case
const BITS_PER_CHARACTER = 5;

/** Writes bytes, in fives, as letters and digits that names, headers and keywords take as they are. */
export function base32(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return (bits.match(/.{5}/g) ?? []).map((five) => ALPHABET[Number.parseInt(five, 2)]).join('');
}

/** Reads what `base32` wrote; the text must hold nothing else. */
export function bytesOf(text: string): Buffer {
  const bits = [...text].map((character) => ALPHABET.indexOf(character).toString(2).padStart(BITS_PER_CHARACTER, '0')).join('');
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((eight) => Number.parseInt(eight, 2)));
}
