import { auditCases } from '../../support/mta/audit-cases.ts';
import { COURIER_CASES } from '../../support/mta/courier-cases.ts';
import { CHASQUID_CASES, MSMTPD_CASES } from '../../support/mta/daemon-cases.ts';
import { FILTER_CASES } from '../../support/mta/filter-cases.ts';
import { GO_CASES } from '../../support/mta/go-cases.ts';
import { NPM_CASES } from '../../support/mta/npm-cases.ts';
import { PERL_CASES } from '../../support/mta/perl-cases.ts';
import { PYTHON_CASES } from '../../support/mta/python-cases.ts';
import { TCL_CASES } from '../../support/mta/tcl-cases.ts';

auditCases('python', 186, PYTHON_CASES, ['python', 'rinetd']);
auditCases('perl', 187, PERL_CASES);
auditCases('tcl', 188, TCL_CASES);
auditCases('npm', 189, NPM_CASES);
auditCases('go', 190, GO_CASES);
auditCases('msmtpd', 191, MSMTPD_CASES);
auditCases('chasquid', 192, CHASQUID_CASES);
auditCases('filters', 193, FILTER_CASES, ['postfix', 'spampd', 'proxsmtp', 'postsrsd']);
auditCases('courier', 194, COURIER_CASES);
