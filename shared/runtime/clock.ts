/** Now, in epoch milliseconds; handed in, so that tests can turn it. */
export type Clock = () => number;

/** The clock of this machine. Each program passes it in where it starts. */
export const systemClock: Clock = () => Date.now();
