import { CONSENT_LABEL, type DomainFacts, type ExchangerFacts } from './consent.ts';
import { type Change, type Draft, failureDraft, type Looked, listed, type RecordToSet, shown } from './consent-finding.ts';
import { readName } from './host-name.ts';

/** What is wrong with the mail servers that a served domain names, one by one, and why the domain is not used where it is not. */
export function domainFindings(facts: DomainFacts, looked: Looked): Draft[] {
  const { domain, used, mail, exchangers, failure } = facts;
  const asked = `MX ${domain}`;
  if (mail === 'trouble')
    return [
      failureDraft(
        failure ?? { type: 'MX', name: domain, said: 'no answer' },
        `DNS does not say who takes mail for ${domain}, so the domain is not used for now.`,
        { what: `Make sure that every name server of ${domain} answers this question.` },
      ),
    ];
  const bad = exchangers.flatMap((each) => exchangerFinding(each, facts, asked, looked));
  if (used) return bad;
  const change = takeIn(domain, looked);
  if (mail === 'null')
    return [
      {
        kind: 'null-mx',
        asked,
        found: '“.”, the null MX',
        means: `${domain} says that it takes no mail (RFC 7505), so it is not used.`,
        change: { ...change, what: 'Remove it from the served domains. If it does take mail, remove the null MX and add this record.' },
      },
    ];
  if (mail === 'implicit')
    return [
      {
        kind: 'no-mx',
        asked,
        found: 'no record',
        means: `${domain} has no MX record, so DNS does not say that ${looked.host} takes its mail.`,
        change,
      },
    ];
  const elsewhere = exchangers.filter((each) => each.is === 'elsewhere');
  if (elsewhere.length === 0) return bad;
  return [
    ...bad,
    {
      kind: 'mx-elsewhere',
      asked,
      found: listed(exchangers.map(({ name }) => shown(name))),
      means: `The mail of ${domain} goes to ${listed(elsewhere.map(({ name }) => shown(name)))}, not to ${looked.host}, so the domain is not used.`,
      change: {
        what: `Remove it from the served domains. If ${looked.host} takes its mail all the same, add this record.`,
        records: [{ name: `${CONSENT_LABEL}.${domain}`, type: 'TXT', value: looked.token }],
      },
    },
  ];
}

// A host that is given as an address has no name that an MX could hold.
function takeIn(domain: string, { host, token }: Looked): Change & { readonly records: readonly RecordToSet[] } {
  if (readName(host).kind === 'name')
    return { what: `If ${host} takes its mail, add this record.`, records: [{ name: domain, type: 'MX', value: `10 ${host}` }] };
  return {
    what: `If ${host} takes its mail, add this record.`,
    records: [{ name: `${CONSENT_LABEL}.${domain}`, type: 'TXT', value: token }],
  };
}

function exchangerFinding({ name, is, failure }: ExchangerFacts, { domain }: DomainFacts, asked: string, { host }: Looked): Draft[] {
  const mx = `The MX of ${domain} names ${shown(name)}`;
  const right = 'Put the name of the server into the MX';
  switch (is) {
    case 'this-host':
    case 'elsewhere':
      return [];
    case 'alias':
      return [
        {
          kind: 'mx-alias',
          asked: `CNAME ${shown(name)}`,
          found: 'a CNAME',
          means: `${mx}, which is an alias (CNAME). An MX must hold the server’s own name (RFC 2181 §10.3); some senders refuse an alias.`,
          change: { what: `Put the name that ${shown(name)} leads to into the MX.` },
        },
      ];
    case 'no-name':
      return [
        {
          kind: 'mx-no-name',
          asked,
          found: shown(name),
          means: `${mx}, which is not a host name: it may contain only letters, digits, hyphens and dots. Many senders cannot deliver to it.`,
          change: { what: 'Give the server a name without other characters, and put that into the MX.' },
        },
      ];
    case 'literal':
      return [
        {
          kind: 'mx-literal',
          asked,
          found: shown(name),
          means: `${mx}, which is an address. An MX must hold a name; most senders cannot deliver to an address.`,
          change:
            readName(host).kind === 'name'
              ? { what: `${right}.`, records: [{ name: domain, type: 'MX', value: `10 ${host}` }] }
              : { what: `${right}, and give that name an address record.` },
        },
      ];
    case 'no-address':
      return [
        {
          kind: 'mx-no-address',
          asked: `A and AAAA ${shown(name)}`,
          found: 'no record',
          means: `${mx}, which has no address, so no mail can go there.`,
          change: { what: `Add an A or AAAA record for ${shown(name)}, or remove it from the MX.` },
        },
      ];
    case 'trouble':
      return [
        failureDraft(failure ?? { type: 'A', name, said: 'no answer' }, `${mx}, and DNS does not say which addresses that has.`, {
          what: `Make sure that every name server of ${shown(name)} answers this question, or remove it from the MX.`,
        }),
      ];
  }
}
