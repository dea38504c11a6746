import { auditCases } from '../../support/mta/audit-cases.ts';
import { SENDMAIL_CASES } from '../../support/mta/sendmail-cases.ts';

auditCases('sendmail', 73, SENDMAIL_CASES);
