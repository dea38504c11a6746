import { addressFindings, addressStops } from './address-findings.ts';
import { type ConsentFacts, type DnsFailure, isProven } from './consent.ts';
import { type ConsentFinding, type Draft, failureDraft, type Looked } from './consent-finding.ts';
import { domainFindings } from './domain-findings.ts';
import { POOL_LIMIT, QUESTIONS_LIMIT, REQUEST_LOOK_MS } from './look-bounds.ts';
import { placeStops, recordFindings, remembered } from './place-findings.ts';

/**
 * What a look at consent has found that is not as it should be, most telling first within each of name, addresses and served domains: what
 * was asked, what came, what it means, and the one change that would make it right.
 */
export function findingsOf(looked: Looked): ConsentFinding[] {
  const { facts } = looked;
  const name = nameFindings(looked).map((draft) => ({ side: 'name' as const, about: looked.host, ...draft }));
  const addresses = facts.addresses.flatMap((side) =>
    [...addressStops(side, looked), ...addressFindings(side, looked)].map((draft) => ({
      side: 'address' as const,
      about: side.address.text,
      ...draft,
    })),
  );
  const domains = looked.domains.flatMap((domain) =>
    domainFindings(domain, looked).map((draft) => ({ side: 'served-domain' as const, about: domain.domain, ...draft })),
  );
  return [...name, ...addresses, ...domains];
}

function nameFindings(looked: Looked): Draft[] {
  const { facts, host, addressesFound } = looked;
  const { namePlaces, addressFailure, addresses } = facts;
  const operators = addresses.length > 0 && addresses.every((side) => side.operators);
  const stops = (namePlaces ?? []).flatMap((place) => placeStops(place, { whose: { zone: facts.zone ?? host } }));
  const missing = namePlaces === undefined || operators || isProven(namePlaces) || hasVeto(looked) ? [] : recordFindings(looked);
  const cut = facts.cut === 'time' ? [tooSlow(host)] : facts.cut === 'questions' ? [tooManyQuestions(host)] : [];
  return [
    ...cut,
    ...(addressesFound > POOL_LIMIT ? [tooManyAddresses(host, addressesFound)] : []),
    ...(addressFailure === undefined ? [] : [addressesFailed(addressFailure, addresses.length > 0)]),
    ...(addresses.length === 0 && addressesFound === 0 && addressFailure === undefined ? [noAddress(host, facts)] : []),
    ...stops,
    ...missing,
  ];
}

function hasVeto({ facts }: Looked): boolean {
  return (facts.namePlaces ?? []).some(({ saying }) => saying === 'deny');
}

function noAddress(host: string, { addressesRememberedMs: rememberedMs }: ConsentFacts): Draft {
  return {
    kind: 'no-address',
    asked: `A and AAAA ${host}`,
    found: 'no record',
    means: `${host} has no address, so there is no server to audit.${remembered({ rememberedMs })}`,
    change: { what: `Add an A or AAAA record for ${host}, or register the server by its address.` },
  };
}

function addressesFailed(failure: DnsFailure, otherFamily: boolean): Draft {
  const one = failure.type === 'AAAA' ? 'IPv6' : 'IPv4';
  const means = otherFamily
    ? `DNS does not say which ${one} addresses ${failure.name} has. We audit the others.`
    : `DNS does not say which addresses ${failure.name} has, so there is nothing to audit.`;
  return failureDraft(failure, means, {
    what: `Make sure that every name server of ${failure.name} answers this question. If there is no such record, the right answer is NOERROR without one.`,
  });
}

function tooManyAddresses(host: string, many: number): Draft {
  return {
    kind: 'too-many-addresses',
    asked: `A and AAAA ${host}`,
    found: `${many} addresses`,
    means: `${host} has ${many} addresses. We do not look at names with more than ${POOL_LIMIT}.`,
    change: { what: 'Register the server by its address.' },
  };
}

function tooSlow(host: string): Draft {
  return {
    kind: 'slow-dns',
    found: `no answer to some questions within ${REQUEST_LOOK_MS / 1_000} seconds`,
    means: `DNS took more than ${REQUEST_LOOK_MS / 1_000} seconds to answer our questions about ${host}, so we may have missed a deny record. Nothing is sent until it answers faster.`,
    change: {
      what: 'Look again: by then the answers are often remembered. If that does not help, take name servers that do not answer out of the delegation.',
    },
  };
}

function tooManyQuestions(host: string): Draft {
  return {
    kind: 'too-many-questions',
    found: `more than ${QUESTIONS_LIMIT} questions to ask`,
    means: `Looking for deny records would take more than ${QUESTIONS_LIMIT} questions to DNS, and we ask no more for one server. Since we could miss one, nothing is sent to ${host}.`,
    change: { what: 'Have the reverse DNS (PTR) of its addresses cut down to fewer names, or shorter ones.' },
  };
}
