import type { MtaCase } from './case.ts';
import { startProgram } from './program.ts';

const PLAIN = { from: '<stranger@stranger.example>', to: '<proof@canary.example>' };

const smtpd = (validate: string): MtaCase['start'] => {
  const code = `
package require smtpd
package require smtp
package require mime

proc hand_over {sender recipients data} {
  set foreign [lsearch -all -inline -glob $recipients {*canary.example>}]
  if {[llength $foreign] == 0} return
  set message [mime::initialize -string [join $data "\\n"]]
  smtp::sendmessage $message -servers [list $sink] -originator $sender -recipients [join $foreign ,]
  mime::finalize $message
}

proc validate {recipient} {
  ${validate}
}

smtpd::configure -deliver ::hand_over -validate_recipient ::validate
smtpd::start $address 25
vwait forever
`;
  const program = { root: 'tcl', command: ['/usr/bin/tclsh8.6', '$folder/server.tcl'], files: { 'server.tcl': code } };
  return (namespace, n) => startProgram(namespace, n, program);
};

/** Tcllib’s smtpd, as its documentation shows it. */
export const TCL_CASES: readonly MtaCase[] = [
  {
    rule: 'is Tcllib’s smtpd for one mailbox',
    truth: 'closed',
    start: smtpd(`if {$recipient ne {<postmaster@served.example>}} { error {no such mailbox} }`),
  },
  { rule: 'is Tcllib’s smtpd and relays for everyone', truth: 'open', proof: PLAIN, start: smtpd('return') },
  {
    rule: 'is Tcllib’s smtpd with a pattern for its domain that has no end',
    truth: 'open',
    proof: { ...PLAIN, to: '<proof@served.example.canary.example>' },
    start: smtpd(`if {![string match *@served.example* $recipient]} { error {not one of ours} }`),
  },
];
