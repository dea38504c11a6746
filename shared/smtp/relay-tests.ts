import type { Cause } from '../domain/cause.ts';
import { DOMAINS_A_SCAN } from '../domain/served-domains.ts';
import { NEGATIVE_CONTROL } from '../domain/verdict.ts';
import {
  type Cast,
  controlPath,
  type EhloForm,
  type Envelope,
  hasDnsName,
  hasShortLocalPart,
  isOdd,
  mailboxOf,
  type Names,
  ownSender,
  type Place,
  RECIPIENT_FORMS,
  type RecipientForm,
  readsAsLocal,
  SENDER_FORMS,
  type SenderForm,
  srsTimestamp,
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
  | 'unanchored'
  | 'several-recipients'
  | 'srs'
  | 'written-into-local-part'
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
  /** An accepted recipient of the server's own shares the transaction, before ours or after it. */
  readonly beside?: 'first' | 'last';
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
const MAIN: readonly Place[] = ['main']; // what depends on the software shows at one domain

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
  {
    // Lotus Notes let this one through at the domains that it served.
    ...recipient(
      `null-${id}`,
      kind,
      to,
      `The null sender and the ${kind} form together pass, at {srv}.`,
      id === 'percent' ? [...SERVER, ...SERVED] : SERVER,
    ),
    from: 'null',
  },
]);

const ACCESS = 'Postfix pcre_table(5), access(5)';
const UNANCHORED: readonly Row[] = [
  unanchored('below', 'below-srv', 'A pattern without an end takes a foreign domain that begins with {srv} for it.'),
  unanchored('ending', 'ending-srv', 'A pattern without a beginning and an end takes a foreign domain that has {srv} in it for it.'),
  unanchored('dashed', 'dashed-srv', 'A pattern in which a dot is any character takes a foreign domain that looks like {srv} for it.'),
  unanchored('within', 'within-srv', 'A pattern for whole addresses finds {srv} in the local part of a foreign one.'),
  unanchoredSender(
    'below-sender',
    'below-srv',
    'A sender at a foreign domain that begins with {srv} is taken for a local one, who may relay.',
  ),
  unanchoredSender(
    'ending-sender',
    'ending-srv',
    'A sender at a foreign domain that has {srv} in it is taken for a local one, who may relay.',
  ),
];

const SEVERAL: readonly Row[] = [
  several('behind-accepted', 'first', 'Once a local recipient was accepted, those behind it are not checked.'),
  several('before-accepted', 'last', 'A local recipient behind the foreign one lets the message out to both.'),
];

const SRS = 'SRS (libsrs2, postsrsd); Exim specification, inbound_srs';
const FORWARDED: readonly Row[] = (['srs0', 'srs1'] as const).flatMap((id): Row[] => {
  const level = id === 'srs0' ? 'An SRS address' : 'An SRS address of the second level';
  const row = { kind: 'srs', cause: 'srs', to: `${id}-srv`, ehlo: 'us', places: SERVED, source: SRS } as const;
  return [
    { ...row, id, from: 'us', reason: `${level} at {srv} is decoded, and nobody checks its hash.` },
    { ...row, id: `${id}-null`, from: 'null', reason: `${level} at {srv} is decoded for bounces, and nobody checks its hash.` },
  ];
});

const WRITTEN: readonly Row[] = [
  written(
    'percent-twice',
    'percent-twice-srv',
    'Of u%x%localhost at {srv} only the outer layer is checked, and both are taken off.',
    RFC2505,
  ),
  written(
    'bang-percent',
    'bang-percent-srv',
    'A UUCP path behind a percent sign at {srv} is followed: each form alone may be known.',
    RFC2505,
  ),
  written(
    'verp',
    'equals-srv',
    'A recipient written with = into a local part at {srv}, as list managers write it, is read back.',
    'Postfix VERP_README',
  ),
  written(
    'list',
    'list-srv',
    'A list of addresses in a quoted local part at {srv} is taken apart, and mail goes to each.',
    'CERT VU#176972 (Lotus Domino)',
  ),
  written(
    'encapsulated',
    'imcea-srv',
    'An address that Exchange encapsulated at {srv} is unwrapped, and mail goes to it.',
    'Microsoft MS99-027, KB Q237927 (Exchange)',
  ),
];

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

