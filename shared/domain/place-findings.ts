import { CONSENT_LABEL, DENY, type DnsFailure, type Place, type ServerSaying } from './consent.ts';
import { type Change, type Draft, failureDraft, failureWords, type Looked, listed, relativeTo, shown, spanOf } from './consent-finding.ts';
import { type Mistake, mistakeIn } from './consent-text.ts';

/** Whose a zone is, for who can mend it: the owner's of a host's name, that of the holder of an address, or that of a further name of one. */
export type Whose = { readonly zone: string } | { readonly address: string } | { readonly claimed: string; readonly address: string };

/** What stands at a place that keeps anything from being sent, whoever has proven what: a veto, a failure, name servers that disagree. */
export function placeStops(place: Place, { whose }: { readonly whose: Whose }): Draft[] {
  const asked = `TXT ${shown(place.name)}`;
  if (place.saying === 'deny')
    return [
      {
        kind: 'veto',
        asked,
        found: `“${DENY}”`,
        means: `A deny record at ${shown(place.name)} forbids probes. Nothing is sent while it is there.`,
        change: { what: 'Remove it if it is yours. If it is not, talk to whoever set it.' },
      },
    ];
  if (place.servers !== undefined && disagree(place)) return [disagreement(asked, place, whose)];
  if (place.saying !== 'trouble') return [];
  const failure = place.failure ?? { type: 'TXT', name: place.name, said: 'no answer' };
  return [failureDraft(failure, HIDES_VETO, mendZone(place.name, failure, whose))];
}

const HIDES_VETO = 'A deny record may hide behind this failure, so nothing is sent until we get an answer.';

function mendZone(name: string, failure: DnsFailure, whose: Whose): Change {
  const record = shown(name);
  const right = 'If there is no record, NOERROR or NXDOMAIN is the right answer.';
  if ('claimed' in whose)
    return {
      what: `One of the names of ${whose.address} in reverse DNS is ${shown(whose.claimed)}. Fix the zone of that name, or have the provider of ${whose.address} remove this PTR record.`,
      send: `Please remove the PTR record of ${whose.address} that names ${shown(whose.claimed)}: DNS does not answer for that name.`,
    };
  if ('address' in whose)
    return {
      what: `The reverse zone of ${whose.address} belongs to whoever holds the address, most often your hosting or Internet provider. Ask them to fix its name servers.`,
      send: `DNS questions in the reverse zone of ${whose.address} fail: TXT ${record} gets ${failureWords(failure).found}. Please make sure that every name server that the zone is delegated to answers. ${right}`,
    };
  return {
    what: `Make sure that every name server of ${whose.zone} answers this question. ${right} If a wildcard CNAME (*.${whose.zone}) leads elsewhere, a TXT record at ${record} stops that.`,
  };
}

const SAID: Readonly<Record<ServerSaying['saying'], string>> = {
  token: 'your token',
  deny: '“deny”',
  other: 'another text',
  nothing: 'no record',
  silent: 'no answer',
};

// A server that is silent beside others that agree is a spare that is down; and what is neither token nor veto decides nothing.
function disagree({ saying, servers = [] }: Place): boolean {
  const said = new Set(servers.map((each) => each.saying).filter((each) => each !== 'silent'));
  return (said.size > 1 && (said.has('token') || said.has('deny'))) || (saying === 'trouble' && said.size > 0);
}

function disagreement(asked: string, { saying: seen, servers = [] }: Place, whose: Whose): Draft {
  const until = seen === 'token' ? 'Until they agree, some scans are made and others are not.' : 'Nothing is sent until they agree.';
  const right = servers.some(({ saying }) => saying === 'token') ? 'token' : undefined;
  const behind = servers.filter(({ saying }) => saying === 'silent' || (right !== undefined && saying !== right));
  const names = listed((behind.length === 0 ? servers : behind).map(({ server }) => shown(server)));
  const mend = `load the current zone on ${names}, and compare the serial numbers in the SOA records`;
  const provider = 'address' in whose && !('claimed' in whose) ? whose.address : undefined;
  const zones =
    'claimed' in whose
      ? `The name servers of ${shown(whose.claimed)}`
      : provider === undefined
        ? 'Your name servers'
        : `The name servers of the reverse zone of ${provider}`;
  return {
    kind: 'servers-disagree',
    asked,
    found: listed(servers.map(({ server, saying }) => `${shown(server)}: ${SAID[saying]}`)),
    means: `${zones} disagree, so the answer depends on which of them is asked. ${until}`,
    change:
      provider === undefined
        ? { what: `${mend.charAt(0).toUpperCase()}${mend.slice(1)}.` }
        : {
            what: `Ask the provider of ${provider} to fix them.`,
            send: `The name servers of the reverse zone of ${provider} give different answers to ${asked}. Please ${mend}.`,
          },
  };
}

