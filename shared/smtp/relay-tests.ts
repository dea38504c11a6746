import type { Cause } from '../domain/cause.ts';
import {
  type Cast,
  type EhloForm,
  type Envelope,
  isOdd,
  type Names,
  type Place,
  RECIPIENT_FORMS,
  type RecipientForm,
  SENDER_FORMS,
  type SenderForm,
} from './envelope-forms.ts';

export type TestKind =
  | 'plain'
  | 'null-sender'
  | 'local-sender'
  | 'quoted'
  | 'percent'
  | 'double-at'
  | 'source-route'
  | 'bang'
  | 'ehlo'
  | 'xclient';

type RecipientKind = Extract<TestKind, 'plain' | 'quoted' | 'percent' | 'double-at' | 'source-route' | 'bang'>;

/** One row of the table: MAIL FROM form × RCPT TO form × EHLO form, and where it has a place, whose name that is. */
type Row = {
  readonly id: string;
  readonly kind: TestKind;
  /** The hole that it shows when it is let through. */
  readonly cause: Cause;
  readonly from: SenderForm;
  readonly to: RecipientForm;
  readonly ehlo: EhloForm;
  /** The row is tried with the name of each of these places in the place of `srv`. */
  readonly places?: readonly Place[];
  /** What it proves, in a line; `{srv}` is the place in words. */
  readonly reason: string;
  readonly source: string;
};

const RFC2505 = 'RFC 2505 §2.1';
const RFC5321 = 'RFC 5321 §3.6.2';
const SENDMAIL = 'sendmail cf/README, anti-spam control';
const EVERYWHERE: readonly Place[] = ['server', 'literal', 'greeting', 'served'];
const SERVED: readonly Place[] = ['served'];
const SERVER: readonly Place[] = ['server'];

const SENDERS: readonly Row[] = [
  sender('plain', 'anyone', 'us', 'A stranger writes to a stranger: nothing is restricted at all.', RFC5321),
  { ...sender('null-sender', 'null-sender', 'null', 'Bounces are let through to anywhere.', 'RFC 5321 §4.5.5'), kind: 'null-sender' },
  local('sender', 'claimed-sender', 'srv', EVERYWHERE, 'Whoever claims a sender at {srv} may relay.', SENDMAIL),
  local('postmaster', 'claimed-sender', 'postmaster', SERVED, 'Whoever claims to be the postmaster of {srv} may relay.', SENDMAIL),
  local('invented', 'claimed-sender', 'invented', SERVED, 'Even an invented sender at {srv} may relay.', SENDMAIL),
  local('localhost-sender', 'localhost-sender', 'localhost', undefined, 'Whoever claims a sender at localhost may relay.', RFC2505),
  local(
    'nonexistent-sender',
    'nonexistent-sender',
    'nonexistent',
    undefined,
    'A sender at a domain that does not exist is let through to anywhere.',
    RFC2505,
  ),
  local('bare-sender', 'bare-sender', 'bare', undefined, 'A sender without a domain is taken for a local user, who may relay.', RFC2505),
  local('bang-sender', 'bang-sender', 'bang', undefined, 'A sender in UUCP form is taken for a local one, who may relay.', RFC2505),
  local('own-recipient', 'own-recipient', 'recipient', undefined, 'Whoever writes to themselves may relay.', RFC5321),
];

const RECIPIENTS: readonly Row[] = [
  recipient('unbracketed', 'plain', 'unbracketed', 'A recipient without angle brackets slips past the check.'),
  recipient('quoted', 'quoted', 'quoted', 'The foreign address hides in a quoted local part without a domain.'),
  recipient('percent', 'percent', 'percent', 'The percent hack without a domain: u%x is rewritten to u@x.'),
  recipient('percent-quoted', 'percent', 'percent-quoted', 'The percent hack in a quoted local part without a domain.'),
  recipient('trailing-at', 'double-at', 'trailing-at', 'Only the part behind the last @ is checked, and it is empty.'),
  recipient('bang', 'bang', 'bang', 'A UUCP path is rewritten to an Internet address.'),
  recipient('percent', 'percent', 'percent-srv', 'The percent hack: u%x@ at {srv} is rewritten to u@x.', EVERYWHERE),
  recipient('double-at', 'double-at', 'double-at-srv', 'Only the part behind the last @ is checked, and it is {srv}.', EVERYWHERE),
  recipient('quoted', 'quoted', 'quoted-srv', 'The foreign address hides in a quoted local part at {srv}.', EVERYWHERE),
  recipient('route', 'source-route', 'route-srv', 'A source route by way of {srv} is followed.', EVERYWHERE),
  recipient('bang', 'bang', 'bang-srv', 'A UUCP path at {srv} is followed.', EVERYWHERE),
];

