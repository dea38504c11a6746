import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contains, type Network, parseAddress, parseNetwork } from '../../shared/domain/address.ts';
import { readTarget, type Target } from '../../shared/domain/host-name.ts';
import { IPV4_SPECIAL, IPV6_SPECIAL, MULTICAST } from '../../shared/network/iana-special-purpose.ts';
import { forbiddenBecause } from '../../shared/network/target-policy.ts';
import { type Deciders, faultOf, hostText } from '../bench/targets.ts';
import { runs } from '../support/searches.ts';

const RUNS = runs(5_000, 20_000);
const SEED = 20_260_101; // the same texts in every run; `npm run bench -- targets` reads a million others

test('of thousands of hosts that anybody may type, none leads to a forbidden dial, nor is refused without need', () => {
  fc.assert(
    fc.property(hostText, (text) => {
      expect(faultOf(text)).toBeUndefined();
    }),
    { numRuns: RUNS, seed: SEED },
  );
});

describe('the second opinion notices a decision that is worse', () => {
  const texts = fc.sample(hostText, { numRuns: RUNS, seed: SEED });
  const faultsBy = (deciders: Partial<Deciders>) => {
    const all: Deciders = { read: readTarget, forbidden: forbiddenBecause, ...deciders };
    return texts.filter((text) => faultOf(text, all)?.kind === 'dial');
  };

  const blocks = [...IPV4_SPECIAL, ...IPV6_SPECIAL, ...MULTICAST].map(([text]) => network(text));
  const outermost = blocks.filter((block) => !blocks.some((other) => other !== block && holds(other, block)));

  test.each(outermost.map((block) => [`${block.text}`, block] as const))('without the block %s', (_, block) => {
    expect(faultsBy({ forbidden: (address) => (contains(block, address) ? undefined : forbiddenBecause(address)) })).not.toEqual([]);
  });

  const target = (text: string): Target | undefined => {
    const address = parseAddress(text);
    return address === undefined ? undefined : { kind: 'address', address };
  };

  test.each<[string, (text: string) => ReturnType<typeof readTarget>]>([
    ['that looks through full-width and circled digits', (text) => readTarget(text.normalize('NFKC'))],
    ['that trims', (text) => readTarget(text.trim())],
    ['that takes off a zone', (text) => readTarget(text.replace(/%.*$/, ''))],
    ['that takes off leading zeros', (text) => target(text.replace(/\b0+(?=\d)/g, '')) ?? readTarget(text)],
    [
      'that decodes percent signs',
      (text) => readTarget(text.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number(`0x${hex}`)))),
    ],
    ['that stops at a NUL', (text) => readTarget(text.split('\0')[0] ?? '')],
    [
      'that takes numbers for a name',
      (text) => (/^[a-z0-9.]+$/.test(text) && text.includes('.') ? { kind: 'name', name: text } : readTarget(text)),
    ],
  ])('by a reader %s', (_, read) => {
    expect(faultsBy({ read })).not.toEqual([]);
  });
});

function network(text: string): Network & { readonly text: string } {
  const parsed = parseNetwork(text);
  if (parsed === undefined) throw new Error(`not a network: ${text}`);
  return { ...parsed, text };
}

function holds(outer: Network, inner: Network): boolean {
  return outer.prefixLength < inner.prefixLength && contains(outer, { family: inner.family, value: inner.value, text: '' });
}
