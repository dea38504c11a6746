import type { Network } from './address.ts';

/** The networks that an account may audit without further proof: the operator's, for those accounts that are the operator's, and none for others. */
export type OperatorNetworksOf = (accountId: string) => readonly Network[];

/** What a deployment says: these accounts are the operator's, and these networks are theirs. */
export function operatorNetworksOf(accounts: readonly string[], networks: readonly Network[]): OperatorNetworksOf {
  return (accountId) => (accounts.includes(accountId) ? networks : []);
}
