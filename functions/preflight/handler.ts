import middy from '@middy/core';
import { newResolver } from '../../shared/network/lookups.ts';
import { readSettings } from '../../shared/runtime/config.ts';
import { newCounter, newLogger } from '../../shared/runtime/logging.ts';
import { preflight } from './preflight.ts';

// Once per cold start.
const settings = readSettings('preflight');
const logger = newLogger('preflight');
const count = newCounter();
const dns = newResolver(settings.DNS_SERVERS);
const rules = {
  ehloName: settings.EHLO_NAME,
  canaryDomain: settings.CANARY_DOMAIN,
  egressAddress: settings.EGRESS_ADDRESS,
  blocklists: settings.BLOCKLISTS,
};

/** Called by EventBridge once a day, and at each deployment. */
export const handler = middy<unknown>()
  .before(({ context }) => logger.addContext(context))
  .handler(async () => {
    const faults = await preflight(rules, dns);
    for (const fault of faults) logger.warn('preflight found a fault', fault);
    count('PreflightFailures', faults.length);
    return { faults };
  });
