import { addSentences, type Known, knownAs, knownSentence } from './known-server.ts';
import { providerOf, type RunBy } from './mail-providers.ts';

/** An address as it was found: its names by reverse DNS, why nobody may probe it, whether the operator has stated it to be theirs. */
export type FoundAddress = {
  readonly text: string;
  readonly names: readonly string[];
  readonly forbidden?: string | undefined;
  readonly operators: boolean;
};

/** A server as it was found. `unknown`: DNS did not say which addresses it has. `alsoCalled`: other names that lead to it. */
export type FoundServer = {
  readonly name: string;
  readonly addresses: readonly FoundAddress[];
  readonly unknown: boolean;
  readonly alsoCalled?: readonly string[] | undefined;
};

/** A mail exchanger as an MX record names it. */
export type Exchanger = { readonly name: string; readonly preference: number };

/** A domain and its mail exchangers. `unknown`: DNS did not say. */
export type FoundDomain = { readonly name: string; readonly mail: readonly Exchanger[]; readonly unknown: boolean };

/** An alert recipient and the servers that take the mail of its domain: by MX, or the domain itself where it has none. */
export type Delivery = { readonly recipient: string; readonly domain: string; readonly servers: readonly ServerAddresses[] };

/** A server by its name, with the addresses that this leads to. */
export type ServerAddresses = { readonly name: string; readonly addresses: readonly string[] };

/** Where our probes come from, and the name they say EHLO with. */
export type Ourselves = { readonly addresses: readonly string[]; readonly ehloName: string };

/** All that was found out about a name before its owner has registered anything. */
export type ProposalFacts = {
  /** The server of that very name. */
  readonly itself: FoundServer;
  /** The name as a domain; an address is none, and has no MX. */
  readonly domain: FoundDomain;
  /** The servers that its MX names, the preferred one first. */
  readonly exchangers: readonly FoundServer[];
  /** The domains above the name, up to the one that somebody can have registered. */
  readonly above: readonly FoundDomain[];
  /** How the account's own address is delivered. */
  readonly delivery?: Delivery | undefined;
  readonly ourselves: Ourselves;
  /** The hosts of the account that these servers are already, by the names of the servers. */
  readonly audited?: ReadonlyMap<string, Known['host']>;
  /** What DNS did not answer, as sentences. */
  readonly trouble: readonly string[];
};

/**
 * One server of a proposal: whose it is, and why it can or cannot be audited. `sameAs`: the other one that stands for it, with all of its
 * addresses.
 */
export type ProposedServer = {
  name: string;
  role: 'this-name' | 'mx';
  preference?: number | undefined;
  addresses: string[];
  runBy?: RunBy | undefined;
  auditable: boolean;
  why: string;
  sameAs?: string | undefined;
  forward?: string | undefined;
};

/** What a ban tool is told about us, and what relay rules must never be told. */
export type Exempt = { addresses: string[]; ehloName: string; ignoreip: string; where: string; warning: string };

/** What is worth knowing when a host is registered. */
export type Advice = { exempt?: Exempt | undefined; recipientWarning?: string | undefined };

type Body = { name: string; servedDomains: string[] };

/** What to register for a name, for people who know their domain better than their servers. */
export type Proposal = Advice & {
  name: string;
  servers: ProposedServer[];
  servedDomains: string[];
  next: string;
  /** The servers that hosts of the account are already. */
  registered?: Known[] | undefined;
  /** Bodies for `POST /v1/hosts`, one for each other server. */
  register?: Body[] | undefined;
  trouble?: string[] | undefined;
};

