/** Where the service's counts are kept, which whoever counts and whoever watches must name alike. `service` is their one dimension. */
export const METRICS = { namespace: 'RelayAudit', service: 'relay-audit' } as const;

/** Every metric there is; `infra/constructs/alarms.ts` has the alarm of each. */
export const METRIC_NAMES = [
  'CursorAgeMinutes',
  'NoticesUnsettled',
  'EgressBlocked',
  'HostsProbed',
  'HostsRefusingUs',
  'PreflightFailures',
] as const;

export type MetricName = (typeof METRIC_NAMES)[number];
