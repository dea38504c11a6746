import type { LegProgress, ScanRef } from '../../shared/domain/scan.ts';
import type { OnProgress } from '../../shared/network/leg-session.ts';
import type { Clock } from '../../shared/runtime/clock.ts';
import type { AuditStore } from '../../shared/store/audit-store.ts';

const EVERY_MS = 1_000; // who watches looks every few seconds
const NOTES_LIMIT = 60; // writes of one sitting

/** Notes how far a scan has come, for those who watch it. */
export type ProgressNotes = {
  readonly note: OnProgress;
  /** Waits for the last note, so that none comes after the result; throws when one could not be written. */
  end(): Promise<void>;
};

/**
 * Notes the progress of an owed scan beside it, once a second at most. Scheduled scans, which nobody watches, are not owed and pay nothing; one
 * that only looks whether DNS allows it yet begins `atOnce` no note, but with its first leg.
 */
export function progressOf(ref: ScanRef, store: Pick<AuditStore, 'noteProgress'>, clock: Clock, atOnce = true): ProgressNotes {
  const since = clock();
  const legs = new Map<string, LegProgress>();
  let notes = 0;
  let last = 0;
  let writing: Promise<void> | undefined;
  let failure: unknown;
  const write = () => {
    const now = clock();
    if (writing !== undefined || notes >= NOTES_LIMIT || (notes > 0 && now - last < EVERY_MS)) return;
    notes += 1;
    last = now;
    writing = store
      .noteProgress(ref, { since, legs: [...legs.values()] })
      .catch((error: unknown) => {
        failure = error;
      })
      .finally(() => {
        writing = undefined;
      });
  };
  if (atOnce) write();
  return {
    note(progress) {
      legs.set(progress.leg, progress);
      write();
    },
    async end() {
      await writing;
      if (failure !== undefined) throw failure;
    },
  };
}
