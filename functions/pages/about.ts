import { aboutPage } from '../../shared/pages/about.ts';
import { baseUrlOf, KEPT, page, plain, type Verb } from './call.ts';

const SECURITY_TXT_DAYS = 180; // RFC 9116 §2.5.5 recommends less than a year
const DAY_MS = 24 * 60 * 60_000;

/** `GET /about` */
export const showAbout: Verb = async (call) => page(200, aboutPage(call), KEPT);

/** `GET /.well-known/security.txt`, RFC 9116. */
export const showSecurityTxt: Verb = async (call) => {
  const base = baseUrlOf(call);
  const today = call.clock() - (call.clock() % DAY_MS);
  const expires = new Date(today + SECURITY_TXT_DAYS * DAY_MS).toISOString().replace('.000Z', 'Z');
  // URLs must be https there (§2.5.4, §2.5.7).
  const links = base.startsWith('https://') ? [`Canonical: ${base}/.well-known/security.txt`, `Policy: ${base}/about#contact`] : [];
  const lines = [
    `Contact: mailto:${encodeURIComponent(call.contact).replace('%40', '@')}`,
    `Expires: ${expires}`,
    'Preferred-Languages: en',
    ...links,
    `# Not a weakness, but probes that you do not want: ${base}/opt-out`,
  ];
  return plain(200, `${lines.join('\n')}\n`, KEPT);
};

/** `GET /robots.txt`: administrators who search for our name should find the pages. */
export const showRobotsTxt: Verb = async () =>
  plain(200, 'User-agent: *\nDisallow: /v1/\nDisallow: /hosts\nDisallow: /account\nDisallow: /sign-in\n', KEPT);
