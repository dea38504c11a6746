import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { webhookBodyOf } from '../../../shared/contract/webhook.ts';
import { noticeId } from '../../../shared/domain/notice.ts';
import { secretsFrom } from '../../../shared/runtime/secrets.ts';
import { signWebhook, webhookSecret } from '../../../shared/runtime/webhook-signature.ts';
import { NOTICES } from '../../support/notices.ts';

const DOCUMENT = readFileSync(new URL('../../../docs/webhooks.md', import.meta.url), 'utf8');
const block = (language: string) => DOCUMENT.split(`\`\`\`${language}\n`)[1]?.split('```')[0] ?? expect.fail();

const opened = NOTICES.open?.about === 'host' ? NOTICES.open : expect.fail();
const notice = { ...opened, channel: 'webhook', id: noticeId(opened.hostId, 2, 'webhook') } as const;

test('the example in docs/webhooks.md is what a receiver gets', () => {
  expect(block('json')).toBe(`${JSON.stringify(webhookBodyOf(notice, 'https://audit.example'), undefined, 2)}\n`);
});

const BODY = '{"name":"ä"}';
const SECRET = webhookSecret(secretsFrom('a secret of this deployment, long enough'), 'host1');
const now = Date.now();
const good = signWebhook(SECRET, notice.id, now, BODY);
const later = (more: Record<string, string>) => ({ ...good, ...more });
const signature = good['webhook-signature'] ?? expect.fail();

const CALLS = [
  { what: 'as it was sent', secret: SECRET, headers: good, body: BODY, isOurs: true },
  {
    what: 'with a second signature beside it',
    secret: SECRET,
    headers: later({ 'webhook-signature': `v1,AAAA ${signature}` }),
    body: BODY,
    isOurs: true,
  },
  { what: 'with another body', secret: SECRET, headers: good, body: `${BODY} `, isOurs: false },
  { what: 'with another id', secret: SECRET, headers: later({ 'webhook-id': 'x' }), body: BODY, isOurs: false },
  { what: 'with another secret', secret: 'whsec_AAAA', headers: good, body: BODY, isOurs: false },
  { what: 'six minutes old', secret: SECRET, headers: signWebhook(SECRET, 'x', now - 360_000, BODY), body: BODY, isOurs: false },
  { what: 'with a time that is none', secret: SECRET, headers: later({ 'webhook-timestamp': 'now' }), body: BODY, isOurs: false },
  {
    what: 'with a signature that is none',
    secret: SECRET,
    headers: later({ 'webhook-signature': 'v1,é ,, v2' }),
    body: BODY,
    isOurs: false,
  },
  { what: 'without headers', secret: SECRET, headers: {}, body: BODY, isOurs: false },
];
const expected = CALLS.map(({ what, isOurs }) => ({ what, isOurs }));

/** What a program makes of the calls: one `true` or `false` in a line for each. */
function verdictsOf(command: string, args: readonly string[], program: string): object[] {
  const { stdout, stderr } = spawnSync(command, [...args, program], { input: JSON.stringify(CALLS), encoding: 'utf8' });
  const lines = stdout.trim().toLowerCase().split('\n');
  if (lines.length !== CALLS.length) throw new Error(stderr);
  return CALLS.map(({ what }, index) => ({ what, isOurs: lines[index] === 'true' }));
}

describe('the receiver in docs/webhooks.md knows our calls from others', () => {
  test('in Node', () => {
    const rest = `import { readFileSync } from 'node:fs';
      for (const { secret, headers, body } of JSON.parse(readFileSync(0, 'utf8')))
        console.log(isFromRelayAudit(secret, headers, Buffer.from(body)));`;
    expect(verdictsOf(process.execPath, ['--input-type=module', '-e'], block('js') + rest)).toEqual(expected);
  });

  test.skipIf(spawnSync('python3', ['--version']).status !== 0)('in Python (needs python3)', () => {
    const rest = `
import json, sys
for call in json.loads(sys.stdin.buffer.read()):
    print(is_from_relay_audit(call["secret"], call["headers"], call["body"].encode()))`;
    expect(verdictsOf('python3', ['-c'], block('python') + rest)).toEqual(expected);
  });
});
