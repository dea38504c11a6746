import type { ScanRef } from '../../shared/domain/scan.ts';

type Services = {
  /** Makes the scans, and gives those that could not be stored. */
  readonly probe: (refs: readonly ScanRef[]) => Promise<readonly ScanRef[]>;
  /** Sends each in a message of its own. */
  readonly sendSingly: (refs: readonly ScanRef[]) => Promise<void>;
};

/** Makes the scans of one message. One that comes back is taken apart, so that one poisonous reference cannot sink fifty. */
export async function takeMessage(refs: readonly ScanRef[], comesBack: boolean, { probe, sendSingly }: Services): Promise<void> {
  if (comesBack && refs.length > 1) return sendSingly(refs);
  const failed = await probe(refs);
  if (failed.length === 0) return;
  if (failed.length === refs.length) throw new Error('no scan of this message could be stored');
  await sendSingly(failed);
}
