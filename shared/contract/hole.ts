import * as z from 'zod';
import { CAUSES } from '../domain/cause.ts';
import { type Hole, holeSentence, SENDER_CLAIMS, WHERES } from '../domain/hole.ts';
import { holeRemedies } from '../domain/hole-remedies.ts';
import type { Software } from '../domain/remedies.ts';

/** The cause of what was let through, as the API and webhooks tell it. */
export const holeResponse = z
  .strictObject({
    cause: z.enum(CAUSES).meta({ description: 'What lets strangers through. New causes may be added.' }),
    name: z.string().optional().meta({ description: 'The name that was claimed for it, such as the domain of a sender.' }),
    sender: z.enum(SENDER_CLAIMS).optional().meta({ description: 'What the sender had to be as well.' }),
    where: z.enum(WHERES).optional().meta({ description: 'Where alone it is: the others of that kind answered, and are closed.' }),
    port: z.int().optional().meta({ description: 'The port, when it is at that one alone.' }),
    seesUsAs: z.string().optional().meta({
      description: 'The private address that the server took us for, when that explains it: a proxy or Docker hides its clients.',
    }),
    otherWays: z.int().meta({ description: 'How many other ways in there are, which this cause does not explain.' }),
    sentence: z.string().meta({ description: 'All of this in a sentence.' }),
    remedies: z.array(z.string()).meta({ description: 'What closes it: settings of the server where it is known, else in general.' }),
  })
  .meta({ id: 'Hole', description: 'The one cause of what was let through, which is to be closed before anything else.' });

/** A hole as the API and webhooks tell it. */
export function holeView(hole: Hole, software: Software | undefined): z.input<typeof holeResponse> {
  const { cause, name, sender, where, port, seesUsAs, others } = hole;
  const remedies = [...holeRemedies(hole, software)];
  return { cause, name, sender, where, port, seesUsAs, otherWays: others, sentence: holeSentence(hole), remedies };
}
