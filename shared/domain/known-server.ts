import type { Host, HostSettings } from './host.ts';
import { readTarget } from './host-name.ts';

/** A name whose server a host of the account is already: by the very name, or as a further name of it. */
export type Known = {
  readonly name: string;
  /** The host that it is. */
  readonly host: Pick<Host, 'id' | 'settings'>;
  /** The domains to add to that host; none where nothing is left to add. */
  readonly add: readonly string[];
};

/** What somebody who wants to register this finds in a host that is the same server. A further name for which no domain is named may be one. */
export function knownAs(host: Known['host'], { name, servedDomains }: Pick<HostSettings, 'name' | 'servedDomains'>): Known {
  const wanted = servedDomains.length > 0 || isSameName({ name, host }) || readTarget(name).kind === 'address' ? servedDomains : [name];
  return { name, host, add: wanted.filter((domain) => !host.settings.servedDomains.includes(domain)) };
}

/** Whether it is the very name of the host. */
export function isSameName({ name, host }: Pick<Known, 'name' | 'host'>): boolean {
  return host.settings.name === name;
}

/** Which host it is, for a reader of the API. */
export function knownSentence(known: Known): string {
  const { name, host } = known;
  if (isSameName(known)) return `You have ${name} already: it is the host ${host.id}.`;
  return `${name} leads to the server that you audit as ${host.settings.name}, the host ${host.id}.`;
}

/** How the domains are added that it lacks, if any; `under` is where the answer lists them. */
export function addSentences({ host, add }: Known, under: string): string[] {
  if (add.length === 0) return [];
  const what = add.length === 1 ? add[0] : 'these domains';
  return [`To have it tested with ${what} too, PATCH /v1/hosts/${host.id} with the servedDomains that stand under \`${under}\`.`];
}
