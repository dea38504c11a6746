import { expect, test } from 'vitest';
import { brokenTlsAt, brokenTlsPorts, brokenTlsSentence } from '../../../shared/domain/broken-tls.ts';
import type { LegEvidence } from '../../../shared/domain/scan.ts';
import { sampleLeg } from '../../support/samples.ts';

const broken = (more: Partial<LegEvidence> = {}, sittings = 2): LegEvidence => ({
  ...sampleLeg(),
  contact: 'tls-failed',
  transport: 'starttls',
  brokenTls: { sittings, why: 'no shared cipher' },
  ...more,
});

test('broken TLS is told with its port and why, safe to show, and with doubt while one sitting has seen it', () => {
  expect(brokenTlsSentence(broken())).toBe('STARTTLS at port 25 is broken: no shared cipher.');
  expect(brokenTlsSentence(broken({ port: 465, transport: 'tls' }))).toBe('TLS at port 465 is broken: no shared cipher.');
  expect(brokenTlsSentence(broken({}, 1))).toBe('STARTTLS at port 25 is broken: no shared cipher. One sitting has shown it so far.');
  expect(brokenTlsSentence(broken({ brokenTls: { sittings: 2, why: '454 \x1b[31mnot now.' } }))).toBe(
    'STARTTLS at port 25 is broken: 454 \\x1b[31mnot now.',
  );
  expect([brokenTlsAt(465), brokenTlsAt(587)]).toEqual(['TLS at port 465 is broken', 'STARTTLS at port 587 is broken']);
});

test('TLS that works, or worked in a later sitting, is not told', () => {
  expect(brokenTlsSentence(sampleLeg())).toBeUndefined();
  expect(brokenTlsSentence(broken({ contact: 'answered' }))).toBeUndefined();
});

test('a port counts once it is believed, and once for all of its addresses', () => {
  expect(brokenTlsPorts([broken({ port: 587 }), broken(), broken({ address: '192.0.2.2' }), broken({ port: 26 }, 1), sampleLeg()])).toEqual(
    [25, 587],
  );
});
