import type * as z from 'zod';
import { propose } from '../../shared/accounts/proposals.ts';
import { type proposalResponse, proposalsQuery } from '../../shared/contract/proposals.ts';
import { json, type Verb } from './call.ts';
import { readQuery } from './read-request.ts';
import { knownView } from './views.ts';

/** `GET /v1/proposals`: what to register for a domain or a server. */
export const showProposal: Verb = async (call) => {
  const { name } = readQuery(call.event, proposalsQuery);
  const { registered, ...proposal } = await propose(call, name);
  const body: z.input<typeof proposalResponse> = { ...proposal, registered: registered?.map(knownView) };
  return json(200, body);
};