/** The test of XCLIENT: a client that may use it can claim to be any other, such as localhost. */
export const XCLIENT_TEST = 'xclient';

const XCLIENT: Row = {
  id: XCLIENT_TEST,
  kind: 'xclient',
  cause: 'xclient',
  from: 'us',
  to: 'plain',
  ehlo: 'us',
  reason: 'A stranger is offered XCLIENT and relays by claiming to be 127.0.0.1, or a client in a private network.',
  source: 'Postfix XCLIENT_README, smtpd_authorized_xclient_hosts',
};

/** The table of relay tests. */
export const TABLE: readonly Row[] = [
  ...SENDERS,
  ...RECIPIENTS,
  ...COMBINED,
  ...UNANCHORED,
  ...SEVERAL,
  ...FORWARDED,
  ...WRITTEN,
  ...CLAIMS,
  XCLIENT,
];

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

function unanchored(id: string, to: RecipientForm, reason: string): Row {
  return { id, kind: 'unanchored', cause: 'unanchored-recipient', from: 'us', to, ehlo: 'us', places: SERVED, reason, source: ACCESS };
}

function unanchoredSender(id: string, from: SenderForm, reason: string): Row {
  return { ...local(id, 'unanchored-sender', from, SERVED, reason, ACCESS), kind: 'unanchored' };
}

function several(id: string, beside: 'first' | 'last', reason: string): Row {
  return { ...sender(id, 'first-recipient-only', 'us', reason, 'RFC 5321 §3.3'), kind: 'several-recipients', beside };
}

function written(id: string, to: RecipientForm, reason: string, source: string): Row {
  const kind = 'written-into-local-part';
  return { id, kind, cause: kind, from: 'us', to, ehlo: 'us', places: MAIN, reason, source };
}

/** A row of the table with its place filled in: what is tried with one leg. */
export type RelayTest = {
  readonly id: string;
  readonly kind: TestKind;
  readonly cause: Cause;
  /** The name that it claims, of a row with places, and whose it is. */
  readonly name: string | undefined;
  readonly place: Place | undefined;
  /** Id of the row of the table that it is of: the same form whatever the place. */
  readonly row: string;
  readonly odd: boolean;
  readonly sender: SenderForm;
  readonly form: RecipientForm;
  readonly ehloForm: EhloForm;
  /** Its recipient reads as a local part of the server's own to whoever does not take it apart: by itself, being taken proves nothing. */
  readonly local: boolean;
  readonly envelope: Envelope;
  /** Our mailbox that it reaches when it is let through, without brackets. */
  readonly recipient: string;
  /** The negative control, one for all tests of a recipient form at a name: that form, with an invented local user as the one to be reached. */
  readonly negative: { readonly id: string; readonly envelope: () => Envelope };
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
    main: cast.servedDomains.slice(0, 1),
  };
  const ownName = shortest(cast.servedDomains) || (cast.hostName ?? greetingName ?? cast.addressLiteral);
  for (const row of TABLE)
    for (const place of placesOf(row, names)) {
      // Two places with the same name make the same envelope; rows without one differ in their forms.
      const signature = `${row.ehlo} ${row.from} ${row.to} ${row.beside} ${row.kind === 'xclient'} ${place?.name ?? ''}`;
      if (seen.has(signature)) continue;
      seen.add(signature);
      const test = testAt(row, place, cast, ownName);
      if (canBe(row, test, cast)) tests.push(test);
    }
  return tests;
}

// Without a served domain nobody is known who must be accepted; and a long one makes no name or local part with ours behind it.
function canBe({ beside, kind }: Row, { envelope, recipient }: RelayTest, cast: Cast): boolean {
  if (beside !== undefined) return cast.servedDomains.length > 0;
  return kind !== 'unanchored' || (hasDnsName(envelope.from) && hasDnsName(recipient) && hasShortLocalPart(envelope.to));
}

