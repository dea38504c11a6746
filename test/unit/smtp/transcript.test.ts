import { expect, test } from 'vitest';
import { newTranscript } from '../../../shared/smtp/transcript.ts';

test('a transcript keeps its lines in order', () => {
  const transcript = newTranscript();
  for (const line of ['S: 220 mx', 'C: QUIT', '-- closed']) transcript.add(line);
  expect(transcript.lines).toEqual(['S: 220 mx', 'C: QUIT', '-- closed']);
});

test('a server that talks without end fills at most 64 KiB, and the last line says that more came', () => {
  const transcript = newTranscript();
  for (let line = 0; line < 1_000; line++) transcript.add('x'.repeat(1_000));
  const text = transcript.lines.join('\n');
  expect(text.length).toBeLessThanOrEqual(64 * 1024 + 30);
  expect(transcript.lines.at(-1)).toBe('-- the rest is not kept');
  expect(transcript.lines.filter((line) => line.startsWith('--'))).toHaveLength(1);
});

test('lines without text are counted too', () => {
  const transcript = newTranscript();
  for (let line = 0; line < 100_000; line++) transcript.add('');
  expect(transcript.lines.length).toBeLessThanOrEqual(64 * 1024 + 1);
});

test('a transcript is full at 64 KiB, with the ends of its lines', () => {
  const transcript = newTranscript();
  transcript.add('x'.repeat(64 * 1024 - 4));
  transcript.add('y'); // with its end two more: one is left
  for (const line of ['', 'z']) transcript.add(line);
  expect(transcript.lines.slice(1)).toEqual(['y', '-- the rest is not kept']);
});