// A check of the sender and one of the recipient, each passed in its own way.
const ROUTES: readonly (readonly [string, RecipientKind, RecipientForm])[] = [
  ['percent', 'percent', 'percent-srv'],
  ['double-at', 'double-at', 'double-at-srv'],
  ['quoted', 'quoted', 'quoted-srv'],
  ['route', 'source-route', 'route-srv'],
  ['bang', 'bang', 'bang-srv'],
];
const COMBINED: readonly Row[] = ROUTES.flatMap(([id, kind, to]): Row[] => [
  {
    ...recipient(`local-${id}`, kind, to, `A local sender and the ${kind} form together pass, at {srv}.`, SERVED),
    from: 'srv',
  },
  { ...recipient(`null-${id}`, kind, to, `The null sender and the ${kind} form together pass, at {srv}.`, SERVER), from: 'null' },
]);

const CLAIMS: readonly Row[] = [
  ...(['us', 'srv', 'null'] as const).flatMap((from): Row[] => {
    const with_ = { us: '', srv: '-local', null: '-null' }[from];
    const and = { us: '', srv: ' with a sender there', null: ' with the null sender' }[from];
    const claim = { kind: 'ehlo', from, to: 'plain', source: 'Postfix permit_* under smtpd_helo_restrictions' } as const;
    return [
      {
        ...claim,
        id: `ehlo${with_}`,
        cause: 'claimed-ehlo',
        ehlo: 'srv',
        places: EVERYWHERE,
        reason: `Whoever says EHLO as {srv}${and} may relay.`,
      },
      {
        ...claim,
        id: `ehlo-localhost${with_}`,
        cause: 'localhost-ehlo',
        from: from === 'srv' ? 'localhost' : from,
        ehlo: 'localhost',
        reason: `Whoever says EHLO as localhost${and} may relay.`,
      },
    ];
  }),
];

/** The test that offers XCLIENT its own bait: whoever may use it is taken for any client, localhost for one. */
export const XCLIENT_TEST = 'xclient';

const XCLIENT: Row = {
  id: XCLIENT_TEST,
  kind: 'xclient',
  cause: 'xclient',
  from: 'us',
  to: 'plain',
  ehlo: 'us',
  reason: 'A stranger is offered XCLIENT and relays by claiming to be 127.0.0.1.',
  source: 'Postfix XCLIENT_README, smtpd_authorized_xclient_hosts',
};

/** The table of relay tests. */
export const TABLE: readonly Row[] = [...SENDERS, ...RECIPIENTS, ...COMBINED, ...CLAIMS, XCLIENT];

function sender(id: string, cause: Cause, from: SenderForm, reason: string, source: string): Row {
  return { id, kind: 'plain', cause, from, to: 'plain', ehlo: 'us', reason, source };
}

function local(id: string, cause: Cause, from: SenderForm, places: readonly Place[] | undefined, reason: string, source: string): Row {
  return { ...sender(id, cause, from, reason, source), kind: 'local-sender', ...(places === undefined ? {} : { places }) };
}

function recipient(id: string, kind: RecipientKind, to: RecipientForm, reason: string, places?: readonly Place[]): Row {
  const source = kind === 'source-route' ? 'RFC 5321 §4.1.1.3' : RFC2505;
  return {
    id,
    kind,
    cause: kind === 'plain' ? 'unbracketed' : kind,
    from: 'us',
    to,
    ehlo: 'us',
    reason,
    source,
    ...(places === undefined ? {} : { places }),
  };
}

/** A row of the table with its place filled in: what is tried with one leg. */
export type RelayTest = {
  readonly id: string;
  readonly kind: TestKind;
  readonly cause: Cause;
  /** The name that it claims, of a row with places. */
  readonly name: string | undefined;
  /** Id of the row of the table that it is of: the same form whatever the place. */
  readonly row: string;
  readonly odd: boolean;
  readonly envelope: Envelope;
  /** The mailbox of ours that it reaches when it is let through, without brackets. */
  readonly recipient: string;
  /** The negative control: the same form, with an invented user of a served domain as the one to be reached. */
  readonly negative: () => Envelope;
};

