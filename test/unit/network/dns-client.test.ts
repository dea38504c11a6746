import { createServer, type Server } from 'node:net';
import { type Answer, decode, encode } from 'dns-packet';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { askDns } from '../../../shared/network/dns-client.ts';
import { dnsLookups } from '../../../shared/network/lookups.ts';
import { type Saying, type ScriptedDns, startScriptedDns } from '../../support/scripted-dns-server.ts';

const QUESTION = { type: 'TXT', name: 'it.example' } as const;
const text = (data: string): Answer => ({ type: 'TXT', name: 'it.example', ttl: 60, data: [data] });

const running: { stop: () => Promise<unknown> }[] = [];
afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(running.splice(0).map(({ stop }) => stop()));
});

/** Resolvers that say this of `it.example`, in order. */
async function resolvers(...sayings: Saying[]): Promise<ScriptedDns[]> {
  const started = await Promise.all(sayings.map((saying) => startScriptedDns({ 'it.example': saying })));
  running.push(...started);
  return started;
}

async function heard(...sayings: Saying[]): Promise<string> {
  const started = await resolvers(...sayings);
  const reply = await askDns(
    QUESTION,
    started.map(({ address }) => address),
  );
  if (reply.message === undefined) return reply.said;
  return reply.message.answers.map((record) => ('strings' in record ? record.strings.join('') : '')).join();
}

describe('of several resolvers', () => {
  test.each([
    ['SERVFAIL', 2],
    ['NOTIMP', 4],
    ['REFUSED', 5],
    ['code 9', 9],
  ])('the next is asked as soon as one has said %s, and that is told when all fail', async (said, rcode) => {
    expect(await heard({ rcode }, { answers: [text('yes')] })).toBe('yes');
    expect(await heard({ rcode }, { rcode })).toBe(said);
  });

  test('the next is asked when one gives an answer that cannot be read', async () => {
    expect(await heard('garbage', { answers: [text('yes')] })).toBe('yes');
    expect(await heard('garbage')).toBe('unreadable answer');
  });

  test('the next is asked when one cannot be reached', async () => {
    const [gone, there] = await resolvers({ answers: [] }, { answers: [text('yes')] });
    await gone?.stop();
    running.shift();
    expect(await askDns(QUESTION, [gone?.address ?? '', there?.address ?? ''])).toHaveProperty('message');
  });

  test('the first is not asked again once it has failed', async () => {
    const [first, second] = await resolvers({ rcode: 2 }, { rcode: 5 });
    expect(await askDns(QUESTION, [first?.address ?? '', second?.address ?? ''])).toEqual({ said: 'SERVFAIL', details: undefined });
    expect([first?.asked.length, second?.asked.length]).toEqual([1, 1]);
  });

  test('two that an operator has named and that disagree have told nothing', async () => {
    const [one, other] = await resolvers({ answers: [text('yes')] }, { answers: [] });
    const { texts } = dnsLookups([one?.address ?? '', other?.address ?? '']);
    expect(await texts('it.example')).toMatchObject({ kind: 'trouble', why: 'two answers of two resolvers' });
    expect(await texts('gone.example')).toMatchObject({ kind: 'absent' });
  });
});

test.each(['255.255.255.255', '127.0.0.1:0', '127.0.0.1:65536', 'resolver.example'])(
  'a server that nothing can be sent to gives no answer, and ends nothing else: %s',
  async (server) => {
    const [there] = await resolvers({ answers: [text('yes')] });
    expect(await askDns(QUESTION, [server])).toEqual({ said: 'no answer' });
    expect(await askDns(QUESTION, [server, there?.address ?? ''])).toHaveProperty('message');
  },
);

describe('time', () => {
  test('a resolver that takes longer than a try for a cold name has its answer counted', async () => {
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const [slow] = await resolvers({ answers: [text('yes')], held });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const reply = askDns(QUESTION, [slow?.address ?? '']);
    await vi.waitFor(() => expect(slow?.asked).toHaveLength(1));
    await vi.advanceTimersByTimeAsync(2_200);
    release();
    expect(await reply).toHaveProperty('message');
  });

  test('a resolver that is silent is asked once more, and given up after six seconds in all', async () => {
    const [silent] = await resolvers('silence');
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const reply = askDns(QUESTION, [silent?.address ?? '']);
    await vi.advanceTimersByTimeAsync(5_999);
    const over = vi.fn();
    void reply.then(over);
    await new Promise(setImmediate);
    expect(over).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(await reply).toEqual({ said: 'no answer' });
    vi.useRealTimers();
    await vi.waitFor(() => expect(silent?.asked).toHaveLength(2));
  });

  test('the next resolver is asked after two seconds of silence', async () => {
    const [silent, other] = await resolvers('silence', { answers: [text('yes')] });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const reply = askDns(QUESTION, [silent?.address ?? '', other?.address ?? '']);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await reply).toHaveProperty('message');
  });
});

describe('an answer that is too long for a packet', () => {
  const AT = '127.77.0.53'; // where no connection of others may have the port that it takes by both ways
  const long = Array.from({ length: 200 }, (_, n) => text(`record ${n}`));

  /** A resolver that cuts its answer short by UDP; by TCP it gives it whole, or nobody is there. */
  async function cutting(byTcp: boolean): Promise<string> {
    const server: Server = createServer((socket) =>
      socket.once('data', (data) => {
        const query = decode(data.subarray(2));
        const answer = encode({ type: 'response', id: query.id ?? 0, flags: 0x0180, questions: query.questions ?? [], answers: long });
        const whole = Buffer.concat([Buffer.of(answer.length >> 8, answer.length & 0xff), answer]);
        socket.write(whole.subarray(0, 100));
        socket.end(whole.subarray(100));
      }),
    );
    const udp = await startScriptedDns({ 'it.example': { answers: [], isCut: true } }, AT);
    running.push(udp);
    const port = Number(udp.address.split(':')[1]);
    if (byTcp) {
      await new Promise<void>((done) => server.listen(port, AT, done));
      running.push({ stop: () => new Promise((done) => server.close(done)) });
    }
    return udp.address;
  }

  test('is asked for by TCP, and read whole', async () => {
    const { message } = await askDns(QUESTION, [await cutting(true)]);
    expect(message?.answers).toHaveLength(200);
  });

  test('is trouble where nobody answers by TCP, and the trouble says so', async () => {
    expect(await askDns(QUESTION, [await cutting(false)])).toEqual({ said: 'no answer over TCP, which its long answer needs' });
  });
});

test('absence is remembered for as long as the zone says (RFC 2308)', async () => {
  const soa = (ttl: number, minimum: number): Answer => ({
    type: 'SOA',
    name: 'example',
    ttl,
    data: { mname: 'ns.example', rname: 'me.example', serial: 1, refresh: 2, retry: 3, expire: 4, minimum },
  });
  const [dns] = await resolvers({ rcode: 3, authorities: [soa(3_600, 86_400)] });
  expect(await dnsLookups([dns?.address ?? '']).texts('it.example')).toEqual({ kind: 'absent', rememberedMs: 3_600_000 });
});
