import { expect, test } from 'vitest';
import { otherRemedies } from '../../../shared/domain/hole-remedies.ts';
import { GENERAL_REMEDIES, MTA_NAMES, type Mta, type Software, settingsFor, softwareSentence } from '../../../shared/domain/remedies.ts';

test.each(Object.keys(MTA_NAMES) as Mta[])('%s has settings of its own that close it, beside the general ones', (mta) => {
  const software: Software = { mta, from: 'greeting' };
  expect(settingsFor(software)).not.toEqual([]);
  expect(otherRemedies(undefined, software)).toEqual([...settingsFor(software), ...GENERAL_REMEDIES]);
});

test('a server that nobody knows has the general ones only', () => {
  expect(otherRemedies(undefined, undefined)).toEqual(GENERAL_REMEDIES);
});

test('what we take a server for is said no more surely than we know', () => {
  const exim: Software = { mta: 'exim', version: '4.96', from: 'greeting' };
  expect(softwareSentence(exim)).toBe('Its greeting says that it is Exim 4.96.');
  expect(softwareSentence({ mta: 'exim', from: 'answers' })).toBe('Its answers are worded as those of Exim.');
});
