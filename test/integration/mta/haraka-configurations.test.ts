import { auditCases } from '../../support/mta/audit-cases.ts';
import { HARAKA_CASES } from '../../support/mta/haraka-cases.ts';

auditCases('haraka', 75, HARAKA_CASES);
