import { withNameService } from './beside.ts';
import type { MtaCase } from './case.ts';
import { type CourierSettings, startCourier } from './courier.ts';

const PLAIN = { from: '<stranger@stranger.example>', to: '<proof@canary.example>' };

const starting = (settings: CourierSettings = {}): MtaCase['start'] =>
  withNameService('courier', (namespace, n) => startCourier(namespace, n, settings));

/** Courier as Debian configures it, whose tarpit answers the more slowly the more it refused, and with changes that make it relay. */
export const COURIER_CASES: readonly MtaCase[] = [
  { rule: 'is Courier with Debian’s configuration and its tarpit', truth: 'closed', told: ['closed', 'inconclusive'], start: starting() }, // it takes most of the sittings that a scan has
  { rule: 'is Courier without its tarpit', truth: 'closed', start: starting({ esmtpd: 'TARPIT=0\n' }) },
  {
    rule: 'is Courier with a network among its relay clients that strangers are in',
    truth: 'open',
    proof: PLAIN,
    start: starting({ access: '127.0.0.1 allow,RELAYCLIENT\n198 allow,RELAYCLIENT\n' }),
  },
];
