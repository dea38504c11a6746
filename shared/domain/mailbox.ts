/**
 * Domains whose mailboxes have the same names with dots and without: whoever puts dots into one of theirs has as many spellings of it as
 * they like.
 */
const DOTS_MEAN_NOTHING = ['gmail.com', 'googlemail.com'];

/**
 * The mailbox that mail to an address ends in, in one spelling: `Victim+7@Example.org` is `victim@example.org`. It is for counting,
 * never for mailing: two addresses that are one mailbox here may be two at a server that knows no tags.
 */
export function mailboxOf(email: string): string {
  const at = email.lastIndexOf('@');
  const [local, domain] = [email.slice(0, at).toLowerCase(), email.slice(at + 1).toLowerCase()];
  const plus = local.indexOf('+');
  const untagged = plus > 0 ? local.slice(0, plus) : local;
  if (!DOTS_MEAN_NOTHING.includes(domain)) return `${untagged}@${domain}`;
  return `${untagged.replaceAll('.', '')}@${DOTS_MEAN_NOTHING[0]}`;
}
