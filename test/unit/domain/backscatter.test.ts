import { describe, expect, test } from 'vitest';
import { backscatterOf, latestBounces } from '../../../shared/domain/backscatter.ts';
import { MTA_NAMES, type Mta } from '../../../shared/domain/remedies.ts';
import { scanId } from '../../../shared/domain/scan.ts';
import { NOON, sampleBounce, sampleHost, sampleLeg, sampleScan } from '../../support/samples.ts';

const BOUNCE = sampleBounce('canary');

describe('backscatter', () => {
  test('is what a bounce shows, and nothing else does', () => {
    expect(backscatterOf(undefined, [sampleLeg()])).toBeUndefined();
    expect(backscatterOf([], [sampleLeg()])).toBeUndefined();
    expect(backscatterOf([BOUNCE], [])?.sentence).toMatch(/RFC 5321 §6\.2.*not make it an open relay/);
  });

  test.each([
    ['postfix', /relay_recipient_maps/],
    ['exim', /verify = recipient\/callout/],
    ['sendmail', /virtusertable/],
    ['opensmtpd', /rcpt-to <users>/],
    ['exchange', /RecipientValidationEnabled \$true/],
    ['haraka', /rcpt_to\.ldap/],
    ['qmail', /validrcptto/],
    ['zimbra', /RejectUnlistedRecipient/],
  ] as const)('is ended by the server’s own setting first: %s', (mta, setting) => {
    const leg = { ...sampleLeg(), software: { mta, from: 'greeting' as const } };
    const settings = backscatterOf([BOUNCE], [leg])?.settings ?? [];
    expect(settings.slice(0, -1).join('\n')).toMatch(setting);
    expect(settings.at(-1)).toMatch(/at RCPT TO/);
  });

  test('is told in general words of a server that is not known, or not the one that bounced', () => {
    const other = { ...sampleLeg(), port: 587, software: { mta: 'postfix', from: 'greeting' } as const };
    expect(backscatterOf([BOUNCE], [other])?.settings).toHaveLength(1);
    for (const mta of Object.keys(MTA_NAMES) as Mta[])
      expect(backscatterOf([BOUNCE], [{ ...sampleLeg(), software: { mta, from: 'greeting' } }])?.settings.length).toBeGreaterThan(0);
  });
});

describe('of the scans of a host', () => {
  const scan = (minute: number) => {
    const at = NOON + minute * 60_000;
    return { ...sampleScan(sampleHost(), scanId(at, 'scheduled'), at), full: false };
  };
  const bounced = { ...scan(0), canaries: ['canary'], bounces: [BOUNCE] };

  test('those count that sent messages or tried every test: one that did not has nothing to say', () => {
    expect(latestBounces([scan(1), bounced])).toEqual([BOUNCE]);
    expect(latestBounces([{ ...scan(1), full: true }, bounced])).toEqual([]);
    expect(latestBounces([{ ...scan(1), canaries: ['other'] }, bounced])).toEqual([]);
    expect(latestBounces([])).toEqual([]);
  });
});
