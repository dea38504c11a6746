import type { RunningMta } from './case.ts';
import type { Namespace } from './namespace.ts';
import { startProgram } from './program.ts';

/** What is changed in Debian's configuration of Courier. */
export type CourierSettings = {
  /** Lines of its `smtpaccess`: who may connect and relay. Without: Debian's. */
  readonly access?: string;
  /** Lines that are added to its `esmtpd`. */
  readonly esmtpd?: string;
};

const COURIER_ID = 990;

/** Starts Courier for `served.example` with one mailbox, changed by `settings`. What it relays to the canary's domain goes to the sink. */
export function startCourier(
  namespace: Namespace,
  n: number,
  { access = DEBIANS, esmtpd = '' }: CourierSettings = {},
): Promise<RunningMta> {
  return startProgram(namespace, n, {
    root: 'courier',
    command: ['/usr/bin/unshare', '--pid', '--fork', '--kill-child', '/bin/sh', '$folder/start.sh'], // its daemons leave the group
    files: {
      'start.sh': START,
      smtpaccess: access.replaceAll(' ', '\t'),
      esmtpd,
      esmtproutes: 'canary.example: [$sink]\n.canary.example: [$sink]\n: [127.0.0.1],9\n',
    },
  });
}

const DEBIANS = '127.0.0.1 allow,RELAYCLIENT\n10 allow,RELAYCLIENT\n192.168 allow,RELAYCLIENT\n';

// Its paths are built in: `ip netns exec` gives each server mounts of its own, gone when it ends.
const START = `set -e
cd $folder
cp -a /etc/courier etc
mount --bind etc /etc/courier
mount -t tmpfs -o mode=755 none /var/lib/courier
mount -t tmpfs -o mode=755 none /run
mkdir -p /run/courier/authdaemon
chown -R ${COURIER_ID}:${COURIER_ID} /run/courier
for each in allfilters faxtmp filters msgq msgs sts tmp track; do mkdir -m 770 /var/lib/courier/$each; done
chown -R ${COURIER_ID}:${COURIER_ID} /var/lib/courier
cp smtpaccess etc/smtpaccess/default
cat esmtpd >>etc/esmtpd
cp esmtproutes etc/esmtproutes
echo mx.served.example >etc/me
printf 'localhost\\nserved.example\\nmx.served.example\\n' >etc/locals
printf 'served.example\\nmx.served.example\\n' >etc/esmtpacceptmailfor.dir/default
printf 'postmaster: |/bin/true\\n' >etc/aliases/system
chown -R ${COURIER_ID}:${COURIER_ID} etc
export PATH=/usr/bin:/bin:/usr/sbin:/sbin:/usr/lib/courier
makesmtpaccess
makeacceptmailfor
makealiases
touch /etc/environment
mkdir -p /run/courier/authdaemon
/usr/sbin/authdaemond start
sh /usr/lib/courier/courierctl.start
set -a
. etc/esmtpd
exec /usr/sbin/couriertcpd -address=$address -access=/etc/courier/smtpaccess.dat -maxprocs=$MAXDAEMONS -maxperc=$MAXPERC -maxperip=$MAXPERIP -noidentlookup -nodnslookup -user=courier -group=courier 25 /usr/sbin/courieresmtpd </dev/null
`;
