import { contains, type Network, parseAddress, parseNetwork } from './address.ts';

/** Whether the operator's never-list covers an address, or a name: its own entry or one above it. */
export function coverOf(entries: readonly { readonly target: string }[]): (target: string) => boolean {
  const networks: Network[] = [];
  const names = new Set<string>();
  for (const { target } of entries) {
    const network = parseNetwork(target) ?? singleAddress(target);
    if (network === undefined) names.add(target.toLowerCase());
    else networks.push(network);
  }
  return (target) => {
    const address = parseAddress(target);
    if (address !== undefined) return networks.some((network) => contains(network, address));
    const labels = target.toLowerCase().split('.');
    return labels.some((_, index) => names.has(labels.slice(index).join('.')));
  };
}

function singleAddress(text: string): Network | undefined {
  const address = parseAddress(text);
  return address === undefined
    ? undefined
    : { family: address.family, value: address.value, prefixLength: address.family === 4 ? 32 : 128 };
}
