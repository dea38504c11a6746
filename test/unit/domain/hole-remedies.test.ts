import { describe, expect, test } from 'vitest';
import { CAUSES } from '../../../shared/domain/cause.ts';
import { type Hole, SENDER_CLAIMS, WHERES } from '../../../shared/domain/hole.ts';
import { holeRemedies, otherRemedies } from '../../../shared/domain/hole-remedies.ts';
import { GENERAL_REMEDIES, MTA_NAMES, type Mta, type Software, settingsFor } from '../../../shared/domain/remedies.ts';

const MTAS: readonly (Software | undefined)[] = [
  undefined,
  ...(Object.keys(MTA_NAMES) as Mta[]).map((mta) => ({ mta, from: 'greeting' }) as const),
];
const HOLES: readonly Hole[] = CAUSES.flatMap((cause): Hole[] => [
  { cause, others: 0 },
  { cause, name: 'example.org', seesUsAs: '172.18.0.1', others: 0 },
  ...SENDER_CLAIMS.map((sender) => ({ cause, name: 'mx.example.org', sender, others: 0 })),
  ...WHERES.map((where) => ({ cause, where, port: 587, others: 0 })),
]);

test.each(CAUSES)('%s has something that closes it, for every server', (cause) => {
  for (const software of MTAS)
    for (const hole of HOLES.filter((each) => each.cause === cause)) {
      const remedies = holeRemedies(hole, software);
      expect([software?.mta, remedies.length]).toEqual([software?.mta, expect.toSatisfy((count: number) => count >= 1 && count <= 6)]);
      for (const line of remedies) {
        expect(line).toMatch(/^[\x20-\x7e]{5,260}$/);
        expect(line).not.toMatch(/\{(?:name|pattern|port)\}|undefined/);
      }
    }
});

const said = (hole: Hole, mta?: Mta) => holeRemedies(hole, mta === undefined ? undefined : { mta, from: 'greeting' }).join('\n');

describe('what closes a hole', () => {
  test.each<[Mta, Partial<Hole> & Pick<Hole, 'cause'>, string]>([
    ['postfix', { cause: 'claimed-sender' }, 'check_sender_access'],
    ['postfix', { cause: 'claimed-ehlo' }, 'check_helo_access'],
    ['postfix', { cause: 'percent' }, 'allow_untrusted_routing = no'],
    ['postfix', { cause: 'quoted' }, 'resolve_dequoted_address = yes'],
    ['postfix', { cause: 'xclient' }, 'smtpd_authorized_xclient_hosts'],
    ['postfix', { cause: 'unanchored-recipient', name: 'example.org' }, '/@example\\.org$/'],
    ['postfix', { cause: 'anyone', where: 'on-port', port: 587 }, 'service at port 587'],
    ['postfix', { cause: 'anyone', seesUsAs: '172.18.0.1' }, 'smtpd_upstream_proxy_protocol = haproxy'],
    ['zimbra', { cause: 'claimed-sender' }, 'zmprov'],
    ['exim', { cause: 'percent' }, 'percent_hack_domains'],
    ['exim', { cause: 'srs' }, 'inbound_srs {$local_part} {SRS_SECRET}'],
    ['sendmail', { cause: 'claimed-sender' }, 'relay_local_from'],
    ['sendmail', { cause: 'percent' }, 'loose_relay_check'],
    ['opensmtpd', { cause: 'claimed-ehlo' }, 'with helo'],
    ['opensmtpd', { cause: 'anyone', where: 'inside-tls' }, '"match tls"'],
    ['mailenable', { cause: 'claimed-sender' }, 'Allow relay for local sender addresses'],
    ['hmailserver', { cause: 'claimed-sender' }, 'from local to external'],
    ['haraka', { cause: 'xclient' }, 'config/xclient.hosts'],
    ['qmail', { cause: 'percent' }, 'control/percenthack'],
    ['exchange', { cause: 'anyone', where: 'on-port', port: 587 }, 'AnonymousUsers'],
  ])('of %s, by %j, is %s', (mta, hole, setting) => {
    expect(said({ others: 0, ...hole }, mta)).toContain(setting);
  });

  test('is general where the server has no setting for it, or is not known', () => {
    const hole: Hole = { cause: 'xclient', others: 0 };
    expect(said(hole, 'qmail')).toBe(said(hole));
    expect(said({ cause: 'anyone', others: 0 }, 'qmail')).toBe(settingsFor({ mta: 'qmail', from: 'answers' }).join('\n'));
  });

  test('is of the form and of the sender, where both had to be', () => {
    const both = said({ cause: 'percent', sender: 'claimed-sender', name: 'example.org', others: 0 }, 'sendmail');
    expect(both).toContain('loose_relay_check');
    expect(both).toContain('relay_local_from');
  });

  test('is not said again among what closes any relay', () => {
    for (const software of MTAS)
      for (const hole of HOLES) {
        const [first, rest] = [holeRemedies(hole, software), otherRemedies(hole, software)];
        expect(rest.filter((line) => first.includes(line))).toEqual([]);
        expect([...first, ...rest]).toEqual(expect.arrayContaining([...GENERAL_REMEDIES]));
      }
  });
});
