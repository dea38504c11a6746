import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AuditOrder, type AuditRules, auditHost } from '../../../functions/probe/audit-host.ts';
import { type Finding, judgementOf } from '../../../functions/probe/finding.ts';
import type { Arrival } from '../../../shared/domain/canary.ts';
import { ended, restOf } from '../../../shared/domain/coverage.ts';
import type { Judgement } from '../../../shared/domain/reason.ts';
import type { LegEvidence } from '../../../shared/domain/scan.ts';
import { legName } from '../../../shared/domain/verdict.ts';
import { PROBE_LIMITS } from '../../../shared/network/leg-session.ts';
import { TOKEN_HEADER } from '../../../shared/smtp/canary-message.ts';
import { ANY_TURN, gateTo, lookupsTo } from '../gate.ts';
import { sampleHost } from '../samples.ts';
import type { MtaCase } from './case.ts';
import { hasMta, type Namespace, needsMta, openNamespace } from './namespace.ts';
import { type Delivered, type Sink, startSink } from './sink.ts';
import { seenByStranger } from './truth.ts';

const SERVED = 'served.example';
const CANARY = 'canary.example';
const TEST_MS = 25 * 60_000; // ten sittings of 90 seconds, and twenty letters to a server that takes four a minute
const SITTINGS = 10; // as many as the service gives a scan
const BETWEEN_MS = 3_000; // from one sitting to the next, minutes with the service
const CANARY_MS = 6_000; // how long a canary is waited for; those that come take under one second
const FIRST_SERVER = 10; // number of the first server's address

/** Canaries on their way, and what came of them. */
export type Post = {
  readonly expectCanary: NonNullable<AuditOrder['expectCanary']>;
  readonly arrivals: Arrival[];
  take(message: Delivered): void;
};

/**
 * Audits a mail server under each of its configurations, whose truth is proven by what a stranger gets through to the sink.
 * Needs root and the servers' packages, which `.ci/run` has; `npm test` goes without where they are missing. `needs` are the
 * folders under .mtas that the cases run from. The cases run side by side, as many at once as vitest.config.ts says: most of their
 * time is a server's pauses and limits.
 */
export function auditCases(mta: string, octet: number, cases: readonly MtaCase[], needs: readonly string[] = [mta]): void {
  describe.skipIf(!needs.every(hasMta))(`${mta}, seen from outside (${needsMta(...needs)})`, () => {
    let namespace: Namespace;
    let sink: Sink;
    const post = newPost(octet);

    beforeAll(async () => {
      namespace = openNamespace(octet);
      sink = await startSink(namespace.ourAddress, 25, post.take);
    });
    afterAll(async () => {
      await sink?.stop();
      namespace?.close();
    });

    const numbered = cases.map((each, index) => [each.rule, each, index + FIRST_SERVER] as const);
    test.concurrent.each(numbered)(
      'it %s',
      async (_, each, n) => {
        const server = await each.start(namespace, n);
        try {
          const finding = await audit(rulesFor(namespace, n), post, each);
          const { legs } = finding;
          const judgement = judgementOf(finding, []);
          const mailbox = { subject: `letter ${n}`, delivered: sink.delivered, strangers: namespace.strangers };
          const { truth, said } = await seenByStranger(server.address, each, mailbox);
          expect(truth, `a stranger finds it ${truth}:\n${said}`).toBe(each.truth);
          const allowed = each.told ?? [each.truth];
          expect(allowed, allowed.includes(judgement.verdict) ? '' : shownBy(judgement, legs)).toContain(judgement.verdict);
        } finally {
          await server.stop();
        }
      },
      TEST_MS,
    );
  });
}

/** A post for the servers of one namespace. */
export function newPost(octet: number): Post {
  const sent = new Map<string, Omit<Arrival, 'at' | 'path'> & { recipient: string }>();
  const arrivals: Arrival[] = [];
  return {
    arrivals,
    async expectCanary({ leg, test: id, recipient }) {
      const token = `${octet}-${sent.size}`;
      sent.set(token, { canary: token, leg, test: id, recipient, sentAt: Date.now() });
      return { id: token, token };
    },
    take({ raw, to }) {
      const token = new RegExp(`^${TOKEN_HEADER}: (\\S+)`, 'im').exec(raw)?.[1];
      const canary = sent.get(token ?? '');
      if (canary !== undefined && to.includes(canary.recipient)) arrivals.push({ ...canary, at: Date.now(), path: [] });
    },
  };
}

/** What a server at the n-th address is audited by. */
export function rulesFor(namespace: Namespace, n: number): AuditRules {
  return {
    gate: gateTo(namespace.networks, { lookups: lookupsTo(namespace.address(n), namespace.address6(n)) }),
    families: [4, 6],
    ehloName: 'probe.example',
    canaryDomain: CANARY,
    optOutAddress: 'postmaster@probe.example',
    limits: PROBE_LIMITS,
  };
}

/** A scan as the service makes it: it sits again while there is something left to do, and waits for its canaries. */
export async function audit(rules: AuditRules, { expectCanary, arrivals }: Post, each: MtaCase): Promise<Finding> {
  const { ports = [25, 465, 587], betweenMs = BETWEEN_MS } = each;
  const host = sampleHost({ name: `mx.${SERVED}`, servedDomains: [SERVED], ports: [...ports] });
  const order: AuditOrder = { scope: 'full', takeTurn: ANY_TURN, expectCanary };
  let finding = await auditHost(host, order, rules);
  let sittings = 1;
  for (; sittings < SITTINGS && restOf(finding.legs) === 'another-sitting'; sittings++) {
    await wait(betweenMs);
    finding = await auditHost(host, { ...order, before: finding.legs }, rules);
  }
  const ours = canariesOf(finding.legs, arrivals);
  for (const until = Date.now() + CANARY_MS; ours.sent > 0 && ours.arrived().length === 0 && Date.now() < until; ) await wait(100);
  const legs = ended(ended(finding.legs, 'sittings-used-up'), 'waited');
  return { legs, arrivals: ours.arrived() };
}

function canariesOf(legs: readonly LegEvidence[], arrivals: readonly Arrival[]) {
  const sent = new Set(legs.flatMap((leg) => leg.tests.flatMap(({ canary }) => canary ?? [])));
  return { sent: sent.size, arrived: () => arrivals.filter(({ canary }) => sent.has(canary)) };
}

// What an audit saw, for whoever reads why a test failed.
function shownBy({ verdict, reason, completed, planned }: Judgement, legs: readonly LegEvidence[]): string {
  const lines = legs
    .filter(({ contact }) => contact === 'answered')
    .flatMap((leg) => [
      `${legName(leg)} ${leg.contact} ${leg.stopped ?? ''}`,
      ...[...leg.tests, ...leg.controls]
        .filter(({ outcome }) => outcome !== 'refused')
        .map(({ test: id, outcome, stage, reply }) => `  ${id}: ${outcome} at ${stage}: ${reply}`),
    ]);
  return [`${verdict}: ${reason}, ${completed} of ${planned}`, ...lines].join('\n');
}