/** What to propose to the owner of a name. */
export function proposalFor(facts: ProposalFacts): Proposal {
  const named = serversOf(facts);
  const ours = named.filter(({ shown }) => shown.auditable && shown.sameAs === undefined);
  const wishes = ours.map(({ shown: { name, addresses } }) => {
    const names = named.filter(({ shown }) => shown.name === name || shown.sameAs === name);
    return { name, addresses, servedDomains: [...new Set(names.flatMap(({ found }) => domainsOf(found, facts)))] };
  });
  const registered = wishes.flatMap((wish) => {
    const host = facts.audited?.get(wish.name);
    return host === undefined ? [] : [knownAs(host, wish)];
  });
  const hosts = wishes.filter(({ name }) => facts.audited?.has(name) !== true);
  const register = hosts.map(({ name, servedDomains }) => ({ name, servedDomains }));
  const servers = named.map(({ shown }) => withForward(shown, named, facts.domain.name));
  const recipientWarning = warningFor(hosts, facts.delivery === undefined ? [] : [facts.delivery]);
  return {
    name: facts.domain.name,
    servers,
    servedDomains: [...new Set(wishes.flatMap(({ servedDomains }) => servedDomains))],
    next: [
      ...registered.flatMap((known) => [knownSentence(known), ...addSentences(known, 'registered')]),
      ...(registered.length > 0 && register.length === 0 ? [] : [nextFor(facts, servers, register, recipientWarning !== undefined)]),
    ].join(' '),
    registered: someOf(registered),
    register: someOf(register),
    exempt: exemptFor(facts.ourselves),
    recipientWarning,
    trouble: someOf(facts.trouble),
  };
}

/** What the owner of a host should hear when it is registered or its recipients change. `addresses` are the host's own. */
export function adviceFor(host: {
  readonly name: string;
  readonly servedDomains: readonly string[];
  readonly alertRecipients: readonly string[];
  readonly facts: { readonly addresses: readonly string[]; readonly deliveries: readonly Delivery[]; readonly ourselves: Ourselves };
}): Advice {
  const { name, servedDomains, alertRecipients, facts } = host;
  const deliveries = alertRecipients.flatMap((each) => facts.deliveries.find(({ recipient }) => recipient === each) ?? unseen(each));
  return {
    exempt: exemptFor(facts.ourselves),
    recipientWarning: warningFor([{ name, addresses: facts.addresses, servedDomains }], deliveries),
  };
}

/** The domain of a mailbox, in lower case. */
export function domainOfMailbox(mailbox: string): string {
  return mailbox.slice(mailbox.lastIndexOf('@') + 1).toLowerCase();
}

type Named = { readonly found: FoundServer; readonly shown: ProposedServer };

function serversOf(facts: ProposalFacts): Named[] {
  const { itself, domain, exchangers } = facts;
  const named = (found: FoundServer, role: ProposedServer['role']): Named => {
    const preference = domain.mail.find(({ name }) => name === found.name)?.preference;
    return { found, shown: { name: found.name, role, preference, addresses: hostOf(found).addresses, ...ownershipOf(found) } };
  };
  const listed = exchangers.some(({ name }) => name === itself.name);
  return onceEach([
    ...(!listed && isServer(facts) ? [named(itself, 'this-name')] : []),
    ...exchangers.map((found) => named(found, found.name === itself.name ? 'this-name' : 'mx')),
  ]);
}

// A name stands for all that lead to none but its own addresses: of two that have the same the first, since a registration of the other is refused.
function onceEach(named: readonly Named[]): Named[] {
  const ours = named.filter(({ shown }) => shown.auditable && shown.addresses.length > 0);
  const standsFor = (one: Named, other: Named) =>
    one !== other &&
    other.shown.addresses.every((each) => one.shown.addresses.includes(each)) &&
    (one.shown.addresses.length > other.shown.addresses.length || ours.indexOf(one) < ours.indexOf(other));
  const main = ours.filter((other) => !ours.some((one) => standsFor(one, other)));
  return named.map((each) => {
    const sameAs = ours.includes(each) ? main.find((one) => standsFor(one, each))?.shown.name : undefined;
    if (sameAs === undefined) return each;
    return { ...each, shown: { ...each.shown, sameAs, why: `It leads to the same server as ${sameAs}, and one host audits both.` } };
  });
}

