import { auditCases } from '../../support/mta/audit-cases.ts';
import { POSTFIX_LIMITS_CASES } from '../../support/mta/postfix-limits-cases.ts';

auditCases('postfix', 92, POSTFIX_LIMITS_CASES);
