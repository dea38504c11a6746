import { auditCases } from '../../support/mta/audit-cases.ts';
import { OPENSMTPD_CASES } from '../../support/mta/opensmtpd-cases.ts';

auditCases('opensmtpd', 74, OPENSMTPD_CASES);
