import { type Transport, transportsAt } from '../domain/scan.ts';
import type { Cast } from './envelope-forms.ts';
import { relayTests } from './relay-tests.ts';

/** Refusals that a core scan provokes at one address: one under fail2ban's usual five in ten minutes. */
export const CORE_REFUSALS = 4;
const ROTATING_TESTS = CORE_REFUSALS - 2; // on the leg whose turn it is; the core itself has two

/**
 * The ids of the tests that a core scan makes at one leg: at most four refusals per address in all. The core is the plain
 * test and the one that most wrong configurations fall for, a sender of the server's own; the rest of the table goes
 * round, leg by leg, with the number of the scan. Empty: this leg is left alone this time. What a server that is known to take any local
 * part would take for one is left to its weekly full table: only a message that is waited for tells there.
 */
export function coreOf(
  cast: Cast,
  ports: readonly number[],
  { rotation, knownCatchAll }: { readonly rotation: number; readonly knownCatchAll: boolean },
  port: number,
  transport: Transport,
): string[] {
  const ids = relayTests(cast, undefined)
    .filter(({ local }) => !(local && knownCatchAll))
    .map(({ id }) => id);
  const own = ids.find((id) => id === 'served-sender') ?? 'literal-sender';
  const core = port === ports[0] && transport !== 'starttls' ? ['plain', own] : [];
  const legs = ports.flatMap((each) => transportsAt(each).map((way) => [each, way] as const));
  const [turnPort, turnTransport] = legs[rotation % legs.length] ?? [];
  const hasTurn = port === turnPort && transport === turnTransport;
  const rest = ids.filter((id) => id !== 'plain' && id !== own);
  // The plain leg shows whether STARTTLS is offered: it is asked one thing when it is the other's turn, which has one less.
  const shows = transport === 'plain' && turnTransport === 'starttls' && port === turnPort;
  if (shows) return core.length > 0 ? core : ['plain'];
  const share = turnTransport === 'starttls' && port !== ports[0] ? 1 : ROTATING_TESTS;
  const start = (Math.floor(rotation / legs.length) * share) % rest.length;
  return hasTurn ? [...core, ...[...rest.slice(start), ...rest].slice(0, share)] : core;
}
