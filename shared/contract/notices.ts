import * as z from 'zod';
import { CHANNELS, OUTCOMES_OF_NOTICES } from '../domain/notice.ts';
import { KNOWN_STATES } from '../domain/reason.ts';
import { hostPath } from './requests.ts';

const moment = z.iso.datetime();

export const noticePath = hostPath.extend({ noticeId: z.string().regex(/^[0-9a-f]{20}-\d{10}-(\d|webhook)$/) });

/** What notices are about, in the order in which contracts list them. */
export const OCCASIONS_DESCRIPTION =
  'A confirmed change; changes that came so often that they are told once a day; a reminder; the host cannot be audited; it can again; its first scan, which had waited for consent, is made; that scan is given up; DNS has failed for it for a day.';

export const noticeResponse = z
  .strictObject({
    id: z.string(),
    about: z
      .enum(['change', 'digest', 'reminder', 'silent', 'back', 'proven', 'gave-up', 'dns-trouble'])
      .meta({ description: OCCASIONS_DESCRIPTION }),
    relayState: z.enum(KNOWN_STATES),
    channel: z.enum(CHANNELS),
    recipient: z.string(),
    owedAt: moment,
    outcome: z.enum(['owed', ...OUTCOMES_OF_NOTICES]).meta({
      description:
        '`owed`: it is still to go. `sent`: taken for delivery, or by the webhook. `rejected`: never sent. `withheld`: its recipient gets no mail. `grouped`: told in one mail with those of other hosts. `given-up`: the webhook did not take it, in 24 calls or two days.',
    }),
    tries: z.int(),
    settledAt: moment.optional(),
    nextTryAt: moment.optional(),
    why: z.string().optional().meta({ description: 'What was said last against it.' }),
  })
  .meta({ id: 'Notice' });

export const noticesResponse = z
  .strictObject({ items: z.array(noticeResponse), next: z.string().optional().meta({ description: 'Cursor of the following page.' }) })
  .meta({ id: 'Notices' });
