import { type Address, reverseName } from './address.ts';
import { type AddressFacts, type ClaimedName, CONSENT_LABEL, isProven, proofsOf } from './consent.ts';
import { type Change, type Draft, failureDraft, failureWords, type Looked, listed, type RecordToSet, shown } from './consent-finding.ts';
import { isAtOrBelow } from './host-name.ts';
import { NAMES_LIMIT } from './look-bounds.ts';
import { mistakesAt, placeStops, remembered } from './place-findings.ts';
import { type Useless, uselessBecause } from './reverse-name.ts';

/** What keeps anything from being sent to an address, whoever has proven what. */
export function addressStops(side: AddressFacts, { host }: Looked): Draft[] {
  const { address, forbidden, operators, reverseZone, delegated, claims, claimsFailure, claimsTrouble, namesBeyond = 0 } = side;
  const { text } = address;
  if (forbidden !== undefined && !operators) return [mayNeverBeProbed(text, forbidden, host)];
  const pointer = { type: 'PTR', name: reverseName(address), said: 'no answer' } as const;
  return [
    ...(namesBeyond > 0 ? [tooManyNames(text, NAMES_LIMIT + namesBeyond)] : []),
    ...(claimsTrouble ? [namesUnknown(text, claimsFailure ?? pointer)] : []),
    ...[reverseZone, delegated].flatMap((place) => (place === undefined ? [] : placeStops(place, { whose: { address: text } }))),
    // What is said at the host's own name is said of the name.
    ...claims
      .filter(({ name }) => name !== host)
      .flatMap(({ name, places }) => places.flatMap((place) => placeStops(place, { whose: { claimed: name, address: text } }))),
  ];
}

function mayNeverBeProbed(text: string, forbidden: string, host: string): Draft {
  return {
    kind: 'forbidden-address',
    found: text,
    means: `${text} may never be probed: ${forbidden}. A host with such an address is not audited at all.`,
    change: {
      what: host === text ? 'Register the server by its public name or address.' : `Remove ${text} from the address records of ${host}.`,
    },
  };
}

function tooManyNames(text: string, many: number): Draft {
  return {
    kind: 'too-many-names',
    found: `${many} names`,
    means: `Reverse DNS gives ${text} ${many} names. We ask ${NAMES_LIMIT} at most for deny records. Since we could miss one, nothing is sent.`,
    change: {
      what: `Have the provider of ${text} leave it one name.`,
      send: `Please leave ${text} one PTR record. It has ${many} now.`,
    },
  };
}

function namesUnknown(text: string, failure: NonNullable<AddressFacts['claimsFailure']>): Draft {
  const { asked, found } = failureWords(failure);
  const means = `DNS does not say which names ${text} has. One of them may forbid probes, so nothing is sent until it does.`;
  return failureDraft(failure, means, {
    what: `The reverse zone of ${text} belongs to whoever holds the address, most often your hosting or Internet provider. Ask them to fix its name servers.`,
    send: `The reverse DNS of ${text} fails: ${asked} gets ${found}. Please make sure that every name server that the reverse zone is delegated to answers.`,
  });
}

/** What an address lacks to be proven, the one thing that is told. */
export function addressFindings(side: AddressFacts, looked: Looked): Draft[] {
  const [first] = waysOf(side, looked);
  const unknown = side.claimsTrouble || side.reverseZone?.saying === 'trouble' || side.delegated?.saying === 'trouble';
  // Where DNS does not answer, nothing shows that a record is missing.
  return first === undefined || (unknown && ABSENT.includes(first.kind)) ? [] : [first];
}

const ABSENT: readonly Draft['kind'][] = ['no-record', 'no-reverse-dns'];

/** What would prove an address, any one of it: first what its owner seems to have tried, or else reverse DNS. Nothing for one that is proven, or that nothing proves. */
export function waysOf(side: AddressFacts, looked: Looked): Draft[] {
  const places = [side.reverseZone, side.delegated, ...(looked.facts.namePlaces ?? []), ...side.claims.flatMap((claim) => claim.places)];
  if (side.forbidden !== undefined || side.operators || proofsOf(side).length > 0) return [];
  if (places.some((place) => place?.saying === 'deny')) return [];
  const [byName, byZone] = [byReverseDns(side, looked), byReverseZone(side, looked)];
  return byZone.kind === 'no-record' || byZone.kind === 'other-text' ? [byName, byZone] : [byZone, byName];
}

