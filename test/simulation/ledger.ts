import type { OwedScan, Scan } from '../../shared/domain/scan.ts';
import type { Worker } from './scheduler.ts';

/** A result as it was stored. `counts`: it was counted by its host, and is no history only. */
export type Storing = { readonly scan: Scan; readonly at: number; readonly counts: boolean };

/** Since when a scan has waited for its messages, until when it may, and when its result was stored. */
export type Wait = { readonly since: number; readonly until: number };

/** What happened in a run, for whoever judges it. */
export function newLedger() {
  const storings: Storing[] = [];
  const waits = new Map<string, Wait>();
  const troubles: { readonly at: number; readonly ms: number }[] = [];
  const breaches: string[] = [];
  const sittings: string[] = [];
  const recipients: (readonly string[])[] = [];
  const asked = new Map<Worker, number>();
  let steps = 0;
  let removedAt: number | undefined;
  return {
    storings,
    waits,
    breaches,
    /** The scans for which packets were sent, once for each time. */
    sittings,
    recipients,
    /** Something that may make what follows later, by so many milliseconds. */
    noteTrouble: (at: number, ms: number) => void troubles.push({ at, ms }),
    troubleBetween: (from: number, to: number) => troubles.filter(({ at }) => at >= from && at <= to).reduce((sum, { ms }) => sum + ms, 0),

    /** Packets are sent for a scan. */
    noteSitting(scanId: string): void {
      sittings.push(scanId);
      if (waits.delete(scanId)) breaches.push(`packets were sent for ${scanId} again, which had waited already`);
    },
    /** A scan is to wait. Who looks and goes on waiting does not begin anew. */
    noteWait({ scanId, begun }: OwedScan): void {
      if (begun?.awaits !== undefined && !waits.has(scanId)) waits.set(scanId, begun.awaits);
    },
    /** A worker has asked something of the store. */
    noteAsked: (worker: Worker) => void asked.set(worker, ++steps),
    noteRemoved(): void {
      removedAt = ++steps;
    },
    /** A notice is handed over: of a host that is gone only when it went after the last that its sender asked. */
    noteHandover(worker: Worker, noticeId: string): void {
      if (removedAt !== undefined && (asked.get(worker) ?? 0) > removedAt)
        breaches.push(`${noticeId} was sent, though its host was removed`);
    },
    noteStored: (at: number, scan: Scan, counts: boolean) => void storings.push({ scan, at, counts }),
  };
}

export type Ledger = ReturnType<typeof newLedger>;