/**
 * The relay tests that fit a host, in the order of the table. Rows with a place come once for each name that stands there;
 * what would send the same envelope twice is left out. `greetingName` is the server's own name for itself, if it has said one.
 */
export function relayTests(cast: Cast, greetingName: string | undefined): readonly RelayTest[] {
  const known = made.get(cast) ?? new Map<string | undefined, readonly RelayTest[]>();
  made.set(cast, known);
  const tests = known.get(greetingName) ?? makeTests(cast, greetingName);
  known.set(greetingName, tests);
  return tests;
}

// A plan asks for the same table before, in and after every session.
const made = new WeakMap<Cast, Map<string | undefined, readonly RelayTest[]>>();

function makeTests(cast: Cast, greetingName: string | undefined): RelayTest[] {
  const seen = new Set<string>();
  const tests: RelayTest[] = [];
  const names: PlaceNames = {
    server: [cast.hostName ?? greetingName],
    literal: [cast.addressLiteral],
    greeting: [greetingName],
    served: cast.servedDomains,
  };
  for (const row of TABLE)
    for (const place of placesOf(row, names)) {
      // Two places with the same name make the same envelope; rows without one differ in their forms.
      const signature = `${row.ehlo} ${row.from} ${row.to} ${row.kind === 'xclient'} ${place?.name ?? ''}`;
      if (seen.has(signature)) continue;
      seen.add(signature);
      tests.push(testAt(row, place, cast));
    }
  return tests;
}

/** What a test proves, by its id alone, for whoever reads a history; undefined for an id of no row. */
export function reasonOf(testId: string): string | undefined {
  const id = testId.replace(/-\d+$/, '');
  for (const row of TABLE) {
    if (row.places === undefined && row.id === id) return row.reason;
    const place = row.places?.find((each) => idAt(row, each) === id);
    if (place !== undefined) return inWords(row, place);
  }
  return undefined;
}

const PLACE_WORDS: Record<Place, string> = {
  server: 'the server’s own name',
  literal: 'the server’s address',
  greeting: 'the name in its greeting',
  served: 'a domain it serves',
};

type Stand = { readonly place: Place; readonly name: string; readonly suffix: string };

type PlaceNames = Readonly<Record<Place, readonly (string | undefined)[]>>;

function placesOf({ places }: Row, names: PlaceNames): (Stand | undefined)[] {
  if (places === undefined) return [undefined];
  return places.flatMap((place) =>
    names[place].flatMap((name, index) => (name === undefined ? [] : { place, name, suffix: index === 0 ? '' : `-${index + 1}` })),
  );
}

function testAt(row: Row, stand: Stand | undefined, cast: Cast): RelayTest {
  const id = stand === undefined ? row.id : `${idAt(row, stand.place)}${stand.suffix}`;
  const user = `${cast.localPart}-${id}`;
  return {
    id,
    kind: row.kind,
    cause: row.cause,
    name: stand?.name,
    row: row.id,
    odd: isOdd(row.from, row.to),
    envelope: written(row, stand, cast, user, cast.canaryDomain),
    recipient: `${user}@${cast.canaryDomain}`,
    negative: () => written(row, stand, cast, `${cast.localPart}-nobody`, shortest(cast.servedDomains)),
  };
}

function written(row: Row, stand: Stand | undefined, cast: Cast, user: string, domain: string): Envelope {
  const srv = stand?.name ?? '';
  const names: Names = { us: cast.ourDomain, srv, user, domain, nobody: `${cast.localPart}-nobody` };
  const ehlo = { us: cast.ourDomain, localhost: 'localhost', srv }[row.ehlo];
  return { ehlo, from: SENDER_FORMS[row.from](names), to: RECIPIENT_FORMS[row.to](names) };
}

function idAt(row: Row, place: Place): string {
  return row.id === 'sender' ? `${place}-sender` : `${row.id}-${place}`;
}

function inWords(row: Row, place: Place | undefined): string {
  return row.reason.replace('{srv}', place === undefined ? '' : PLACE_WORDS[place]);
}

/** The shortest of some domains. */
export function shortest(domains: readonly string[]): string {
  return domains.toSorted((a, b) => a.length - b.length)[0] ?? '';
}