function byReverseZone({ address, reverseZone, delegated }: AddressFacts, { token }: Looked): Draft {
  const place = delegated ?? reverseZone ?? { name: `${CONSENT_LABEL}.${reverseName(address)}`, saying: 'nothing' };
  const record: RecordToSet = { name: place.name, type: 'TXT', value: token };
  const whose =
    delegated === undefined
      ? `where the reverse zone of ${address.text} is yours`
      : `in the zone to which your provider hands the reverse DNS of ${address.text} over`;
  const [wrong] = [delegated, reverseZone].flatMap((each) => (each === undefined ? [] : mistakesAt(each, token)));
  if (wrong !== undefined) return { ...wrong, proves: 'reverse-zone' };
  return {
    kind: 'no-record',
    asked: `TXT ${place.name}`,
    found: 'no record',
    means: `DNS does not show yet that ${address.text} is yours.${remembered(place)}`,
    change: { what: `Add this record ${whose}.`, records: [record] },
    proves: 'reverse-zone',
  };
}

const STAND_IN = 'mail.example.org'; // where no name of the owner's is known

function byReverseDns(side: AddressFacts, looked: Looked): Draft {
  const { address, claims } = side;
  const { host, token, facts } = looked;
  // A public suffix is a name that nothing proves, so nothing is gained by leading there.
  const own = (facts.namePlaces ?? []).length === 0 ? undefined : host;
  const read = claims.map((claim) => ({ claim, useless: uselessBecause(claim, address, facts.zone) }));
  const usable = leastLacking(read.flatMap(({ claim, useless }) => (useless === undefined || isProven(claim.places) ? [claim] : [])));
  const [first] = read;
  const pointer = pointerChange(address, own, token);
  const asked = `PTR ${reverseName(address)}`;
  const draft =
    usable !== undefined
      ? mendClaim(side, usable, own, looked)
      : first?.useless === undefined
        ? {
            kind: 'no-reverse-dns' as const,
            found: 'no record',
            means: `${address.text} has no reverse DNS, and nothing else shows yet that it is yours.${remembered({ rememberedMs: side.claimsRememberedMs })}`,
            change: pointer,
          }
        : uselessName(first.claim.name, first.useless, address, pointer);
  return { asked, ...draft, proves: 'reverse-dns' };
}

function leastLacking(usable: readonly ClaimedName[]): ClaimedName | undefined {
  const back = usable.filter(({ leadsBack }) => leadsBack === true);
  const open = usable.filter(({ leadsBack }) => leadsBack !== false);
  return usable.find(({ places }) => isProven(places)) ?? back[0] ?? open[0] ?? usable[0];
}

function pointerRecord(address: Address, name: string): RecordToSet {
  return { name: reverseName(address), type: 'PTR', value: name };
}

function addressRecord(name: string, { family, text }: Address): RecordToSet {
  return { name, type: family === 4 ? 'A' : 'AAAA', value: text };
}

function tokenRecord(name: string, token: string): RecordToSet {
  return { name: `${CONSENT_LABEL}.${name}`, type: 'TXT', value: token };
}

function pointerChange(address: Address, own: string | undefined, token: string): Change & { readonly send: string } {
  const { text } = address;
  if (own !== undefined)
    return {
      what: `Have the provider of ${text} set its reverse DNS (PTR) to ${own}. Another name that you have proven works too, if it leads back to the address.`,
      records: [pointerRecord(address, own)],
      send: `Please set the reverse DNS (PTR record) of ${text} to ${own}.`,
    };
  return {
    what: `Set all three records, with a name of yours in the place of ${STAND_IN}. The first and the last go into your zone. The provider of ${text} sets the PTR record, its reverse DNS.`,
    records: [tokenRecord(STAND_IN, token), pointerRecord(address, STAND_IN), addressRecord(STAND_IN, address)],
    send: `Please set the reverse DNS (PTR record) of ${text} to ${STAND_IN}.`,
  };
}