/** What the test with this id proves, as the history tells it; undefined when no row has that id. */
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
  main: 'a domain it serves',
};

// A place with one of its names: `index` counts them.
type Stand = { readonly place: Place; readonly name: string; readonly index: number };

const PLACES: readonly Place[] = ['server', 'literal', 'greeting', 'served', 'main'];

type PlaceNames = Readonly<Record<Place, readonly (string | undefined)[]>>;

function placesOf({ places }: Row, names: PlaceNames): (Stand | undefined)[] {
  if (places === undefined) return [undefined];
  return places.flatMap((place) => names[place].flatMap((name, index) => (name === undefined ? [] : { place, name, index })));
}

function testAt(row: Row, stand: Stand | undefined, cast: Cast, ownName: string): RelayTest {
  const id = stand === undefined ? row.id : `${idAt(row, stand.place)}${stand.index === 0 ? '' : `-${stand.index + 1}`}`;
  const named = namesOf(cast, stand?.name ?? '', `${cast.localPart}-${id}`, cast.canaryDomain);
  const names = hasShortLocalPart(RECIPIENT_FORMS[row.to](named)) ? named : { ...named, user: `${cast.localPart}${markOf(row, stand)}` };
  const ehlo = { us: cast.ourDomain, localhost: 'localhost', srv: names.srv }[row.ehlo];
  const beside =
    row.beside === undefined ? {} : { beside: { to: controlPath(cast, cast.servedDomains[0] ?? ''), first: row.beside === 'first' } };
  return {
    id,
    kind: row.kind,
    cause: row.cause,
    name: stand?.name,
    place: stand?.place,
    row: row.id,
    odd: isOdd(row.from, row.to),
    sender: row.from,
    form: row.to,
    ehloForm: row.ehlo,
    local: readsAsLocal(row.to),
    envelope: { ehlo, from: SENDER_FORMS[row.from](names), to: RECIPIENT_FORMS[row.to](names), ...beside },
    recipient: mailboxOf(row.to, names),
    negative: negativeOf(row, stand, cast, ownName, SENDER_FORMS[row.from](names)),
  };
}

// A domain that only resembles a served one has no local users: the plain form shows whether anybody is taken for one. A server may take
// any local part at one of its names and not at another, or from one sender and not from another.
function negativeOf(row: Row, stand: Stand | undefined, cast: Cast, ownName: string, sender: string): RelayTest['negative'] {
  const local = readsAsLocal(row.to);
  const to = local || row.to === 'unbracketed' || row.to === 'route-srv' ? row.to : 'plain';
  const names = namesOf(cast, (local ? stand?.name : undefined) ?? ownName, `${cast.localPart}-nobody`, ownName);
  const from = local && row.from !== 'us' ? `-from-${row.from}` : '';
  const at = local && stand !== undefined ? `-at-${stand.place}${stand.index === 0 ? '' : `-${stand.index + 1}`}` : '';
  return {
    id: `${NEGATIVE_CONTROL}${to}${from}${at}`,
    envelope: () => ({ ehlo: cast.ourDomain, from: from === '' ? ownSender(cast) : sender, to: RECIPIENT_FORMS[to](names) }),
  };
}

function namesOf(cast: Cast, srv: string, user: string, domain: string): Names {
  const { ourDomain, senderDomain, localPart, srsDay } = cast;
  return { us: ourDomain, sender: senderDomain, srv, user, domain, nobody: `${localPart}-nobody`, day: srsTimestamp(srsDay) };
}

const MARK_LETTERS = 3; // with them the longest form fits into 64 octets for a canary domain of thirty
const MARK_BASE = 36;

/** What stands for the id of a test where that is too long for a local part: where it stands in the table, and with which name. */
function markOf(row: Row, stand: Stand | undefined): string {
  const place = stand === undefined ? 0 : PLACES.indexOf(stand.place);
  const number = (TABLE.indexOf(row) * PLACES.length + place) * DOMAINS_A_SCAN + (stand?.index ?? 0);
  return number.toString(MARK_BASE).padStart(MARK_LETTERS, '0');
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
