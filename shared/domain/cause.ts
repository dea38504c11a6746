/** What lets strangers through, told apart as far as relay tests can tell: each row of the table shows one of these. */
export const CAUSES = [
  'anyone',
  'null-sender',
  'claimed-sender',
  'localhost-sender',
  'nonexistent-sender',
  'bare-sender',
  'bang-sender',
  'own-recipient',
  'unbracketed',
  'quoted',
  'percent',
  'double-at',
  'source-route',
  'bang',
  'claimed-ehlo',
  'localhost-ehlo',
  'xclient',
  'unanchored-recipient',
  'unanchored-sender',
  'first-recipient-only',
  'srs',
  'written-into-local-part',
] as const;

export type Cause = (typeof CAUSES)[number];