/** Why the name’s side is not proven, and the record that it needs; nothing where DNS does not say whether the record is there. */
export function recordFindings(looked: Looked): Draft[] {
  const { facts, host, token } = looked;
  const [own, ...above] = facts.namePlaces ?? [];
  if (own === undefined) return [publicSuffix(host)];
  const mistakes = [own, ...above].flatMap((place) => mistakesAt(place, token));
  const found = mistakes.find(({ kind }) => kind !== 'other-text') ?? misplaced(looked, own) ?? mistakes[0];
  if (found === undefined && own.saying !== 'nothing') return [];
  const draft = found ?? absent(looked, own, above);
  const { records = [{ name: own.name, type: 'TXT', value: token }] } = draft.change;
  return [{ ...draft, change: { ...draft.change, records }, proves: 'name' }];
}

function publicSuffix(host: string): Draft {
  return {
    kind: 'public-suffix',
    found: 'a public suffix',
    means: `${host} is a public suffix. Anybody can register names under it, so no record can prove that it is yours.`,
    change: { what: 'Register the server by its address.' },
  };
}

function absent({ facts, host }: Looked, own: Place, above: readonly Place[]): Draft {
  const zone = facts.zone ?? host;
  const also =
    above.length === 0 ? '' : ` A record at ${above.map(({ name }) => name).join(' or ')} works too, and proves every name below it.`;
  return {
    kind: 'no-record',
    asked: `TXT ${own.name}`,
    found: 'no record',
    means: `DNS does not show yet that ${host} is yours.${remembered(own)}`,
    change: { what: `Add this record to the zone ${zone}.${also}` },
  };
}

/** For how long the absence of a record is remembered; empty where the zone's own servers were asked, who remember nothing. */
export function remembered({ rememberedMs, servers }: Pick<Place, 'rememberedMs' | 'servers'>): string {
  if (rememberedMs === undefined || servers !== undefined) return '';
  return ` The zone’s SOA tells resolvers to remember for ${spanOf(rememberedMs)} that there is no record, so we may not see a new one before that.`;
}

const MISTAKES: Readonly<Record<Mistake, { readonly means: string; readonly what: string }>> = {
  'words-beside': {
    means: 'Your token is there, but with other text in the same record, so it does not count.',
    what: 'Set the value to the token and nothing else.',
  },
  'other-token': {
    means: 'This token belongs to another account.',
    what: 'Add this record as well, or instead. Several tokens can stand side by side.',
  },
  'damaged-token': {
    means: 'This looks like your token, but part of it is missing, added or mistyped.',
    what: 'Replace the value with this one.',
  },
  'name-as-value': {
    means: 'The value is the record’s name, where the token should be.',
    what: 'Put the name into the name field, and the token into the value field.',
  },
  other: {
    means: 'There is a TXT record, but it does not hold your token. If you did not add it, a wildcard record is answering.',
    what: 'Add this record. It can stand beside others.',
  },
};

/** What is wrong with what stands at a place where the token is looked for; nothing for a place without foreign texts. */
export function mistakesAt({ name, saying, texts = [] }: Place, token: string): Draft[] {
  if (saying !== 'other') return [];
  const read = texts.map((text) => ({ text, mistake: mistakeIn(text, token) }));
  const telling = read.find(({ mistake }) => mistake !== 'other');
  const mistake = telling?.mistake ?? 'other';
  const found = telling === undefined ? texts : [telling.text];
  const { means, what } = MISTAKES[mistake];
  return [
    {
      kind: mistake === 'other' ? 'other-text' : mistake,
      asked: `TXT ${shown(name)}`,
      found: texts.length === 0 ? 'something else' : listed(found.map((text) => `“${shown(text)}”`)),
      means,
      change: { what, records: [{ name, type: 'TXT', value: token }] },
    },
  ];
}

// The record is somewhere, but not where it is looked for.
function misplaced({ facts, token }: Looked, own: Place): Draft | undefined {
  for (const place of facts.misplaced ?? []) {
    const [wrong] = mistakesAt(place, token);
    const isAttempt = wrong !== undefined && wrong.kind !== 'other-text';
    if (place.saying !== 'token' && !isAttempt) continue;
    const name = shown(place.name);
    const { why, how } = whyThere(place.name, own.name, facts.zone);
    return {
      kind: 'misplaced',
      asked: `TXT ${name}`,
      found: isAttempt ? wrong.found : 'your token',
      means: `We found ${isAttempt ? 'a record' : 'your token'} at ${name}, but we look for it at ${own.name}. ${why}${isAttempt ? ` The value is wrong too. ${wrong.means}` : ''}`,
      change: { what: `Move it to ${own.name}${how}.` },
    };
  }
  return undefined;
}

function whyThere(name: string, wanted: string, zone: string | undefined): { readonly why: string; readonly how: string } {
  if (zone !== undefined && name.startsWith(`${CONSENT_LABEL}.`) && name.endsWith(`.${zone}.${zone}`))
    return {
      why: 'Your DNS provider’s form adds the zone to what you type.',
      how: `: type only ${relativeTo(wanted, zone) ?? wanted} as the name`,
    };
  if (name === wanted.slice(1)) return { why: 'The underscore at the beginning is missing.', how: '' };
  if (!name.startsWith(CONSENT_LABEL)) return { why: `The label ${CONSENT_LABEL} is missing.`, how: '' };
  return { why: 'That is the record of another name.', how: '' };
}