const USELESS: Readonly<Record<Useless['kind'], { readonly kind: Draft['kind']; readonly means: string }>> = {
  underscore: { kind: 'reverse-name-underscore', means: 'A host name cannot contain an underscore (RFC 1123 §2.1).' },
  address: { kind: 'reverse-name-address', means: 'That is an address. A PTR record must hold a host name.' },
  localhost: { kind: 'reverse-name-localhost', means: 'Every machine goes by that name, so it proves nothing.' },
  'zone-appended': {
    kind: 'reverse-name-zone-appended',
    means: 'The dot at the end of the name is missing in the PTR record, so the zone was added to it.',
  },
  'public-suffix': { kind: 'reverse-name-public-suffix', means: 'Anybody can register names under it, so nobody can prove it.' },
  provider: { kind: 'provider-name', means: 'That is a generic name, where only the provider can add records.' },
  unreadable: { kind: 'reverse-name-unreadable', means: 'That is not a host name: it may contain only letters, digits, hyphens and dots.' },
};

function uselessName(name: string, useless: Useless, address: Address, pointer: Change & { readonly send: string }): Draft {
  const { kind, means } = USELESS[useless.kind];
  const meant = useless.kind === 'zone-appended' ? ` It was probably meant to be ${shown(useless.meant)}.` : '';
  return {
    kind,
    found: shown(name),
    means: `The reverse DNS of ${address.text} is ${shown(name)}. ${means}${meant}`,
    change: { ...pointer, send: `${pointer.send} It is now ${shown(name)}. ${means}` },
  };
}

function mendClaim(side: AddressFacts, claim: ClaimedName, own: string | undefined, { token, facts: { zone } }: Looked): Draft {
  const { address } = side;
  const { name, places, leadsBack } = claim;
  const calls = `The reverse DNS of ${address.text} is ${name}`;
  const proven = isProven(places);
  if (leadsBack === false) {
    const found = leadsElsewhere(address, claim, proven || name === own ? undefined : tokenRecord(name, token));
    // To have a second machine answer to that name helps nobody, where the host has a name.
    return own === undefined || name === own || (claim.addresses ?? []).length === 0
      ? found
      : { ...found, change: pointerChange(address, own, token) };
  }
  if (proven)
    return failureDraft(
      claim.failure ?? { type: address.family === 4 ? 'A' : 'AAAA', name, said: 'no answer' },
      `${calls}, which you have proven. DNS does not say whether that name leads back to the address.`,
      { what: `Make sure that every name server of ${name} answers this question.` },
    );
  // The record of the host's own name is told with the name.
  if (name === own)
    return {
      kind: 'waits-for-name',
      found: name,
      means: `${calls}${leadsBack === true ? ', which leads back to it' : ''}.`,
      change: { what: 'Nothing more is needed for the address once that name is proven.' },
    };
  const unproven = {
    kind: 'reverse-name-unproven',
    found: name,
    means: `${calls}${leadsBack === true ? ', which leads back to it' : ''}. DNS does not show yet that this name is yours.`,
  } as const;
  if (own !== undefined && zone !== undefined && !isAtOrBelow(name, zone)) {
    const pointer = pointerChange(address, own, token);
    const { name: place } = tokenRecord(name, token);
    return {
      ...unproven,
      change: { ...pointer, what: `${pointer.what} If ${name} is yours, a TXT record at ${place} with your token does as well.` },
    };
  }
  return {
    ...unproven,
    change: {
      what: `If that name is yours${leadsBack === true ? '' : ' and leads back to the address'}, add this record. If not, have the reverse DNS of ${address.text} changed to a name of yours.`,
      records: [tokenRecord(name, token)],
    },
  };
}

function leadsElsewhere(address: Address, { name, addresses = [] }: ClaimedName, token: RecordToSet | undefined): Draft {
  const record = addressRecord(name, address);
  const leads = addresses.length === 0 ? `has no ${record.type} record` : `leads to ${listed(addresses.map(shown))}`;
  const add =
    token === undefined ? 'Add this address record' : 'If that name is yours, add both records, since the TXT record alone proves nothing';
  return {
    kind: 'does-not-lead-back',
    asked: `${record.type} ${name}`,
    found: addresses.length === 0 ? 'no record' : listed(addresses.map(shown)),
    means: `The reverse DNS of ${address.text} is ${name}, but ${name} ${leads}. A name proves an address only if it leads back.`,
    change: {
      what: `${add}. ${token === undefined ? 'Or' : 'If not,'} have the reverse DNS of ${address.text} changed to a name that leads to it.`,
      records: [record, ...(token === undefined ? [] : [token])],
    },
  };
}
