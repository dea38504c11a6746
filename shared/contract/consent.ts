import * as z from 'zod';
import { PROOFS } from '../domain/consent.ts';
import { ADDRESSES_LIMIT } from '../domain/look-bounds.ts';

const found = z.enum(['token', 'deny', 'other', 'nothing', 'trouble', 'unasked']).meta({
  description:
    'What the TXT records there say: your token, a veto, something else, nothing; `trouble`: DNS did not answer; `unasked`: it was more than we ask for one host.',
});

const place = z.strictObject({ record: z.string(), found }).meta({ id: 'ConsentPlace' });

const addition = z
  .strictObject({
    side: z.enum(['name', 'address']),
    proof: z.enum(['name', 'reverse-zone', 'reverse-dns']),
    record: z.string().optional().meta({ description: 'The record to add, as a zone file has it.' }),
    also: z.array(z.string()).optional().meta({ description: 'The other records that this way needs, where they are not there yet.' }),
    what: z.string(),
  })
  .meta({ id: 'ConsentAddition' });

export const consentResponse = z
  .strictObject({
    token: z.string().meta({ description: 'What proofs of this account hold. It is no secret.' }),
    complete: z.boolean().meta({ description: 'Whether both sides speak for every address.' }),
    name: z
      .strictObject({ proven: z.boolean(), places: z.array(place) })
      .optional()
      .meta({ description: 'The side of the name; a host given as an address has none.' }),
    addresses: z.array(
      z.strictObject({
        address: z.string(),
        standing: z.enum(['proven', 'no-consent', 'vetoed', 'paused', 'forbidden-address', 'dns-trouble', 'too-many-lookups']),
        proofs: z.array(z.enum(PROOFS)),
        explanation: z.string(),
        pausedUntil: z.iso.datetime().optional(),
        reverseZone: place.optional(),
        reverseDns: z.array(
          z.strictObject({ name: z.string(), places: z.array(place), leadsBack: z.union([z.boolean(), z.enum(['trouble', 'unasked'])]) }),
        ),
        add: z.array(addition).meta({ description: 'What would prove this address; any one of them is enough.' }),
      }),
    ),
    addressesFound: z
      .int()
      .optional()
      .meta({
        description: `How many addresses the name has in all, where those are more than ${ADDRESSES_LIMIT}: a scan audits the first ${ADDRESSES_LIMIT} in order, and nothing is sent to the others.`,
      }),
    add: z.array(addition).meta({ description: 'What the side of the name still needs.' }),
    servedDomains: z.array(z.strictObject({ domain: z.string(), used: z.boolean() })).meta({
      description: 'A served domain is used while its MX names this host, or it carries your token.',
    }),
    trouble: z.string().optional().meta({ description: 'Why nothing more can be said: the name has no address, or DNS does not answer.' }),
    next: z.string(),
    scan: z.string().optional().meta({ description: 'The scan that is owed now that consent is complete.' }),
  })
  .meta({ id: 'Consent' });
