import type { ConsentFacts, DnsFailure, DomainFacts } from './consent.ts';
import { printable } from './transcript.ts';

/** What a finding may be. Programs go by it, so none changes its meaning. */
export const FINDING_KINDS = [
  // What stands in the way, whatever is proven.
  ...(['veto', 'dns-failure', 'servers-disagree', 'slow-dns', 'too-many-questions', 'too-many-names', 'forbidden-address'] as const),
  // A record of consent.
  ...(['no-record', 'misplaced', 'words-beside', 'other-token', 'damaged-token', 'name-as-value', 'other-text'] as const),
  // The name.
  ...(['public-suffix', 'no-address', 'too-many-addresses'] as const),
  // Reverse DNS.
  ...(['no-reverse-dns', 'reverse-name-unproven', 'does-not-lead-back', 'waits-for-name', 'provider-name'] as const),
  ...(['reverse-name-underscore', 'reverse-name-address', 'reverse-name-localhost', 'reverse-name-zone-appended'] as const),
  ...(['reverse-name-public-suffix', 'reverse-name-unreadable'] as const),
  // Served domains.
  ...(['null-mx', 'no-mx', 'mx-elsewhere', 'mx-alias', 'mx-no-name', 'mx-literal', 'mx-no-address'] as const),
] as const;

export type FindingKind = (typeof FINDING_KINDS)[number];

/** A record as it is to stand in DNS: its full name, without a dot at the end. */
export type RecordToSet = { readonly name: string; readonly type: 'TXT' | 'PTR' | 'A' | 'AAAA' | 'MX'; readonly value: string };

/** The one change that would make a thing right: where there are records, all of them are needed; `send` is for whoever must make it. */
export type Change = { readonly what: string; readonly records?: readonly RecordToSet[]; readonly send?: string };

/** One thing that a look at consent has found: what was asked and what came, what that means, and the one change that would make it right. */
export type ConsentFinding = {
  readonly kind: FindingKind;
  readonly side: 'name' | 'address' | 'served-domain';
  /** The name, address or served domain that it is about. */
  readonly about: string;
  /** The question, such as `TXT _relay-audit.mail.example.org`, where there was one. */
  readonly asked?: string;
  /** What came, made safe to show and cut. */
  readonly found: string;
  readonly means: string;
  readonly change: Change;
  /** What the change would prove. */
  readonly proves?: 'name' | 'reverse-zone' | 'reverse-dns';
};

/** A finding before it is said what it is about. */
export type Draft = Omit<ConsentFinding, 'side' | 'about'>;

/** What a look has seen of a host, and whose token it looked for. */
export type Looked = {
  /** Its name, or its address. */
  readonly host: string;
  readonly token: string;
  readonly facts: ConsentFacts;
  readonly domains: readonly DomainFacts[];
  /** How many addresses the name has in all. */
  readonly addressesFound: number;
};

/** A record as a zone file has it. */
export function zoneLine({ name, type, value }: RecordToSet): string {
  return `${name}. IN ${type} ${type === 'TXT' ? `"${value}"` : value}${type === 'PTR' || type === 'MX' ? '.' : ''}`;
}

/** A record's name as a form takes it that adds the zone by itself; undefined for one that is not in the zone. */
export function relativeTo(name: string, zone: string | undefined): string | undefined {
  return zone !== undefined && name.endsWith(`.${zone}`) ? name.slice(0, -zone.length - 1) : undefined;
}

const VALUE_LIMIT = 80; // characters of a foreign text that are shown: enough to know it by
const LIST_LIMIT = 4; // things of one kind that are listed

/** A foreign text, such as a name that DNS gives, made safe to show and cut. */
export function shown(text: string): string {
  const safe = printable(text);
  return safe.length > VALUE_LIMIT ? `${safe.slice(0, VALUE_LIMIT)}…` : safe;
}

/** Some things in a row: `a`, `a and b`, `a, b, c, d and 3 more`. */
export function listed(things: readonly string[]): string {
  const some = things.length > LIST_LIMIT ? [...things.slice(0, LIST_LIMIT), `${things.length - LIST_LIMIT} more`] : things;
  return some.length < 2 ? some.join('') : `${some.slice(0, -1).join(', ')} and ${some.at(-1)}`;
}

const HOUR_MS = 60 * 60_000;

/** How long resolvers remember something, in the words of a person. */
export function spanOf(ms: number): string {
  const [count, thing] = ms < 2 * HOUR_MS ? [Math.max(1, Math.ceil(ms / 60_000)), 'minute'] : [Math.ceil(ms / HOUR_MS), 'hour'];
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}

// What is most often behind the answers that say little.
const USUALLY: Readonly<Record<string, string>> = {
  SERVFAIL: ' SERVFAIL most often means that no name server of the zone answers, or that its DNSSEC signatures are wrong.',
  REFUSED: ' REFUSED most often means that the zone is delegated to a server that does not hold it.',
  NOTIMP: ' NOTIMP means that a name server does not know this type of record.',
};

/** A failed question to DNS, in the words that every finding tells it by; `usually` is what most often causes that, or empty. */
export function failureWords({ type, name, said, details }: DnsFailure): { asked: string; found: string; usually: string } {
  return {
    usually: USUALLY[said] ?? '',
    asked: `${type} ${shown(name)}`,
    found: details === undefined ? shown(said) : `${shown(said)} (${shown(details)})`,
  };
}

/** A failed question as a finding. `means` is what follows from the failure. */
export function failureDraft(failure: DnsFailure, means: string, change: Change): Draft {
  const { asked, found, usually } = failureWords(failure);
  return { kind: 'dns-failure', asked, found, means: `${means}${usually}`, change };
}
