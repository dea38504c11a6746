import type { Verdict } from '../../../shared/domain/reason.ts';
import { PROBE_LIMITS, type ProbeLimits } from '../../../shared/network/leg-session.ts';
import type { Figure } from '../figure.ts';
import { startChild } from './child.ts';
import { CLOSED, HOSTILITIES, type Peer, RELAYING } from './hostile-peers.ts';
import { auditMany } from './ours.ts';

const HOSTILE = 500;
const HONEST = 50;
// Those of the service would let it take 90 s.
const LIMITS: ProbeLimits = { ...PROBE_LIMITS, connectMs: 5_000, replyMs: 5_000, sessionMs: 10_000, sittingMs: 20_000 };

/** Hundreds of peers that mean harm, all at once beside honest ones: what it takes of our memory, and whether the honest ones get their verdicts. */
export async function measureHostile(): Promise<Figure[]> {
  const peers = peersByAddress();
  const servers = startChild(new URL('./hostile-process.ts', import.meta.url));
  try {
    await servers.ask(Object.entries(peers));
    const { fresh, warm: run } = await auditMany(Object.keys(peers), 'full', HOSTILE + HONEST, LIMITS);
    const wrong = Object.entries(peers).filter(([address, peer]) => !isRight(peer, run.verdicts[address]));
    for (const [address, peer] of wrong) console.error(`${peer} at ${address} is ${run.verdicts[address]}`);
    const honest = wrong.filter(([, peer]) => isHonest(peer)).length;
    return [
      { what: `${HOSTILE} hostile peers beside ${HONEST} honest ones: honest ones misjudged`, value: honest, unit: '', limit: 0 },
      { what: 'hostile ones called open, suspected or closed', value: wrong.length - honest, unit: '', limit: 0 },
      { what: 'peak memory', value: run.peakRssBytes / 2 ** 20, unit: 'MiB', limit: 256 },
      { what: 'time until the last verdict', value: fresh.seconds, unit: 's' },
    ];
  } finally {
    await servers.stop();
  }
}

// Honest ones stand at the end, where a peer that blocks the way blocks them.
function peersByAddress(): Record<string, Peer> {
  const hostile = Array.from({ length: HOSTILE }, (_, i): Peer => HOSTILITIES[i % HOSTILITIES.length] ?? 'silent');
  const honest = Array.from({ length: HONEST }, (_, i): Peer => (i % 2 === 0 ? CLOSED : RELAYING));
  return Object.fromEntries([...hostile, ...honest].map((peer, i) => [`127.10.${Math.floor(i / 250)}.${(i % 250) + 1}`, peer]));
}

function isHonest(peer: Peer): boolean {
  return peer === CLOSED || peer === RELAYING;
}

function isRight(peer: Peer, verdict: Verdict | undefined): boolean {
  if (peer === CLOSED) return verdict === 'closed';
  if (peer === RELAYING) return verdict === 'suspected';
  return verdict !== undefined && !['open', 'suspected', 'closed'].includes(verdict);
}
