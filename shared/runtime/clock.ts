/** Now, in epoch milliseconds; handed in, so that tests can turn it. */
export type Clock = () => number;
