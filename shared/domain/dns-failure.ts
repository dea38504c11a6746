import type { DnsFailure } from './consent.ts';
import { printable } from './transcript.ts';

const TEXT_LIMIT = 200; // characters of what a resolver says for itself

/** The question that failed, and what came instead of an answer. */
export function failureSentence({ type, name, said, details }: DnsFailure): string {
  const more = details === undefined || details === '' ? '' : ` The resolver adds: ${printable(details.slice(0, TEXT_LIMIT))}`;
  return `We asked DNS for the ${printable(type)} record of ${printable(name)}, and got: ${printable(said)}.${more}`;
}

/** Whether the question that failed belongs to a reverse zone, which is most often kept by a provider. */
export function isReverse({ name }: DnsFailure): boolean {
  return /\.(in-addr|ip6)\.arpa\.?$/i.test(name);
}
