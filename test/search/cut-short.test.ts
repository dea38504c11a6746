import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ended, restOf } from '../../shared/domain/coverage.ts';
import type { LegEvidence } from '../../shared/domain/scan.ts';
import { judgeHost } from '../../shared/domain/verdict.ts';
import { ANSWERS, ENVELOPES, type Model, type Sitting, scan, WHOLE } from '../support/model-server.ts';
import { runs } from '../support/searches.ts';

const SITTINGS = 10;
const RUNS = runs(100, 500);

const keysOf = <T extends object>(record: T) => Object.keys(record) as (keyof T)[];
const model: fc.Arbitrary<Model> = fc.record({
  rules: fc.array(fc.tuple(fc.constantFrom(...keysOf(ENVELOPES)), fc.constantFrom(...keysOf(ANSWERS))), { maxLength: 5 }),
  mta: fc.constantFrom(undefined, undefined, 'postfix', 'exim'),
  pipelining: fc.boolean(),
  recipients: fc.option(fc.integer({ min: 1, max: 8 }), { nil: undefined }),
  commands: fc.option(fc.integer({ min: 5, max: 20 }), { nil: undefined }),
  spentByNull: fc.boolean(),
  reset: fc.constantFrom('taken', 'taken', 'unknown', 'closes'),
});
const cut = fc.record({ answers: fc.integer({ min: 0, max: 200 }), swap: fc.boolean() });

const whole = (count: number): Sitting[] => Array<Sitting>(count).fill(WHOLE);
const verdictOf = (leg: LegEvidence) => judgeHost([leg], []).verdict;
const isDone = (leg: LegEvidence) => restOf([leg]) !== 'another-sitting';
// What a scan says in the end: none of its messages came back.
function finalOf(leg: LegEvidence) {
  return judgeHost(ended(ended([leg], 'sittings-used-up'), 'waited'), []);
}

describe('whatever a server answers, and wherever our time ends', () => {
  test('a scan that is cut short says what the whole one does, or that it is not done', () => {
    fc.assert(
      fc.property(model, fc.array(cut, { minLength: 1, maxLength: 3 }), (server, cuts) => {
        const said = verdictOf(scan(server, cuts));
        expect([finalOf(scan(server, whole(SITTINGS))).verdict, 'inconclusive']).toContain(said);
      }),
      { numRuns: RUNS },
    );
  }, 120_000);

  test('a scan that was cut short ends where the whole one does, once it has the time', () => {
    fc.assert(
      fc.property(model, fc.array(cut, { minLength: 1, maxLength: 3 }), (server, cuts) => {
        const after = scan(server, whole(SITTINGS), cuts.length + 1, scan(server, cuts));
        const all = scan(server, whole(SITTINGS));
        fc.pre(isDone(after) && isDone(all));
        expect(finalOf(after).verdict).toBe(finalOf(all).verdict);
      }),
      { numRuns: RUNS },
    );
  }, 120_000);

  test('the order in which sessions side by side are taken in changes no verdict', () => {
    fc.assert(
      fc.property(model, (server) => {
        const swapped = scan(server, whole(SITTINGS).map((each) => ({ ...each, swap: true }))); // biome-ignore format: short
        expect(finalOf(swapped).verdict).toBe(finalOf(scan(server, whole(SITTINGS))).verdict);
      }),
      { numRuns: RUNS },
    );
  }, 120_000);
});
