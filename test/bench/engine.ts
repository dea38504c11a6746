import { hasMta } from '../support/mta/namespace.ts';
import { measureHostile } from './engine/hostile.ts';
import { measureMany } from './engine/many.ts';
import { hasNmap } from './engine/nmap.ts';
import { measureOthers } from './engine/others.ts';
import { measureSingle, REAL_SERVERS } from './engine/single.ts';
import type { Figure } from './figure.ts';

/**
 * Our probe beside nmap's script smtp-open-relay, both in the same run, our probe at servers that keep us waiting, and among hostile peers.
 * Takes up to ten minutes.
 */
export async function measureEngine(): Promise<Figure[]> {
  if (process.getuid?.() !== 0) return skipped('needs root, to listen on port 25');
  const others = await measureOthers();
  const hostile = await measureHostile();
  if (!hasNmap()) return [...skipped('the comparison needs nmap: apt-get install nmap'), ...others, ...hostile];
  const servers = REAL_SERVERS.filter(({ mta }) => hasMta(mta));
  const single = servers.length === 0 ? skipped('no mail server in .mtas: .ci/install-mtas.sh') : await measureSingle(servers);
  return [...single, ...others, ...(await measureMany()), ...hostile];
}

function skipped(why: string): Figure[] {
  console.log(`skipped: ${why}\n`);
  return [];
}
