import { parseAddress } from '../../shared/domain/address.ts';
import type { Hop } from '../../shared/domain/canary.ts';
import { printable } from '../../shared/domain/transcript.ts';

const HOPS_LIMIT = 10; // newest first: the sender may have made up older ones
const HEADER_LIMIT = 1_000; // characters of one header that are looked at
const NAME_LIMIT = 100; // characters of a name that are kept
const COMMENTS_DEPTH = 4; // comments within comments (RFC 5322 §3.2.2) that are taken out

/** The way of a message as its Received headers say (RFC 5321 §4.4), newest hop first, in printable ASCII. Nothing of it is proven but the newest. */
export function receivedPath(headers: readonly string[]): Hop[] {
  return headers.slice(0, HOPS_LIMIT).map(readHop);
}

function readHop(header: string): Hop {
  const text = header.slice(0, HEADER_LIMIT).replace(/\s+/g, ' ').trim();
  const words = withoutComments(text);
  const from = /^from (\S+)/i.exec(words)?.[1];
  const by = /(?:^|\s)by (\S+)/i.exec(words)?.[1];
  return { from: nameIn(from), address: from === undefined ? undefined : addressIn(text), by: nameIn(by) };
}

function withoutComments(text: string): string {
  let left = text;
  for (let depth = 0; depth < COMMENTS_DEPTH; depth++) left = left.replace(/\([^()]*\)/g, ' ');
  return left.replace(/ +/g, ' ').trim();
}

function nameIn(word: string | undefined): string | undefined {
  return word === undefined ? undefined : printable(word).slice(0, NAME_LIMIT);
}

// The address that the receiver saw stands in brackets, before it names itself.
function addressIn(text: string): string | undefined {
  const [sender = ''] = text.split(/ by /i);
  for (const [, inside = ''] of sender.matchAll(/[[(]([^[\]()]{2,60})[\])]/g)) {
    const address = parseAddress(inside.replace(/^IPv6:/i, '').trim());
    if (address !== undefined) return address.text;
  }
  return undefined;
}
