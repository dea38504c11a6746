import { judgementOf } from '../../functions/probe/finding.ts';
import { audit, newPost, rulesFor } from '../support/mta/audit-cases.ts';
import type { MtaCase } from '../support/mta/case.ts';
import { hasMta, type Namespace, openNamespace } from '../support/mta/namespace.ts';
import { type ConfiguredServer, SERVERS } from '../support/mta/servers.ts';
import { type Sink, startSink } from '../support/mta/sink.ts';
import { type Mailbox, seenByStranger } from '../support/mta/truth.ts';
import { type Answer, type Count, countAnswers } from './accuracy/answers.ts';
import { askNmap, hasNmap } from './engine/nmap.ts';
import type { Figure } from './figure.ts';

type Configuration = { readonly server: string; readonly each: MtaCase; readonly index: number; readonly n: number };
/** What a stranger got through, what we say, and what nmap says. */
type Answers = { readonly server: string; readonly truth: Answer; readonly ours: Answer; readonly nmap: Answer };

const OCTET = 200; // of a namespace that no test uses
const FIRST_SERVER = 10; // number of the first server's address
const ADDRESSES = 200; // used in turn: there are more configurations than addresses
const AT_ONCE = 20; // nearly all of the time goes into servers' pauses and limits
const BEGIN_MS = 18 * 60_000; // no configuration is begun later; with the last ones' sittings it takes twenty minutes

/**
 * Brings up every configuration of a real mail server and asks three: the truth, which is what a stranger gets through to a mailbox
 * outside; nmap's script smtp-open-relay; and us. Prints a table for each server and in all. `npm run bench -- accuracy`.
 */
export async function measureAccuracy(): Promise<Figure[]> {
  const servers = SERVERS.filter(({ needs }) => needs.every(hasMta));
  if (servers.length === 0) return skipped('needs root, and mail servers in .mtas: .ci/install-mtas.sh');
  if (!hasNmap()) return skipped('the comparison needs nmap: apt-get install nmap');
  const namespace = openNamespace(OCTET);
  const post = newPost(OCTET);
  const sink = await startSink(namespace.ourAddress, 25, post.take);
  const left = configurationsOf(servers);
  const answers: Answers[] = [];
  let leftOut = 0;
  const until = Date.now() + BEGIN_MS;
  const lane = async () => {
    while (Date.now() < until) {
      const next = left.shift();
      if (next === undefined) return;
      const answer = await askAll(namespace, sink, post, next);
      if (answer === undefined) leftOut++;
      else answers.push(answer);
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
  } finally {
    await sink.stop();
    namespace.close();
  }
  return shown(answers, leftOut, left.length);
}

function configurationsOf(servers: readonly ConfiguredServer[]): Configuration[] {
  return servers
    .flatMap(({ name, cases }) => cases.map((each) => ({ server: name, each })))
    .map((configuration, index) => ({ ...configuration, index, n: FIRST_SERVER + (index % ADDRESSES) }));
}

// Each asker finds the server fresh: what one of them did to its limits is nothing to the next.
async function askAll(namespace: Namespace, sink: Sink, post: ReturnType<typeof newPost>, configuration: Configuration) {
  const { server, each, index, n } = configuration;
  try {
    const judgement = await asked(namespace, configuration, async () => judgementOf(await audit(rulesFor(namespace, n), post, each), []));
    const nmap = await asked(namespace, configuration, (address) => askNmap(address, each.ports));
    const truth = await asked(namespace, configuration, (address) =>
      truthOf(address, each, { subject: `letter ${index}`, delivered: sink.delivered, strangers: namespace.strangers }),
    );
    if (truth !== each.truth) throw new Error(`a stranger finds it ${truth}, not ${each.truth}`);
    const ours = answerOf(judgement.verdict);
    if (ours !== truth)
      console.error(`${server}, ${each.rule}: ${judgement.verdict} (${judgement.reason}), and it is ${truth}; nmap: ${nmap}`);
    return { server, truth, ours, nmap };
  } catch (error) {
    console.error(`${server}, ${each.rule}: left out: ${String(error).split('\n')[0]}`);
    return undefined;
  }
}

async function asked<T>(namespace: Namespace, { each, n }: Configuration, ask: (address: string) => Promise<T>): Promise<T> {
  const { address, stop } = await each.start(namespace, n);
  try {
    return await ask(address);
  } finally {
    await stop();
  }
}

async function truthOf(address: string, each: MtaCase, mailbox: Mailbox): Promise<Answer> {
  return (await seenByStranger(address, each, mailbox)).truth;
}

function answerOf(verdict: string): Answer {
  return verdict === 'open' || verdict === 'closed' ? verdict : 'unknown';
}

function shown(answers: readonly Answers[], leftOut: number, notBegun: number): Figure[] {
  const counted = (of: readonly Answers[]) => [countAnswers(of, 'ours'), countAnswers(of, 'nmap')] as const;
  const cells = ({ right, wrongOpen, wrongClosed, unknown }: Count) => `${right} | ${wrongOpen} | ${wrongClosed} | ${unknown}`;
  const row = (name: string, of: readonly Answers[]) => {
    const [ours, nmaps] = counted(of);
    return `| ${name} | ${of.length} | ${cells(ours)} | ${cells(nmaps)} |`;
  };
  const names = [...new Set(answers.map(({ server }) => server))];
  console.log(
    [
      '| server | configurations | we: right | wrongly open | wrongly closed | could not tell | nmap: right | wrongly open | wrongly closed | could not tell |',
      '|---|---|---|---|---|---|---|---|---|---|',
      ...names.map((name) =>
        row(
          name,
          answers.filter(({ server }) => server === name),
        ),
      ),
      row('all', answers),
      '',
    ].join('\n'),
  );
  const [ours] = counted(answers);
  return [
    { what: 'configurations asked', value: answers.length, unit: '' },
    { what: 'left out: it did not start, or is not as its case says', value: leftOut, unit: '', limit: 0 },
    { what: `not begun within ${BEGIN_MS / 60_000} minutes`, value: notBegun, unit: '', limit: 0 },
    { what: 'we say open, and it is closed', value: ours.wrongOpen, unit: '', limit: 0 },
    { what: 'we say closed, and it is open', value: ours.wrongClosed, unit: '', limit: 0 },
  ];
}

function skipped(why: string): Figure[] {
  console.log(`skipped: ${why}`);
  return [];
}