// A domain whose MX points elsewhere has an address for its web site, which takes no mail. Without an MX the address takes it
// (RFC 5321 §5.1), and a name that another domain's MX gives is a mail server in any case.
function isServer({ itself, domain, above }: ProposalFacts): boolean {
  if (above.some(({ mail }) => namesServer(mail, itself))) return true;
  return domain.mail.length === 0 && !domain.unknown && (itself.addresses.length > 0 || itself.unknown);
}

function namesServer(mail: readonly Exchanger[], server: FoundServer): boolean {
  return mail.some(({ name }) => name === server.name || server.alsoCalled?.includes(name) === true);
}

function domainsOf(server: FoundServer, { domain, above }: ProposalFacts): string[] {
  return [domain, ...above].filter(({ mail }) => namesServer(mail, server)).map(({ name }) => name);
}

function ownershipOf({ name, addresses, unknown }: FoundServer): Pick<ProposedServer, 'runBy' | 'auditable' | 'why'> {
  if (addresses.some(({ operators }) => operators))
    return { auditable: true, why: 'It lies in a network that the operator of this service has stated to be theirs.' };
  const byName = providerOf(name);
  // Anybody may write a provider's name into their reverse zone. All they get by it is wrong advice about their own server.
  const reverse = addresses.flatMap((address) => address.names).find((each) => providerOf(each) !== undefined);
  const runBy = byName ?? (reverse === undefined ? undefined : providerOf(reverse));
  if (runBy !== undefined) return { runBy, auditable: false, why: whyTheirs(runBy, byName === undefined ? reverse : undefined) };
  if (unknown) return { auditable: true, why: 'No provider that we know has this name, but DNS did not say which addresses it has.' };
  if (addresses.length === 0) return { auditable: false, why: 'DNS has no address for it, so nobody can send anything through it.' };
  const forbidden = addresses.map((address) => address.forbidden);
  if (!forbidden.includes(undefined))
    return { auditable: false, why: `No address of it is public, so nothing outside your network reaches it: ${forbidden[0]}.` };
  return {
    auditable: true,
    why: 'No provider that we know runs it. If you do, it is yours to audit: registering it says how to prove that.',
  };
}

const NOT_YOURS = 'You cannot prove it to be yours, and there is nothing for you to fix.';

function whyTheirs({ provider, kind }: RunBy, reverse: string | undefined): string {
  const by = reverse === undefined ? '' : `, by its reverse DNS name ${reverse}`;
  const whose: Record<RunBy['kind'], string> = {
    'mailbox-provider': `${provider} runs this server${by}. ${NOT_YOURS}`,
    'shared-hosting': `This is a machine that many customers of ${provider} share${by}. ${NOT_YOURS}`,
    filter: `${provider} runs this server${by} and passes your mail on. ${NOT_YOURS} A server of your own that it passes mail on to is found by spammers without the MX: ask for that one by its own name.`,
  };
  return whose[kind];
}

function withForward(shown: ProposedServer, named: readonly Named[], domain: string): ProposedServer {
  const { runBy } = shown;
  if (runBy === undefined) return shown;
  const theirs = named.filter((each) => each.shown.runBy?.provider === runBy.provider).map((each) => each.shown.name);
  return { ...shown, forward: forwardText(runBy, domain, theirs) };
}

function forwardText({ provider }: RunBy, domain: string, servers: readonly string[]): string {
  return [
    `To the support of ${provider}:`,
    servers.includes(domain) ? `We use ${listed(servers)}, which you run.` : `We use ${listed(servers)}, which you run, for ${domain}.`,
    'An open relay is a mail server that forwards mail from anyone to anyone. We wanted to have ours checked for that. Only who runs a server can agree to such a check, so nothing has been sent to yours, and this reports no fault.',
    'Could you tell us whether you check these servers for open relaying yourselves, and whom we should tell if we ever see signs of it?',
  ].join('\n\n');
}

