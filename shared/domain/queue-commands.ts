import type { Mta, Software } from './remedies.ts';

/** How a server's queue is held, looked through, cleaned and let go. Commands as its administrator types them. */
export type QueueCommands = {
  readonly hold: readonly string[];
  readonly look: readonly string[];
  readonly remove: readonly string[];
  readonly release: readonly string[];
};

// From the manuals: postsuper(1), postcat(1); exim(8), exiqgrep(8); smtpctl(8); Exchange's queue cmdlets; qmail-qread(8); sendmail(8), mailq(1).
const COMMANDS: Partial<Record<Mta, QueueCommands>> = {
  postfix: {
    hold: ['postsuper -h ALL'],
    look: ['postqueue -p', 'postcat -vq QUEUE-ID'],
    remove: ['postsuper -d QUEUE-ID'],
    release: ['postsuper -H ALL'],
  },
  zimbra: {
    hold: ['/opt/zimbra/common/sbin/postsuper -h ALL'],
    look: ['/opt/zimbra/common/sbin/postqueue -p', '/opt/zimbra/common/sbin/postcat -vq QUEUE-ID'],
    remove: ['/opt/zimbra/common/sbin/postsuper -d QUEUE-ID'],
    release: ['/opt/zimbra/common/sbin/postsuper -H ALL'],
  },
  exim: {
    hold: ['exiqgrep -i | xargs -r exim -Mf'],
    look: ['exim -bp', 'exim -Mvh MESSAGE-ID'],
    remove: ['exim -Mrm MESSAGE-ID'],
    release: ['exiqgrep -z -i | xargs -r exim -Mt', 'exim -qff'],
  },
  sendmail: {
    hold: ['systemctl stop sendmail'],
    look: ['mailq'],
    remove: ['rm /var/spool/mqueue/?fQUEUE-ID'],
    release: ['systemctl start sendmail', 'sendmail -q'],
  },
  opensmtpd: {
    hold: ['smtpctl pause mta'],
    look: ['smtpctl show queue', 'smtpctl show message ENVELOPE-ID'],
    remove: ['smtpctl remove ENVELOPE-ID'],
    release: ['smtpctl resume mta'],
  },
  exchange: {
    hold: ['Get-Queue | Suspend-Queue -Confirm:$false'],
    look: ['Get-Queue | Get-Message -ResultSize Unlimited | Format-Table FromAddress,Subject,Identity'],
    remove: ['Remove-Message -Identity IDENTITY -WithNDR $false'],
    release: ['Get-Queue | Resume-Queue -Confirm:$false'],
  },
  qmail: {
    hold: ['svc -d /service/qmail-send'],
    look: ['qmail-qread'],
    remove: ['qmail-remove -r -p PATTERN   # while qmail-send is down'],
    release: ['svc -u /service/qmail-send'],
  },
};

/** The commands for the queue of a server whose software we know, if we know them. */
export function queueCommands(software: Software | undefined): QueueCommands | undefined {
  return software === undefined ? undefined : COMMANDS[software.mta];
}
