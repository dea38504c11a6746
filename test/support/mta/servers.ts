import type { MtaCase } from './case.ts';
import { COURIER_CASES } from './courier-cases.ts';
import { CHASQUID_CASES, MSMTPD_CASES } from './daemon-cases.ts';
import { EXIM_CASES } from './exim-cases.ts';
import { FILTER_CASES } from './filter-cases.ts';
import { GO_CASES } from './go-cases.ts';
import { HARAKA_CASES } from './haraka-cases.ts';
import { NPM_CASES } from './npm-cases.ts';
import { OPENSMTPD_CASES } from './opensmtpd-cases.ts';
import { PERL_CASES } from './perl-cases.ts';
import { POSTFIX_CASES } from './postfix-cases.ts';
import { POSTFIX_HOLES_CASES } from './postfix-holes-cases.ts';
import { POSTFIX_LIMITS_CASES } from './postfix-limits-cases.ts';
import { PROXIES_CASES } from './proxies-cases.ts';
import { PYTHON_CASES } from './python-cases.ts';
import { SENDMAIL_CASES } from './sendmail-cases.ts';
import { TCL_CASES } from './tcl-cases.ts';

/** Configurations of one mail server, or of those written in one language, and the folders under .mtas that they run from. */
export type ConfiguredServer = { readonly name: string; readonly needs: readonly string[]; readonly cases: readonly MtaCase[] };

/** Every configuration of a real mail server that there is. */
export const SERVERS: readonly ConfiguredServer[] = [
  { name: 'Postfix', needs: ['postfix'], cases: [...POSTFIX_CASES, ...POSTFIX_HOLES_CASES, ...POSTFIX_LIMITS_CASES] },
  { name: 'Exim', needs: ['exim'], cases: EXIM_CASES },
  { name: 'Sendmail', needs: ['sendmail'], cases: SENDMAIL_CASES },
  { name: 'OpenSMTPD', needs: ['opensmtpd'], cases: OPENSMTPD_CASES },
  { name: 'Haraka', needs: ['haraka'], cases: HARAKA_CASES },
  { name: 'Courier', needs: ['courier'], cases: COURIER_CASES },
  { name: 'filters before Postfix', needs: ['postfix', 'spampd', 'proxsmtp', 'postsrsd'], cases: FILTER_CASES },
  { name: 'behind proxies', needs: ['nginx', 'haproxy', 'postfix', 'exim', 'sendmail', 'opensmtpd', 'haraka'], cases: PROXIES_CASES },
  { name: 'of npm', needs: ['npm'], cases: NPM_CASES },
  { name: 'in Go', needs: ['go'], cases: GO_CASES },
  { name: 'in Python', needs: ['python', 'rinetd'], cases: PYTHON_CASES },
  { name: 'in Perl', needs: ['perl'], cases: PERL_CASES },
  { name: 'in Tcl', needs: ['tcl'], cases: TCL_CASES },
  { name: 'chasquid', needs: ['chasquid'], cases: CHASQUID_CASES },
  { name: 'msmtpd', needs: ['msmtpd'], cases: MSMTPD_CASES },
];
