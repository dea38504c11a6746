// The names by which stacks and commands find what is deployed.

/** The stack of what must survive. */
export function foundationStackName(stage: string): string {
  return `relay-audit-${stage}-foundation`;
}

/** The stack of what may be replaced. */
export function serviceStackName(stage: string): string {
  return `relay-audit-${stage}-service`;
}

export const WORK_QUEUES = ['scans', 'notices', 'feedback', 'canary'] as const;

export type WorkQueueName = (typeof WORK_QUEUES)[number];

/** The queue in which messages of a work queue end that were given up. `stack` is what it is deployed in; there is none on one machine. */
export function deadLettersName(queue: WorkQueueName, stack?: string): string {
  return stack === undefined ? `${queue}-dead` : `${stack}-${queue}-dead`;
}