function nextFor(facts: ProposalFacts, servers: readonly ProposedServer[], register: readonly Body[], warned: boolean): string {
  if (servers.length === 0) return nothingFound(facts);
  const providers = [...new Set(servers.flatMap(({ runBy }) => runBy?.provider ?? []))];
  if (register.length === 0) return nothingToRegister(facts.domain.name, providers);
  const bare = register.filter(({ servedDomains }) => servedDomains.length === 0).map(({ name }) => name);
  const [first] = register;
  return [
    register.length === 1 && first !== undefined
      ? `Register ${first.name}: POST /v1/hosts with the body under "register".`
      : `Register ${listed(register.map(({ name }) => name))}: one POST /v1/hosts for each body under "register".`,
    ...(bare.length === 0
      ? []
      : [
          `Add to "servedDomains" the domains whose mail is taken by ${listed(bare)}: without one, a scan cannot tell a refusal to relay from a refusal of us.`,
        ]),
    ...(warned ? ['Add "alertRecipients" with an address elsewhere; see "recipientWarning".'] : []),
    ...(providers.length === 0 ? [] : [`Leave the servers that are run by ${listed(providers)} to them.`]),
  ].join(' ');
}

function nothingFound({ domain, trouble }: ProposalFacts): string {
  if (trouble.length > 0) return `DNS did not say which servers take mail for ${domain.name}. Ask again later.`;
  return `DNS knows no mail server for ${domain.name}, nor an address. Check the spelling, or ask for the name of the server itself.`;
}

function nothingToRegister(name: string, providers: readonly string[]): string {
  if (providers.length === 0) return 'There is nothing to register yet: "why" says of each server what is in the way.';
  return `There is nothing to register: the servers of ${name} are run by ${listed(providers)}. The text under "forward" is for them. If another server of your own takes mail by SMTP, ask for it by its own name.`;
}

type AuditedHost = ServerAddresses & { readonly servedDomains: readonly string[] };

// One recipient that is delivered elsewhere is enough for an alert to be read.
function warningFor(hosts: readonly AuditedHost[], deliveries: readonly Delivery[]): string | undefined {
  const stuck = deliveries.map((delivery) => ({ delivery, host: hosts.find((host) => delivers(host, delivery)) }));
  const [first] = stuck;
  if (first?.host === undefined || stuck.some(({ host }) => host === undefined)) return undefined;
  const whom = listed(deliveries.map(({ recipient }) => recipient));
  return `Mail to ${whom} goes through ${first.host.name} itself, so an alert that this server is in trouble would wait in that very server. Give an alert recipient whose mail is delivered elsewhere.`;
}

function delivers(host: AuditedHost, { domain, servers }: Delivery): boolean {
  if (servers.some(({ name, addresses }) => name === host.name || addresses.some((each) => host.addresses.includes(each)))) return true;
  // What a mailbox provider takes it keeps. Whatever else stands before the host, such as a filter, passes the mail on to it.
  const kept = servers.length > 0 && servers.every(({ name }) => providerOf(name)?.kind === 'mailbox-provider');
  return host.servedDomains.includes(domain) && !kept;
}

function unseen(recipient: string): Delivery {
  return { recipient, domain: domainOfMailbox(recipient), servers: [] };
}

function exemptFor({ addresses, ehloName }: Ourselves): Exempt | undefined {
  if (addresses.length === 0) return undefined;
  return {
    addresses: [...addresses],
    ehloName,
    ignoreip: `ignoreip = 127.0.0.1/8 ::1 ${addresses.join(' ')}`,
    where:
      'For fail2ban: under [DEFAULT] in jail.local. If there is an ignoreip line already, add our addresses to it. Other ban tools have such a list too.',
    warning:
      'Never put our addresses into mynetworks or any other list of clients that may relay: every scan would then find an open relay, and a real one would not show.',
  };
}

function hostOf({ name, addresses }: FoundServer): { name: string; addresses: string[] } {
  return { name, addresses: addresses.map(({ text }) => text) };
}

function someOf<T>(values: readonly T[]): T[] | undefined {
  return values.length === 0 ? undefined : [...values];
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}
