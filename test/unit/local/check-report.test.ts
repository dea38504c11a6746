import { expect, test } from 'vitest';
import { judgementOf } from '../../../functions/probe/finding.ts';
import { asJson, asText, type Report } from '../../../infra/local/commands/check-report.ts';
import type { LegEvidence } from '../../../shared/domain/scan.ts';
import { NOON, sampleArrival, sampleBounce, sampleCanary, sampleHost, sampleLeg, sampleScan } from '../../support/samples.ts';

const HOST = sampleHost();
const ARRIVAL = sampleArrival(sampleCanary(sampleScan(HOST, 'scan', NOON), 'c'));

function report(leg: LegEvidence, arrivals = [ARRIVAL]): Report {
  return { host: HOST, finding: { legs: [leg], arrivals }, bounces: [] };
}

test('the terminal names the hole below the verdict, and what closes it before what closes any relay', () => {
  const leg: LegEvidence = { ...sampleLeg('accepted'), seesUsAs: '172.18.0.1' };
  const lines = asText(report(leg), false).split('\n');
  expect(lines[2]).toBe(
    'It accepts mail to anywhere from anyone: it took us for 172.18.0.1, so a proxy or Docker in front of it hides who its clients are.',
  );
  const end = lines.slice(lines.indexOf('What closes it'));
  expect(end[1]).toMatch(/^ {2}- With Docker: its userland proxy/);
  expect(end.indexOf('What closes any relay')).toBeGreaterThan(2);
  expect(end.join('\n')).not.toContain('It takes every client for a private address');
  expect(asJson(report(leg)).hole).toMatchObject({ cause: 'anyone', seesUsAs: '172.18.0.1', remedies: expect.any(Array) });
});

test('the terminal says that clients are lost where that is not the hole itself', () => {
  const tests = sampleLeg('accepted').tests.map((each) => ({ ...each, shows: undefined }));
  const text = asText(report({ ...sampleLeg('accepted'), tests, seesUsAs: '172.18.0.1' }), false);
  expect(text).toContain('What closes it\n');
  expect(text).toContain('It takes every client for a private address');
  expect(text).not.toContain('What closes any relay');
});

test('the terminal tells of backscatter below a closed verdict, by whom a message was bounced and what refuses it instead', () => {
  const leg: LegEvidence = { ...sampleLeg(), software: { mta: 'exim', from: 'greeting' } };
  const finding = { legs: [leg] };
  const bounced: Report = { host: HOST, finding, bounces: [{ ...sampleBounce('a'), by: 'mail\x1b[31m' }] };
  const text = asText(bounced, false);
  expect(text).toMatch(/^mail\.example\.org: closed\n/);
  expect(text.slice(text.indexOf('\nBackscatter\n'))).toMatch(
    /192\.0\.2\.1:25 \(plain\): by mail\\x1b\[31m at .*\n {2}- .*verify = recipient/,
  );
  expect(asJson(bounced)).toMatchObject({
    bounces: [{ leg: '192.0.2.1:25', test: 'plain' }],
    backscatter: { explanation: expect.stringContaining('RFC 5321'), settings: [expect.stringContaining('callout'), expect.any(String)] },
  });
  expect(asText({ ...bounced, bounces: [] }, false)).not.toContain('Backscatter');
  expect(asJson({ ...bounced, bounces: [] }).backscatter).toBeUndefined();
});

test('the terminal says at which leg TLS is broken, and why', () => {
  const leg: LegEvidence = {
    ...sampleLeg(),
    transport: 'starttls',
    contact: 'tls-failed',
    brokenTls: { sittings: 2, why: 'no \x1b cipher' },
  };
  const text = asText({ host: HOST, finding: { legs: [sampleLeg(), leg] }, bounces: [] }, false);
  expect(text).toContain('\n    STARTTLS at port 25 is broken: no \\x1b cipher.\n');
});

test('a closed verdict says what was left out where no domain was named, and how to name one', () => {
  const bare: Report = {
    host: sampleHost({ servedDomains: [] }),
    finding: { legs: [sampleLeg()] },
    bounces: [],
  };
  expect(asText(bare, false).split('\n')[2]).toBe(
    'No domain was named, so tests that claim one of yours were left out, and a refusal of us looks like a refusal to relay. Name one: --domain example.org.',
  );
  expect(asText({ ...bare, host: HOST }, false)).not.toContain('No domain was named');
  expect(asText({ ...bare, finding: { legs: [sampleLeg('accepted')] } }, false)).not.toContain('No domain was named');
});

test('an audit that was stopped does not call the server slow, in words and in JSON', () => {
  const leg: LegEvidence = { ...sampleLeg(), tests: [{ test: 'plain', outcome: 'not-run', stage: 'greeting' }], stopped: 'out-of-time' };
  const slow: Report = { host: HOST, finding: { legs: [leg] }, bounces: [] };
  const stopped: Report = { ...slow, stopped: 'max-time' };
  expect(asText(slow, false)).toContain('It answers so slowly');
  expect(asText(stopped, false)).not.toContain('It answers so slowly');
  expect(asText(stopped, false).match(/Stopped before every test was done\./g)).toHaveLength(2);
  const explanation = 'Stopped before every test was done.';
  expect(asJson(stopped)).toMatchObject({ stopped: 'max-time', explanation, legs: [{ explanation }] });
  expect(asJson(slow).stopped).toBeUndefined();
});

const CONTROL = 'control-random-user:local';
const control = { test: CONTROL, outcome: 'accepted', stage: 'rcpt' } as const;
const POSTMASTER = { test: 'control-postmaster', outcome: 'accepted', stage: 'rcpt' } as const;

/** A leg that takes any local part, in two of its tests. */
function catchAll(more: Partial<LegEvidence>): Report {
  const tests = sampleLeg().tests.map((each, index) =>
    index > 0 && index < 3 ? ({ ...each, outcome: 'accepted', negative: CONTROL, canary: 'a' } as const) : each,
  );
  const leg: LegEvidence = { ...sampleLeg(), tests, controls: [POSTMASTER, control], ...more };
  return { host: HOST, finding: { legs: [leg] }, bounces: [] };
}

test('what a catch-all takes is one line, and its verdict says how long its messages were waited for', () => {
  const waited: Report = { ...catchAll({ ended: 'waited' }), waitedMs: 300_000 };
  const text = asText(waited, false);
  expect(text).toMatch(/^mail\.example\.org: closed\n.* came back within 5 minutes\. /);
  expect(text).toContain('\n    takes any local part (2 forms), which proves nothing by itself; --json has all');
  expect(text).toContain('    1 connection, 60 commands, 19 refusals');
  expect(text).not.toContain('RCPT TO');
  expect(asJson(waited)).toMatchObject({
    reason: 'catch-all',
    explanation: expect.stringMatching(/within 5 minutes\.$/),
    legs: [{ explanation: expect.stringMatching(/within 5 minutes\.$/) }],
  });
});

test('where any local part is taken and nothing was sent, it is said how to have a message come back', () => {
  const unsent = catchAll({ noMailbox: true });
  expect(judgementOf(unsent.finding, []).reason).toBe('any-local-part');
  expect(asText(unsent, false)).toContain('--canary-domain and --canary-listen');
});
