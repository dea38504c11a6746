import * as z from 'zod';
import { KEY_SCOPES } from '../domain/key-scope.ts';
import { SCANS_A_MINUTE } from '../domain/shares.ts';

const LABEL_LIMIT = 60; // characters
const TOKEN_LIMIT = 1024; // characters; one for the longest mail address has under 600

const moment = z.iso.datetime();
const email = z.email().max(254);
const scope = z.enum(KEY_SCOPES).meta({ description: 'What the key is good for: `read` reads, `write` changes things too.' });
const apiKey = z.string().meta({ description: 'The key itself. It is shown in this answer and never again.' });

export const accountRequest = z
  .strictObject({ email: email.meta({ description: 'A mail address that you read; a link is sent to it.', example: 'you@example.org' }) })
  .meta({ id: 'AskForAccount' });

export const askedResponse = z.strictObject({ next: z.string().meta({ description: 'What to do now.' }) }).meta({ id: 'Asked' });

export const confirmationRequest = z
  .strictObject({ token: z.string().max(TOKEN_LIMIT).meta({ description: 'What the link of the mail has behind `token=`.' }) })
  .meta({ id: 'Confirmation' });

export const givenKeyResponse = z
  .strictObject({ accountId: z.string(), email: z.string(), apiKey, scope })
  .meta({ id: 'GivenKey', description: 'The account with a key of its own.' });

export const confirmedResponse = z.strictObject({ email: z.string(), confirmed: z.literal(true) }).meta({ id: 'ConfirmedRecipient' });

export const accountResponse = z
  .strictObject({
    id: z.string(),
    email: z.string(),
    createdAt: moment,
    hosts: z.int().meta({ description: 'How many hosts it has.' }),
    hostQuota: z
      .int()
      .meta({ description: 'How many it may have. In a day it may register twice as many, and ask for twice as many scans.' }),
    waitingScans: z.int().meta({
      description: `How many of its scans were due in the last minute and wait for a later one. Of one account ${SCANS_A_MINUTE} owed scans are begun in a minute, so that nobody waits for the scans of others.`,
    }),
  })
  .meta({ id: 'Account' });

export const removeAccountRequest = z
  .strictObject({
    confirm: z.string().max(254).meta({ description: 'The mail address of the account, so that nobody does this by mistake.' }),
  })
  .meta({ id: 'RemoveAccount' });

export const createKeyRequest = z
  .strictObject({
    scope,
    label: z
      .string()
      .min(1)
      .max(LABEL_LIMIT)
      .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'must not hold control characters or halves of characters') // JSON lets a surrogate stand alone, stores do not
      .optional()
      .meta({ description: 'What you call it.', example: 'monitoring' }),
  })
  .meta({ id: 'CreateKey' });

const key = {
  prefix: z.string().meta({ description: 'What the key begins with, behind `ra1_`; it names the key, and opens nothing.' }),
  scope,
  label: z.string().optional(),
  createdAt: moment,
};

export const keyResponse = z
  .strictObject({ ...key, lastUsedAt: moment.optional().meta({ description: 'True to the hour; absent if it never was.' }) })
  .meta({ id: 'Key' });
export const keysResponse = z.strictObject({ items: z.array(keyResponse) }).meta({ id: 'Keys' });
export const createdKeyResponse = z.strictObject({ ...key, apiKey }).meta({ id: 'CreatedKey' });

export const keyPath = z.object({ prefix: z.string().regex(/^[0-9a-f]{12}$/) });
