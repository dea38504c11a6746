import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { METRICS, type MetricName } from './metrics.ts';

/** One line of JSON per event; the request id is added by each handler. No secret, key or mail body is ever logged. */
export function newLogger(functionName: string): Logger {
  return new Logger({ serviceName: functionName });
}

/** The log, as those see it who tell events with their fields and know nothing of how they are written. */
export type EventLog = {
  readonly info: (message: string, fields: object) => void;
  readonly error: (message: string, fields: object) => void;
};

export function eventLog(logger: Logger): EventLog {
  return {
    info: (message, fields) => logger.info(message, { ...fields }),
    error: (message, fields) => logger.error(message, { ...fields }),
  };
}

/** An error as it goes into the log. */
export type LoggedError = { readonly name: string; readonly message: string; readonly stack?: string; readonly cause?: LoggedError };

/**
 * What of an error is logged. Fields that a library hung on it are left out, since they may hold what it was given, and so is
 * every text that looks like an API key or a token of ours.
 */
export function loggedError(error: unknown): LoggedError {
  if (!(error instanceof Error)) return { name: typeof error, message: withoutSecrets(String(error)) };
  return {
    name: error.name,
    message: withoutSecrets(error.message),
    ...(error.stack === undefined ? {} : { stack: withoutSecrets(error.stack) }),
    ...(error.cause instanceof Error ? { cause: loggedError(error.cause) } : {}),
  };
}

function withoutSecrets(text: string): string {
  return text.replaceAll(/\bra1[._][\w.-]+/g, 'ra1…');
}

/** Counts that alarms watch, sent as lines of the log (CloudWatch embedded metric format). */
export type Counter = (name: MetricName, value: number) => void;

export function newCounter(): Counter {
  const metrics = new Metrics({ namespace: METRICS.namespace, serviceName: METRICS.service });
  return (name, value) => {
    metrics.addMetric(name, MetricUnit.Count, value);
    metrics.publishStoredMetrics();
  };
}
