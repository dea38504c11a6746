/** The CloudWatch namespace of our counts, shared by functions and alarms. `service` is the only dimension. */
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
