import { expect, test } from 'vitest';
import { narrate } from '../../../infra/local/service/narrate.ts';

const line = (message: string, fields: object) =>
  JSON.stringify({ level: 'INFO', message, service: 'relay-audit', host: 'mx.example', ...fields });

test.each([
  [{ arrivals: 1, changedTo: 'open' }, 'a message that we sent through mx.example came back - change to open'],
  [{ arrivals: 1 }, 'a message that we sent through mx.example came back'],
  [{ bounces: 1 }, 'a message that we sent through mx.example was bounced to us'],
  [{ arrivals: 2 }, undefined],
  [{ bounces: 2 }, undefined],
])('whoever watches the service reads of messages that came back or were bounced, once for a scan: %j', (fields, words) => {
  expect(narrate(line('raised', fields))).toBe(words);
});

test('whoever watches the service reads whether a server is asked again, or messages are waited for', () => {
  const counts = { completed: 20, planned: 74 };
  expect(narrate(line('goes on later', { reason: 'greylisted', ...counts }))).toBe(
    'mx.example: 20 of 74 tests completed so far (greylisted); it is asked again later',
  );
  expect(narrate(line('goes on later', { reason: 'awaiting-messages', ...counts }))).toBe(
    'mx.example: takes any local part; the messages that we sent through it are waited for',
  );
});
