import { describe, expect, test } from 'vitest';
import { readNoticesMessage, readScansMessage } from '../../../shared/runtime/queues.ts';

const REF = { accountId: 'account1', hostId: 'host1', scanId: '20261124T103100Z-scheduled' };

describe('a message is read as references, or not at all', () => {
  test('scans', () => {
    expect(readScansMessage(JSON.stringify({ scans: [REF, REF] }))).toEqual([REF, REF]);
  });

  test('notices', () => {
    expect(readNoticesMessage(JSON.stringify({ notices: ['n1'] }))).toEqual(['n1']);
  });

  test.each([
    ['no JSON', 'scan it'],
    ['no object', '[]'],
    ['nothing to do', '{"scans":[]}'],
    ['half a reference', JSON.stringify({ scans: [{ accountId: 'account1', hostId: 'host1' }] })],
    ['an id that is no scan id', JSON.stringify({ scans: [{ ...REF, scanId: 'now' }] })],
    ['one good reference and one bad', JSON.stringify({ scans: [REF, { ...REF, scanId: '' }] })],
    ['a message of the other queue', '{"notices":["n1"]}'],
  ])('%s is refused', (_, body) => {
    expect(() => readScansMessage(body)).toThrow();
  });
});
