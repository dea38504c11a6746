import { auditCases } from '../../support/mta/audit-cases.ts';
import { EXIM_CASES } from '../../support/mta/exim-cases.ts';

auditCases('exim', 72, EXIM_CASES);
