import { createTransport } from 'nodemailer';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ReceivedMail } from '../../functions/canary/received-mail.ts';
import { type CanarySink, startCanarySink } from '../../infra/local/service/canary-sink.ts';
import { DEMO_DOMAINS, DEMO_PORT, startDemoServers } from '../../infra/local/service/demo-servers.ts';
import { eventually } from '../support/local-service.ts';

const DOMAIN = 'canary.example';
const TOKEN = 'ra1-abcdefghabcdefgh-ijklmnopijklmnop';
const MESSAGE = `Relay-Audit-Token: ${TOKEN}\r\nFrom: a@probe.example\r\nContent-Type: text/plain\r\n\r\nRelay-Audit-Token: quoted\r\n.\r\n`;
let events: ReceivedMail[] = [];
let failures = 0;
let sink: CanarySink;

beforeEach(async () => {
  events = [];
  failures = 0;
  const onMail = async (event: ReceivedMail) => {
    if (failures-- > 0) throw new Error('not now');
    events.push(event);
  };
  sink = await startCanarySink({ listen: '127.0.0.1:0', canaryDomain: DOMAIN, onMail });
});
afterEach(() => sink.stop());

function send(to: string, raw = MESSAGE, server: { address: string; port: number } = sink) {
  const transport = createTransport({ host: server.address, port: server.port, name: 'probe.example', ignoreTLS: true });
  return transport.sendMail({ envelope: { from: 'a@probe.example', to }, raw });
}

const headersIn = (event: ReceivedMail | undefined, wanted: string) =>
  event?.mail.headers.filter(({ name }) => name === wanted).map(({ value }) => value);

test('a mail becomes what SES would publish of it: envelope, and the headers of the mail itself with a hop in front', async () => {
  await send(`b@${DOMAIN}`);
  expect(events[0]).toMatchObject({
    mail: { source: 'a@probe.example' },
    receipt: { recipients: [`b@${DOMAIN}`] },
  });
  expect(headersIn(events[0], 'Relay-Audit-Token')).toEqual([TOKEN]);
  expect(headersIn(events[0], 'Received')).toEqual([`from probe.example ([127.0.0.1]) by mx.${DOMAIN} with ESMTP`]);
});

test('mail for any name below the domain is taken too', async () => {
  const below = [`b@bounces.${DOMAIN}`, `b@served.example.${DOMAIN}`, `b@X.${DOMAIN.toUpperCase()}`];
  for (const to of below) await send(to);
  expect(events.map((event) => event.receipt.recipients[0]?.toLowerCase())).toEqual(below.map((to) => to.toLowerCase()));
});

test.each(['b@elsewhere.example', `b@x${DOMAIN}`, `b@${DOMAIN}.net`])('no mail is taken for anybody else: %s', async (to) => {
  await expect(send(to)).rejects.toThrow('550');
  expect(events).toEqual([]);
});

test('a mail of more than 64 KiB is refused', async () => {
  await expect(send(`b@${DOMAIN}`, `${MESSAGE}${'x'.repeat(70)}\r\n`.repeat(1_000))).rejects.toThrow('552');
  expect(events).toEqual([]);
});

test('a mail that could not be handed on is put off, not lost', async () => {
  failures = 1;
  await expect(send(`b@${DOMAIN}`)).rejects.toThrow('451');
  await send(`b@${DOMAIN}`);
  expect(events).toHaveLength(1);
});

test('headers are cut where SES cuts them', async () => {
  await send(`b@${DOMAIN}`, `${Array.from({ length: 200 }, (_, i) => `X-${i}: ${'y'.repeat(80)}\r\n`).join('')}${MESSAGE}`);
  expect(events[0]?.mail.headers.length).toBeLessThan(150);
});

test.each(['localhost:25', '127.0.0.1', '127.0.0.1:99999', ''])('a wrong place to listen is told in words: %j', async (listen) => {
  const start = async () => startCanarySink({ listen, canaryDomain: DOMAIN, onMail: async () => {} });
  await expect(start()).rejects.toThrow('CANARY_LISTEN must be');
});

describe('the demo servers', () => {
  test('the open one passes on mail for the canary domain, with its hop, and for nobody else; the closed one nothing', async () => {
    const demo = await startDemoServers(undefined, { ...sink, isClosed: () => false, domain: DOMAIN });
    const [open, closed] = [demo.addresses.open, demo.addresses.closed].map((address) => ({ address, port: DEMO_PORT }));
    await send(`b@${DOMAIN}`, MESSAGE, open);
    const event = await eventually(async () => events[0], 'a relayed mail');
    expect(event).toMatchObject({ mail: { source: 'a@probe.example' }, receipt: { recipients: [`b@${DOMAIN}`] } });
    expect(headersIn(event, 'Received')).toEqual([
      expect.stringContaining(`from mx.${DEMO_DOMAINS.open} ([127.0.0.1]) by mx.${DOMAIN}`),
      expect.stringContaining(`by mx.${DEMO_DOMAINS.open} with ESMTP`),
    ]);
    await send(`b@served.example.${DOMAIN}`, MESSAGE, open);
    const below = await eventually(async () => events[1], 'a second relayed mail');
    expect(below.receipt.recipients).toEqual([`b@served.example.${DOMAIN}`]);
    await expect(send('b@elsewhere.example', MESSAGE, open)).rejects.toThrow('554');
    await expect(send(`b@${DOMAIN}`, MESSAGE, closed)).rejects.toThrow('554');
    await demo.stop();
  });
});
