/** Now, in epoch milliseconds; handed in, so that tests can turn it. */
export type Clock = () => number;

/** The clock of this machine. Whoever starts a program hands it in. */
export const systemClock: Clock = () => Date.now();
