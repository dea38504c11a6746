import type * as z from 'zod';
import { Problem } from '../../shared/accounts/problem.ts';
import { tooLong } from '../../shared/contract/requests.ts';
import type { FieldFaults } from '../../shared/pages/host-fields.ts';

const TOO_LONG =
  'Domains, alert recipients, control mailbox and webhook together have more characters than a host has room for: 500 for these with the first ten domains, 2,500 for all domains';

/** What a schema finds wrong with a wish, at the field that it is wrong with, and by the entry where it is one of several. */
export function faultsIn({ issues }: z.ZodError, wish: { readonly servedDomains: readonly string[] }): FieldFaults {
  return faultsFrom(
    issues.map(({ path: [field, index], message }) => {
      const entry = field === 'servedDomains' && typeof index === 'number' ? `${wish.servedDomains[index] ?? ''} ` : '';
      return { field: String(field ?? ''), message: `${entry}${wordsOf(field, message)}` };
    }),
  );
}

/** What a problem of the operation says, at the field that it is about. Other problems are thrown on. */
export function faultsOf(error: unknown): FieldFaults {
  if (!(error instanceof Problem) || error.errors === undefined) throw error;
  return faultsFrom(error.errors.map(({ field, message }) => ({ field: field.replace(/[[.].*$/, ''), message })));
}

/** The same for a page without the fields. */
export function inWords(faults: FieldFaults): string {
  return Object.values(faults).join(' ');
}

function faultsFrom(faults: readonly { field: string; message: string }[]): FieldFaults {
  const byField = Map.groupBy(faults, ({ field }) => field);
  return Object.fromEntries([...byField].map(([field, all]) => [field, wordsOfAll(all.map(({ message }) => message))]));
}

function wordsOfAll(messages: readonly string[]): string {
  const different = [...new Set(messages)];
  return sentence(different.slice(0, 3).map(plain).join('; '));
}

const plain = (message: string) => (message === tooLong ? TOO_LONG : message);

// Where a schema speaks of its own, in the words of the form.
function wordsOf(field: PropertyKey | undefined, message: string): string {
  if (field === 'alertRecipients') return 'must be one to five mail addresses, one a line';
  if (field === 'ports' && !message.startsWith('must')) return 'must be one to four ports between 1 and 65535';
  if (!message.startsWith('Too big')) return message;
  return field === 'servedDomains' ? 'A host may have at most 100 domains' : 'is too long';
}

function sentence(text: string): string {
  return `${text.startsWith('must') || text.startsWith('is ') ? `It ${text}` : text}.`;
}
