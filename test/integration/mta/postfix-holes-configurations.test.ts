import { auditCases } from '../../support/mta/audit-cases.ts';
import { POSTFIX_HOLES_CASES } from '../../support/mta/postfix-holes-cases.ts';

auditCases('postfix', 91, POSTFIX_HOLES_CASES);
