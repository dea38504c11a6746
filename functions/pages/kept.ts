const KEPT_S = 300;

/** For pages that say the same to everybody, and may be kept for a while. */
export const KEPT = { 'cache-control': `public, max-age=${KEPT_S}` };
