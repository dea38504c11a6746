import { setTimeout as wait } from 'node:timers/promises';
import type { MtaCase } from './case.ts';
import type { Delivered } from './sink.ts';
import { isPutOff, type Letter, send } from './stranger.ts';

const DELIVERY_MS = 20_000; // what a server needs at most to hand over what it has taken
const QUIET_MS = 1_500; // a server that relays nothing is given this long to prove it
const AGAIN_MS = 600; // how soon a letter is tried again
const TRIES = 5; // at a letter that a server puts off, as greylisters do; as many again from an address that it has no count of
const LANES = 4; // letters under way at once, so that servers which answer each after seconds take no quarter of an hour

const CANARY = 'canary.example';
const SERVED = 'served.example';
const STRANGER = '<s@stranger.example>';
const PLAIN: Letter = { from: STRANGER, to: `<stranger@${CANARY}>` };

// What any stranger's tester would try; none of it gets through a closed server.
const LETTERS: readonly Letter[] = [
  PLAIN,
  ...['<>', `<s@${SERVED}>`, '<s@localhost>', `<s@${SERVED}.${CANARY}>`, `<s@x${SERVED}.${CANARY}>`].map((from) => ({ ...PLAIN, from })),
  ...[
    `<stranger%${CANARY}@${SERVED}>`,
    `<"stranger@${CANARY}"@${SERVED}>`,
    `<@${SERVED}:stranger@${CANARY}>`,
    `<${CANARY}!stranger@${SERVED}>`,
    `<stranger@${CANARY}@${SERVED}>`,
    `<stranger@${SERVED}.${CANARY}>`,
    `<stranger@x${SERVED}.${CANARY}>`,
    `<SRS0=abcd=TT=${CANARY}=stranger@${SERVED}>`,
  ].map((to) => ({ ...PLAIN, to })),
  { ...PLAIN, from: '<>', to: `<SRS0=abcd=TT=${CANARY}=stranger@${SERVED}>` },
  { ...PLAIN, before: `<postmaster@${SERVED}>` },
  { ...PLAIN, after: `<postmaster@${SERVED}>` },
  { ...PLAIN, ehlo: `mx.${SERVED}` },
  { ...PLAIN, ehlo: 'localhost' },
  { ...PLAIN, xclient: 'ADDR=127.0.0.1' },
  { ...PLAIN, transport: 'starttls' },
];

/** Where letters of one case arrive. */
export type Mailbox = {
  /** The subject that its letters bear, so that those of servers beside it are told apart. */
  readonly subject: string;
  readonly delivered: readonly Delivered[];
  /** Addresses that no server there has been called from yet. */
  readonly strangers: readonly string[];
};

/**
 * What a stranger gets through a server to the sink, and the server's answers, for whoever reads why it is not as the case says.
 * A closed one is tried with all that a stranger would send; an open one with its proof, until that arrives.
 */
export async function seenByStranger(address: string, each: MtaCase, mailbox: Mailbox): Promise<{ truth: MtaCase['truth']; said: string }> {
  const arrived = () => mailbox.delivered.some(({ raw, to }) => isAbroad(to) && headOf(raw).includes(`Subject: ${mailbox.subject}\r\n`));
  const said = await (each.truth === 'open' ? untilRelayed(address, each, mailbox, arrived) : afterAll(address, mailbox));
  return { truth: arrived() ? 'open' : 'closed', said: said.join('\n') };
}

async function untilRelayed(address: string, { proof = PLAIN }: MtaCase, mailbox: Mailbox, arrived: () => boolean): Promise<string[]> {
  const answer = await sendStubbornly(address, proof, mailbox.subject, mailbox.strangers[0], (said) => !said.startsWith('250'));
  for (const until = Date.now() + DELIVERY_MS; answer.startsWith('250') && !arrived() && Date.now() < until; ) await wait(AGAIN_MS);
  return [answer];
}

async function afterAll(address: string, { subject, strangers }: Mailbox): Promise<string[]> {
  const left = [...LETTERS.entries()];
  const said: string[] = [];
  const lane = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const [index, letter] = next;
      const answer = await sendStubbornly(address, letter, subject, strangers[index], isPutOff);
      said.push(`${letter.from} ${letter.to}: ${answer}`);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  await wait(QUIET_MS);
  return said;
}

// The same address first, as greylisters want, then one that the server has no count of.
async function sendStubbornly(
  address: string,
  letter: Letter,
  subject: string,
  stranger: string | undefined,
  again: (answer: string) => boolean,
): Promise<string> {
  const tries = [undefined, address.includes(':') ? undefined : stranger].flatMap((from) => Array.from({ length: TRIES }, () => from));
  let answer = '';
  for (const [index, from] of tries.entries()) {
    if (index > 0) await wait(AGAIN_MS);
    answer = await send(address, letter, subject, from);
    if (!again(answer)) break;
  }
  return answer;
}

function isAbroad(recipients: readonly string[]): boolean {
  return recipients.some((each) => each.endsWith(`@${CANARY}`) || each.endsWith(`.${CANARY}`));
}

// A bounce quotes the letter further down.
function headOf(raw: string): string {
  return raw.slice(0, raw.indexOf('\r\n\r\n') + 2);
}
