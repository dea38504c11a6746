import { auditCases } from '../../support/mta/audit-cases.ts';
import { POSTFIX_CASES } from '../../support/mta/postfix-cases.ts';

auditCases('postfix', 81, POSTFIX_CASES);
