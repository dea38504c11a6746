import * as z from 'zod';
import { readTarget } from '../domain/host-name.ts';
import { PROVIDER_KINDS } from '../domain/mail-providers.ts';

export const proposalsQuery = z.strictObject({
  name: z
    .string()
    .superRefine((text, context) => {
      const target = readTarget(text);
      if (target.kind === 'invalid') context.addIssue({ code: 'custom', message: target.why });
    })
    .meta({ description: 'A domain, or the name or address of a server.', example: 'example.org' }),
});

const proposedServer = z
  .strictObject({
    name: z.string(),
    role: z
      .enum(['this-name', 'mx'])
      .meta({ description: 'Whether it is the server of the very name that was asked for, or one that its MX names.' }),
    preference: z.int().optional().meta({ description: 'Of the MX record that names it; the lowest is tried first.' }),
    addresses: z.array(z.string()),
    runBy: z
      .strictObject({
        provider: z.string(),
        kind: z.enum(PROVIDER_KINDS).meta({
          description: 'It keeps the mail; or takes it and passes it on; or runs a machine that many customers share.',
        }),
      })
      .optional()
      .meta({ description: 'The provider that runs it, by its name or its reverse DNS name.' }),
    auditable: z.boolean().meta({ description: 'Whether it may be yours to audit. Registering it asks for the proof.' }),
    why: z.string(),
    sameAs: z
      .string()
      .optional()
      .meta({ description: 'The other of these servers that has all of its addresses: one host audits both, under that name.' }),
    forward: z.string().optional().meta({ description: 'A text for you to send to the provider.' }),
  })
  .meta({ id: 'ProposedServer' });

export const exempt = z
  .strictObject({
    addresses: z.array(z.string()),
    ehloName: z.string(),
    ignoreip: z.string().meta({ description: 'The line for fail2ban that spares our addresses.' }),
    where: z.string(),
    warning: z.string(),
  })
  .meta({ id: 'Exempt', description: 'What to tell ban tools about us. Left out where this deployment does not state its addresses.' });

export const knownHost = z.strictObject({
  host: z.string(),
  name: z.string(),
  servedDomains: z.array(z.string()).optional().meta({ description: 'What to PATCH that host with.' }),
});

export const proposalResponse = z
  .strictObject({
    name: z.string(),
    servers: z.array(proposedServer),
    servedDomains: z.array(z.string()).meta({ description: 'The domains whose MX names one of the servers that may be yours.' }),
    next: z.string().meta({ description: 'What to do now.' }),
    registered: z
      .array(knownHost)
      .optional()
      .meta({ description: 'Hosts of this account that are such a server already, by their own or a further name.' }),
    register: z
      .array(z.strictObject({ name: z.string(), servedDomains: z.array(z.string()) }))
      .optional()
      .meta({ description: 'Bodies for POST /v1/hosts, one for each other server that may be yours, whatever names it has.' }),
    exempt: exempt.optional(),
    recipientWarning: z
      .string()
      .optional()
      .meta({ description: 'Present when the address of the account is delivered by a server that would be audited.' }),
    trouble: z.array(z.string()).optional().meta({ description: 'What could not be found out.' }),
  })
  .meta({ id: 'Proposal' });
