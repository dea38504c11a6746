import { expect, test } from 'vitest';
import { parseNetwork } from '../../../shared/domain/address.ts';
import { operatorNetworksOf } from '../../../shared/domain/operators.ts';

const NETWORKS = ['10.0.0.0/8', '2001:db8::/32'].flatMap((text) => parseNetwork(text) ?? []);

test('the operator’s networks are those of the accounts that are named, and of no others', () => {
  const networksOf = operatorNetworksOf(['a', 'b'], NETWORKS);
  expect([networksOf('a'), networksOf('b'), networksOf('c'), networksOf('')]).toEqual([NETWORKS, NETWORKS, [], []]);
});

test('where no account is named they are nobody’s', () => {
  expect(operatorNetworksOf([], NETWORKS)('a')).toEqual([]);
});
