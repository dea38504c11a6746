import { Problem } from '../../shared/accounts/problem.ts';
import type { Host } from '../../shared/domain/host.ts';
import { hostProblemPage } from '../../shared/pages/host-problem.ts';
import { type Answer, page, type SignedCall, seeOther } from './call.ts';
import { faultsOf, inWords } from './host-faults.ts';

/** Does something for a host and leads to one of its pages, the first when left out; what could not be done is told among them. */
export async function acted({ visitor }: SignedCall, host: Host, act: () => Promise<unknown>, tab = ''): Promise<Answer> {
  try {
    await act();
    return seeOther(`/hosts/${host.id}${tab}`);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const why = error.errors === undefined ? error.message : inWords(faultsOf(error));
    return page(error.status, hostProblemPage(visitor, host, why), error.headers);
  }
}
