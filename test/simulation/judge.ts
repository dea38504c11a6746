import { noticeId } from '../../shared/domain/notice.ts';
import { faultsOfWaiting } from './judge-waiting.ts';
import type { Run } from './world.ts';

/** What of a run breaks a promise about alerts, in words; nothing when all was kept. */
export function faultsIn(run: Run): string[] {
  const { host, sent, all, ledger, stuck } = run;
  if (stuck) return ['it never came to an end', ...ledger.breaches];
  const changes = all.changes.filter(({ hostId }) => hostId === host.id).toSorted((a, b) => a.version - b.version);
  const current = all.hosts.find(({ id }) => id === host.id);
  const turns = changes.flatMap(({ from, to, version }, index) => {
    const before = changes[index - 1];
    if (before !== undefined && before.to !== from)
      return [`change ${version} turns from ${from}, which ${before.version} had made ${before.to}`];
    return from === to ? [`change ${version} turns ${from} into itself`] : [];
  });
  const last = changes.at(-1);
  const state =
    last !== undefined && current !== undefined && current.state.relay !== last.to
      ? [`the host is ${current.state.relay} and its last change says ${last.to}`]
      : [];
  const open = all.notices.filter(({ dueAt }) => dueAt !== undefined).map(({ notice }) => `notice ${notice.id} is still owed`);
  const lost = changes.flatMap(({ version, at }) => {
    const own = all.notices.flatMap(({ notice }) => (notice.id.startsWith(noticeId(host.id, version, '')) ? [notice.recipient] : []));
    // A digest that is owed for later is not sent of a host that is removed until then.
    if (own.length === 0 && current === undefined) return [];
    if (own.length > 0 && !ledger.recipients.some((each) => [...each].toSorted().join() === own.toSorted().join()))
      return [`change ${version} was to be told to ${own}, whom the owner never named together`];
    const named =
      own.length > 0 ? own : (ledger.recipients[0] ?? []).filter((each) => ledger.recipients.every((all) => all.includes(each)));
    return named.flatMap((recipient) => {
      const told = sent.some(
        ({ noticeId: id, recipient: to, at: when }) =>
          to === recipient && (id.startsWith(noticeId(host.id, version, '')) || (when >= at && isDigest(all, id))),
      );
      // Of a host that is gone nothing more is told.
      const withheld =
        current === undefined &&
        all.notices.some(
          ({ notice, outcome }) =>
            outcome === 'withheld' &&
            notice.recipient === recipient &&
            (notice.id.startsWith(noticeId(host.id, version, '')) || isDigest(all, notice.id)),
        );
      return told || withheld ? [] : [`lost: nobody told ${recipient} of change ${version}`];
    });
  });
  const times = new Map<string, typeof sent>();
  for (const mail of sent) times.set(mail.noticeId, [...(times.get(mail.noticeId) ?? []), mail]);
  const repeated = [...times].flatMap(([id, mails]) =>
    mails.length > 1 && mails.slice(0, -1).some(({ eventsIntact }) => eventsIntact)
      ? [`repeated: ${id} was mailed ${mails.length} times`]
      : [],
  );
  const unknown = sent.flatMap(({ noticeId }) =>
    all.notices.some(({ notice }) => notice.id === noticeId) ? [] : [`${noticeId} was never owed`],
  );
  const unread = all.marked.flatMap(({ canary: { id, hostId, scanId } }) => {
    const scan = all.scans.find((each) => each.id === scanId && each.hostId === hostId);
    // A sitting that was made twice has canaries of which only the stored one's are known.
    const counts = scan?.canaries?.includes(id) === true && scan.arrivals?.some(({ canary }) => canary === id) !== true;
    return counts && current !== undefined ? [`canary ${id} came back and its scan ${scanId} does not know`] : [];
  });
  return [...turns, ...state, ...open, ...lost, ...repeated, ...unknown, ...unread, ...faultsOfWaiting(run)];
}

function isDigest(all: Run['all'], noticeId: string): boolean {
  const notice = all.notices.find((each) => each.notice.id === noticeId)?.notice;
  return notice?.about === 'host' && notice.occasion.kind === 'digest';
}
