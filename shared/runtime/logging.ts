import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';

/** One line of JSON per event; the request id is added by each handler. No secret, key or mail body is ever logged. */
export function newLogger(functionName: string): Logger {
  return new Logger({ serviceName: functionName });
}

const METRICS_NAMESPACE = 'RelayAudit';

/** Counts that alarms watch, sent as lines of the log (CloudWatch embedded metric format). */
export type Counter = (name: MetricName, value: number) => void;

/** Every metric there is; `infra/constructs/alarms.ts` has the alarm of each. */
export type MetricName =
  | 'CursorAgeMinutes'
  | 'NoticesUnsettled'
  | 'EgressBlocked'
  | 'HostsProbed'
  | 'HostsRefusingUs'
  | 'PreflightFailures';

export function newCounter(): Counter {
  const metrics = new Metrics({ namespace: METRICS_NAMESPACE, serviceName: 'relay-audit' });
  return (name, value) => {
    metrics.addMetric(name, MetricUnit.Count, value);
    metrics.publishStoredMetrics();
  };
}
