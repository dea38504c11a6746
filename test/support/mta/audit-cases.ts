import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AuditRules, auditHost } from '../../../functions/probe/audit-host.ts';
import type { Finding } from '../../../functions/probe/finding.ts';
import type { Arrival } from '../../../shared/domain/canary.ts';
import type { Judgement } from '../../../shared/domain/reason.ts';
import type { LegEvidence } from '../../../shared/domain/scan.ts';
import { judgeHost, legName } from '../../../shared/domain/verdict.ts';
import { PROBE_LIMITS } from '../../../shared/network/leg-session.ts';
import { TOKEN_HEADER } from '../../../shared/smtp/canary-message.ts';
import { ANY_TURN, gateTo, lookupsTo } from '../gate.ts';
import { sampleHost } from '../samples.ts';
import type { MtaCase } from './case.ts';
import { hasMta, type Namespace, openNamespace } from './namespace.ts';
import { type Delivered, type Sink, startSink } from './sink.ts';
import { type Letter, send } from './stranger.ts';

const SERVED = 'served.example';
const CANARY = 'canary.example';
const TEST_MS = 240_000;
const DELIVERY_MS = 20_000; // what a server needs at most to hand over what it has taken
const CANARY_MS = 6_000; // how long a canary is waited for; those that come take under one second
const QUIET_MS = 1_500; // a server that relays nothing is given this long to prove it

// What any stranger's tester would try; none of it gets through a closed server.
const u = 'stranger';
const LETTERS: readonly Letter[] = [
  { from: '<s@stranger.example>', to: `<${u}@${CANARY}>` },
  { from: '<>', to: `<${u}@${CANARY}>` },
  { from: `<s@${SERVED}>`, to: `<${u}@${CANARY}>` },
  { from: '<s@localhost>', to: `<${u}@${CANARY}>` },
  { from: '<s@stranger.example>', to: `<${u}%${CANARY}@${SERVED}>` },
  { from: '<s@stranger.example>', to: `<"${u}@${CANARY}"@${SERVED}>` },
  { from: '<s@stranger.example>', to: `<@${SERVED}:${u}@${CANARY}>` },
  { from: '<s@stranger.example>', to: `<${CANARY}!${u}@${SERVED}>` },
  { from: '<s@stranger.example>', to: `<${u}@${CANARY}@${SERVED}>` },
  { from: '<s@stranger.example>', to: `<${u}@${CANARY}>`, ehlo: `mx.${SERVED}` },
];

/**
 * Audits a mail server under each of its configurations, whose truth is proven by what a stranger gets through to the sink.
 * Needs root and the servers' packages, which `.ci/run` has; `npm test` goes without where they are missing.
 */
export function auditCases(mta: string, octet: number, cases: readonly MtaCase[]): void {
  describe.skipIf(!hasMta(mta))(`${mta}, seen from outside`, () => {
    let namespace: Namespace;
    let sink: Sink;
    const canaries = new Map<string, Omit<Arrival, 'at' | 'path'> & { recipient: string }>();
    const arrivals: Arrival[] = [];

    const take = ({ raw, to }: Delivered) => {
      const token = new RegExp(`^${TOKEN_HEADER}: (\\S+)`, 'im').exec(raw)?.[1];
      const canary = canaries.get(token ?? '');
      if (canary !== undefined && to.includes(canary.recipient)) arrivals.push({ ...canary, at: Date.now(), path: [] });
    };

    beforeAll(async () => {
      namespace = openNamespace(octet);
      sink = await startSink(namespace.ourAddress, 25, take);
    });
    afterAll(async () => {
      await sink?.stop();
      namespace?.close();
    });

    const rulesFor = (n: number): AuditRules => ({
      gate: gateTo(namespace.networks, { lookups: lookupsTo(namespace.address(n), namespace.address6(n)) }),
      families: [4, 6],
      ehloName: 'probe.example',
      canaryDomain: CANARY,
      optOutAddress: 'postmaster@probe.example',
      limits: PROBE_LIMITS,
    });

    // Sittings as the service makes them, a few seconds apart instead of minutes.
    async function audit(n: number): Promise<Finding> {
      const host = sampleHost({ name: `mx.${SERVED}`, servedDomains: [SERVED], ports: [25, 465, 587] });
      const expectCanary = async ({ leg, test: id, recipient }: { leg: string; test: string; recipient: string }) => {
        const token = `${octet}-${n}-${canaries.size}`;
        canaries.set(token, { canary: token, leg, test: id, recipient, sentAt: Date.now() });
        return { id: token, token };
      };
      let finding = await auditHost(host, { scope: 'full', takeTurn: ANY_TURN, expectCanary }, rulesFor(n));
      for (let sitting = 1; sitting < 4 && finding.judgement.verdict === 'inconclusive'; sitting++) {
        await wait(3_000);
        finding = await auditHost(host, { scope: 'full', takeTurn: ANY_TURN, expectCanary, before: finding.legs }, rulesFor(n));
      }
      const sent = finding.legs.flatMap((leg) => leg.tests.flatMap(({ canary }) => canary ?? []));
      for (const until = Date.now() + CANARY_MS; sent.length > 0 && Date.now() < until; await wait(100))
        if (arrivals.some(({ canary }) => sent.includes(canary))) break;
      return {
        ...finding,
        judgement: judgeHost(
          finding.legs,
          [],
          arrivals.filter(({ canary }) => sent.includes(canary)),
        ),
      };
    }

    const strangers = () => sink.delivered.filter(({ raw }) => raw.includes('Subject: letter'));

    test.each(cases.map((each, index) => [each.rule, each, index + 10] as const))(
      'it %s',
      async (_, each, n) => {
        const server = await each.start(namespace, n);
        try {
          const before = strangers().length;
          const { judgement, legs } = await audit(n);
          if (each.truth === 'open') await relays(server.address, each.proof ?? LETTERS[0], () => strangers().length > before);
          else {
            for (const letter of LETTERS) await send(server.address, letter);
            await wait(QUIET_MS);
            expect(strangers().length).toBe(before);
          }
          const allowed = each.told ?? [each.truth];
          expect(allowed, allowed.includes(judgement.verdict) ? '' : shownBy(judgement, legs)).toContain(judgement.verdict);
        } finally {
          await server.stop();
        }
      },
      TEST_MS,
    );

    async function relays(address: string, letter: Letter | undefined, arrived: () => boolean): Promise<void> {
      let answer = '';
      for (const until = Date.now() + DELIVERY_MS; !arrived() && Date.now() < until; await wait(300))
        if (!answer.startsWith('250') && letter !== undefined) answer = await send(address, letter);
      expect(arrived(), answer).toBe(true);
    }
  });
}

// What an audit saw, for whoever reads why a test failed.
function shownBy({ reason }: Judgement, legs: readonly LegEvidence[]): string {
  const lines = legs
    .filter(({ contact }) => contact === 'answered')
    .flatMap((leg) => [
      `${legName(leg)} ${leg.contact} ${leg.stopped ?? ''}`,
      ...[...leg.tests, ...leg.controls]
        .filter(({ outcome }) => outcome !== 'refused')
        .map(({ test: id, outcome, stage, reply }) => `  ${id}: ${outcome} at ${stage}: ${reply}`),
    ]);
  return [reason, ...lines].join('\n');
}
