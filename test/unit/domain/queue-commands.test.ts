import { expect, test } from 'vitest';
import { queueCommands } from '../../../shared/domain/queue-commands.ts';
import { MTA_NAMES, type Mta } from '../../../shared/domain/remedies.ts';

test.each(Object.keys(MTA_NAMES) as Mta[])('where %s has commands for its queue, it has one for each step', (mta) => {
  for (const commands of Object.values(queueCommands({ mta, from: 'greeting' }) ?? {})) {
    expect(commands.length).toBeGreaterThan(0);
    for (const command of commands) expect(command).toMatch(/^[\x21-\x7e][\x20-\x7e]+$/);
  }
});

test('the queue of a server that nobody knows has no commands, and none are borrowed from another', () => {
  expect(queueCommands(undefined)).toBeUndefined();
  expect(queueCommands({ mta: 'domino', from: 'greeting' })).toBeUndefined();
  expect(queueCommands({ mta: 'postfix', from: 'greeting' })?.hold).toEqual(['postsuper -h ALL']);
});
