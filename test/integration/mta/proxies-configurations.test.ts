import { auditCases } from '../../support/mta/audit-cases.ts';
import { PROXIES_CASES } from '../../support/mta/proxies-cases.ts';

auditCases('a mail server behind a proxy', 93, PROXIES_CASES, ['nginx', 'haproxy', 'postfix', 'exim', 'sendmail', 'opensmtpd', 'haraka']);
