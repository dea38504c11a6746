/** What a canary says of itself. Everything in it is ours, the host's name and address apart. */
export type CanaryLetter = {
  /** The token that proves, by arriving, that the host relays. */
  readonly token: string;
  /** When it is sent; epoch milliseconds. */
  readonly sentAt: number;
  readonly ourDomain: string;
  readonly canaryDomain: string;
  /** The address, port and transport under test, such as `192.0.2.1:25`. */
  readonly leg: string;
  readonly optOutAddress: string;
  /** Where our pages answer, without a slash at the end; left out where there are none. */
  readonly siteUrl?: string | undefined;
};

/** The header that carries a canary's token. */
export const TOKEN_HEADER = 'Relay-Audit-Token';

/**
 * Writes a canary as it goes over the wire after DATA, from the first header to the final dot: lines of at most 78
 * characters ended by CRLF (RFC 5322 §2.1.1), a leading dot doubled (RFC 5321 §4.5.2). Throws on a line that is not
 * printable ASCII, which would be our defect.
 */
export function writeCanary(letter: CanaryLetter): string {
  const lines = [...headers(letter), '', ...body(letter)];
  for (const line of lines) if (!/^[\x20-\x7e]{0,998}$/.test(line)) throw new Error('not printable ASCII in a canary');
  return `${lines.map((line) => (line.startsWith('.') ? `.${line}` : line)).join('\r\n')}\r\n.\r\n`;
}

function headers({ token, sentAt, ourDomain, canaryDomain }: CanaryLetter): string[] {
  return [
    `Date: ${new Date(sentAt).toUTCString().replace('GMT', '+0000')}`,
    `From: Relay Audit <relay-audit@${ourDomain}>`,
    `To: Relay Audit mailbox <canary@${canaryDomain}>`,
    'Subject: Relay test: this message should not have been let through',
    `Message-ID: <${token}@${ourDomain}>`,
    `${TOKEN_HEADER}: ${token}`,
    'Auto-Submitted: auto-generated',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=us-ascii',
  ];
}

function body({ leg, siteUrl, optOutAddress }: CanaryLetter): string[] {
  return [
    'This is a test message of Relay Audit. It was offered to the mail server at',
    leg,
    'as a stranger would, to see whether that server forwards mail between',
    'strangers. If it arrives, the server is an open relay, and its owner, who',
    'asked for this test, is told so. It goes to a mailbox of ours and nowhere else.',
    '',
    ...(siteUrl === undefined ? [] : [`Who we are: ${siteUrl}/about`]),
    'Not your test, or no more tests wanted? Say so here:',
    ...(siteUrl === undefined ? [] : [`${siteUrl}/opt-out`]),
    optOutAddress,
  ];
}
