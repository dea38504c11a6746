/** Addresses of one name that are asked about, audited and paused, in their order; larger pools share one configuration. */
export const ADDRESSES_LIMIT = 8;

/** Addresses of one name that are read at all: an answer of DNS has room for 4,000, and no mail server has a hundred. */
export const POOL_LIMIT = 100;

/** Names of one address in reverse DNS that are asked for vetoes: shared hosts have a handful, and a reverse zone may list thousands. */
export const NAMES_LIMIT = 8;

/** Questions to DNS for one host: one with eight addresses, each with a name of its own, takes about 50. */
export const QUESTIONS_LIMIT = 200;

/** Questions for one host about the own servers of its zones, and to these: four places with four servers each. */
export const BESIDE_LIMIT = 60;

/** Questions of one host at a time: each holds a socket, and hosts of a batch take turns at the pace of their worker. */
export const QUESTIONS_AT_ONCE = 8;

/** How long a look may take for a request, in milliseconds: half of what the function has, and longer than a person waits. */
export const REQUEST_LOOK_MS = 10_000;

/** How long a look may take before a scan, in milliseconds: slow name servers get more, and the worker has minutes. */
export const SCAN_LOOK_MS = 30_000;

/** How long a look may keep a dial waiting, in milliseconds; then the sitting is over, and the next one asks anew. */
export const DIAL_LOOK_MS = 10_000;
