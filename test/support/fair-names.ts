import { parseAddress } from '../../shared/domain/address.ts';
import type { Found, Lookups } from '../../shared/network/lookups.ts';

/** The token of an account of the game. */
export const tokenOf = (accountId: string) => `ra1-${accountId.padEnd(24, 'x')}`;

/** What the adversary says in DNS, and may change at any moment; everybody else's records stand. */
export type AdversaryZone = {
  /** What its names lead to, where that is not the address of the same number. */
  readonly leads: Map<string, string>;
  /** The names that its addresses claim, where those are not its own. */
  readonly claims: Map<string, string>;
  says: 'tokens' | 'nothing' | 'deny' | 'trouble';
};

/** The name and the address of a server by its number. */
export const OWNERS = { name: (n: number) => `mx${n}.alice-mail.com`, address: (n: number) => `185.1.1.${n + 1}` };
export const ADVERSARYS = { name: (n: number) => `h${n}.mallory.net`, address: (n: number) => `185.6.${n >> 7}.${(n & 127) + 1}` };

/** DNS of the game: of the owner, who has proven each address by reverse DNS, and of the adversary, who has not proven the owner's. */
export function lookupsIn(zone: AdversaryZone, adversaries: readonly string[]): Lookups {
  const found = <T>(values: readonly T[]): Found<T> => (values.length === 0 ? { kind: 'absent' } : { kind: 'found', values: [...values] });
  const ofAdversary = (name: string) => name.endsWith('mallory.net');
  const inTrouble = (name: string): Found<never> | undefined =>
    zone.says === 'trouble' && ofAdversary(name) ? { kind: 'trouble', why: 'SERVFAIL' } : undefined;
  const said = { tokens: adversaries.map(tokenOf), nothing: [], deny: ['deny'], trouble: [] } as const;
  return {
    async addresses(name) {
      const number = Number(/^\D+(\d+)\./.exec(name)?.[1]);
      const text = ofAdversary(name) ? (zone.leads.get(name) ?? ADVERSARYS.address(number)) : OWNERS.address(number);
      return inTrouble(name) ?? found([parseAddress(text) ?? []].flat());
    },
    async texts(name) {
      if (name === '_relay-audit.alice-mail.com') return found([tokenOf('alice')]);
      return inTrouble(name) ?? found(name === '_relay-audit.mallory.net' ? said[zone.says] : []);
    },
    async names({ text }) {
      const [, b, c, d] = text.split('.').map(Number) as [number, number, number, number];
      if (b === 1) return found([OWNERS.name(d - 1)]);
      return found([zone.claims.get(text) ?? ADVERSARYS.name((c << 7) + d - 1)]);
    },
    mailServers: async () => ({ kind: 'absent' }),
  };
}
