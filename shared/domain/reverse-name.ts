import { type Address, parseAddress, reverseName } from './address.ts';
import type { ClaimedName } from './consent.ts';
import { isAtOrBelow, readName } from './host-name.ts';
import { providerOf } from './mail-providers.ts';

/** Why a name that an address has in reverse DNS can prove nothing for its owner. */
export type Useless =
  | { readonly kind: 'underscore' | 'address' | 'localhost' | 'public-suffix' | 'unreadable' | 'provider' }
  | { readonly kind: 'zone-appended'; readonly meant: string };

/** What is wrong with a name in reverse DNS; undefined where a record of its owner could prove it. `zone` is that of the owner's host. */
export function uselessBecause({ name, places }: ClaimedName, address: Address, zone: string | undefined): Useless | undefined {
  const meant = withoutZone(name, address, zone);
  if (meant !== undefined) return { kind: 'zone-appended', meant };
  if (/^localhost(\.|$)/.test(name) || name.endsWith('.localhost')) return { kind: 'localhost' };
  if (parseAddress(name) !== undefined || /^[\d.]+$/.test(name)) return { kind: 'address' };
  if (/^[a-z0-9._-]+$/.test(name) && name.includes('_')) return { kind: 'underscore' };
  if (readName(name).kind !== 'name') return { kind: 'unreadable' };
  if (places.length === 0) return { kind: 'public-suffix' };
  const isOwn = zone !== undefined && isAtOrBelow(name, zone);
  return !isOwn && (holdsAddress(name, address) || providerOf(name) !== undefined) ? { kind: 'provider' } : undefined;
}

// A PTR record without the dot at its end stands for a name below the zone that it is in.
function withoutZone(name: string, address: Address, zone: string | undefined): string | undefined {
  const above = reverseName(address).split('.');
  const zones = [...above.keys()].slice(1, -1).map((from) => above.slice(from).join('.'));
  const appended =
    zones.find((each) => name.endsWith(`.${each}`)) ?? (zone !== undefined && name.endsWith(`.${zone}.${zone}`) ? zone : undefined);
  return appended === undefined ? undefined : name.slice(0, -appended.length - 1);
}

// Such as `static.1.2.0.192.hoster.example`, `ip-192-0-2-1.hoster.example`, `c0000201.hoster.example`.
function holdsAddress(name: string, { family, value, text }: Address): boolean {
  const hex = value.toString(16).padStart(family === 4 ? 8 : 32, '0');
  const packed = name.replace(/[.-]/g, '');
  if (packed.includes(hex) || (family === 6 && packed.includes([...hex].reverse().join('')))) return true;
  if (family === 6) return name.includes(text.replaceAll(':', '-'));
  const numbers = (name.match(/\d+/g) ?? []).map(Number).join('.');
  const octets = text.split('.');
  return [octets, octets.toReversed()].some((each) => `.${numbers}.`.includes(`.${each.join('.')}.`));
}
