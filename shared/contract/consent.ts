import * as z from 'zod';
import { PROOFS } from '../domain/consent.ts';
import { FINDING_KINDS } from '../domain/consent-finding.ts';
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

const finding = z
  .strictObject({
    kind: z.enum(FINDING_KINDS),
    side: z.enum(['name', 'address', 'served-domain']),
    about: z.string().meta({ description: 'The name, address or served domain that it is about.' }),
    asked: z.string().optional().meta({ description: 'The question to DNS.', example: 'TXT _relay-audit.mail.example.org' }),
    found: z.string().meta({ description: 'What came. Foreign texts are cut; what is not visible ASCII in them is written as `\\xNN`.' }),
    means: z.string(),
    change: z
      .strictObject({
        what: z.string(),
        records: z
          .array(
            z.strictObject({
              name: z.string().meta({ description: 'Its full name, without a dot at the end.' }),
              nameInZone: z
                .string()
                .optional()
                .meta({ description: 'The same without the zone, for a form that adds the zone by itself.' }),
              type: z.enum(['TXT', 'PTR', 'A', 'AAAA', 'MX']),
              value: z.string(),
              line: z.string().meta({ description: 'The record as a zone file has it.' }),
            }),
          )
          .optional()
          .meta({ description: 'The records that are to stand in DNS; all of them are needed.' }),
        send: z.string().optional().meta({ description: 'A text for you to send to whoever must make the change.' }),
      })
      .meta({ description: 'The one change that would make it right.' }),
    proves: z
      .enum(['name', 'reverse-zone', 'reverse-dns'])
      .optional()
      .meta({ description: 'What that would prove, where it is a proof that is missing.' }),
  })
  .meta({ id: 'ConsentFinding' });

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
    findings: z.array(finding).meta({
      description: 'What is not as it should be: what was asked, what came, what that means, and the one change that would make it right.',
    }),
    zone: z.string().optional().meta({ description: 'The zone that the name is most likely kept in.' }),
    servedDomains: z.array(z.strictObject({ domain: z.string(), used: z.boolean() })).meta({
      description: 'A served domain is used while its MX names this host, or it carries your token.',
    }),
    trouble: z.string().optional().meta({ description: 'Why nothing more can be said: the name has no address, or DNS does not answer.' }),
    next: z.string(),
    scan: z.string().optional().meta({ description: 'The scan that is owed now that consent is complete.' }),
  })
  .meta({ id: 'Consent' });
