import type { Scan } from '../../shared/domain/scan.ts';
import type { Run } from './world.ts';

const TICK_MS = 60_000;
const LEASE_MS = 15 * 60_000; // of owed scans
const SLOWNESS_MS = 60_000; // what the steps themselves may last

type Marked = Run['all']['marked'][number];

/** What of a run breaks a promise about scans that wait for their messages, in words; nothing when all was kept. */
export function faultsOfWaiting(run: Run): string[] {
  const { all, ledger } = run;
  const marked = all.marked.filter(({ arrival }) => arrival !== undefined);
  const current = all.hosts[0];
  const counted = all.scans.flatMap(({ id }) => {
    const times = ledger.storings.filter(({ scan, counts }) => scan.id === id && counts).length;
    return times > 1 ? [`${id} was counted ${times} times`] : [];
  });
  const left = [
    ...all.owed.map(({ scanId }) => `${scanId} is still owed`),
    ...(current?.state.putOff === undefined ? [] : [`${current.state.putOff} is still said to wait`]),
  ];
  const made = all.scans
    .filter(({ judgement }) => judgement.verdict === 'open')
    .flatMap(({ id }) => (marked.some(({ canary }) => canary.scanId === id) ? [] : [`${id} is open, and nothing came back`]));
  const turned = all.changes
    .filter(({ to }) => to === 'open')
    .flatMap(({ version, scanId }) =>
      marked.some(({ canary }) => canary.scanId === scanId) ? [] : [`change ${version} to open, and nothing came back`],
    );
  const untold = all.changes.flatMap(({ version, from, to }) =>
    from === 'unknown' && to === 'closed' ? [`change ${version} tells of a host that was closed from the first`] : [],
  );
  const waited = all.scans.flatMap((scan) => (current === undefined ? [] : faultsOfWait(scan, run, marked)));
  return [...ledger.breaches, ...counted, ...left, ...made, ...turned, ...untold, ...unraised(run, marked), ...waited];
}

// What came back of messages that were sent after the last closure leaves a host open, since nothing closed it afterwards.
function unraised({ all }: Run, marked: readonly Marked[]): string[] {
  const [current] = all.hosts;
  return marked.flatMap(({ canary }) => {
    const scan = all.scans.find(({ id }) => id === canary.scanId);
    if (current === undefined || scan?.canaries?.includes(canary.id) !== true) return [];
    if (canary.sentAt < (current.state.closedAt ?? 0) || current.state.relay === 'open') return [];
    return [`canary ${canary.id} came back, and the host is ${current.state.relay}`];
  });
}

function faultsOfWait(scan: Scan, { ledger }: Run, marked: readonly Marked[]): string[] {
  const wait = ledger.waits.get(scan.id);
  const storings = ledger.storings.filter((each) => each.scan.id === scan.id);
  const [first] = storings;
  if (wait === undefined || first === undefined) return [];
  const late = (what: string, from: number, to: number) => {
    const limit = from + TICK_MS + LEASE_MS + SLOWNESS_MS + ledger.troubleBetween(from - LEASE_MS, to);
    return to > limit ? [`${what} of ${scan.id} came ${Math.round((to - from) / 1000)} s late`] : [];
  };
  const { verdict, reason } = first.scan.judgement;
  const ends = reason === 'catch-all' || reason === 'canary-arrived' ? [] : [`${scan.id} waited, and ended as ${verdict}: ${reason}`];
  const returns = marked.filter(({ canary }) => scan.canaries?.includes(canary.id) === true);
  const opened = storings.find((each) => each.scan.judgement.verdict === 'open')?.at;
  // Closed by another scan that began after the message was sent, for a time at least: then it only tells what was.
  const closings = ledger.storings.flatMap(({ scan: each }) => (each.judgement.verdict === 'closed' && each.full ? [each.startedAt] : []));
  const shut = Math.max(...closings, 0);
  const arrived = returns.flatMap(({ canary, arrival }) => {
    const from = Math.max(arrival?.at ?? 0, wait.since);
    if (opened !== undefined) return [];
    return shut > canary.sentAt ? [] : [`${canary.id} came back at ${from}, and ${scan.id} is not open`];
  });
  const earliest = Math.min(...returns.map(({ arrival }) => arrival?.at ?? Number.POSITIVE_INFINITY));
  const prompt = opened === undefined || !Number.isFinite(earliest) ? [] : late('the proof', Math.max(earliest, wait.since), opened);
  return [...ends, ...arrived, ...prompt, ...late('the end', wait.until, first.at)];
}
