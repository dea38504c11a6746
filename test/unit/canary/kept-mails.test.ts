import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { keptMails } from '../../../functions/canary/kept-mails.ts';
import { CREDENTIALS, type Engine, REGION } from '../../../infra/local/engines/engine.ts';
import { createMailBucket, localMailUrl, type MailBucket } from '../../../infra/local/engines/mail-bucket.ts';
import { startSqs } from '../../../infra/local/engines/sqs.ts';
import { temporaryFolder } from '../../support/local-service.ts';

let engine: Engine;
let bucket: MailBucket;
beforeAll(async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', CREDENTIALS.accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', CREDENTIALS.secretAccessKey);
  engine = await startSqs(temporaryFolder());
  bucket = await createMailBucket(engine.endpoint);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await engine.stop();
});

const read = (id: string) => keptMails(localMailUrl(engine.endpoint), REGION)(id);

describe('a mail that is kept', () => {
  test('is read as it came, one character a byte', async () => {
    await bucket.put('one', Buffer.from('Subject: \xe4\r\n\r\n\x00\xff', 'latin1'));
    expect(await read('one')).toBe('Subject: \xe4\r\n\r\n\x00\xff');
  });

  test('is read to its first 64 KiB, however long it is', async () => {
    await bucket.put('long', Buffer.alloc(100_000, 'x'));
    expect(await read('long')).toHaveLength(65_536);
  });

  test('is nothing when it is there no more', async () => {
    await bucket.put('gone', Buffer.from('x'));
    await bucket.remove('gone');
    expect(await read('gone')).toBeUndefined();
  });
});

describe('the request for a mail', () => {
  let server: Server;
  let asked: { url: string | undefined; headers: IncomingHttpHeaders }[] = [];
  let url = '';
  beforeAll(async () => {
    server = createServer(({ url: path, headers }, response) => {
      asked.push({ url: path, headers });
      response.writeHead(403, 'Forbidden').end();
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const address = server.address();
    url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/mail/`;
  });
  afterAll(() => new Promise<void>((done) => server.close(() => done())));

  test('is signed for S3 in its region, range and session included, and its failure is told', async () => {
    asked = [];
    vi.stubEnv('AWS_SESSION_TOKEN', 'session');
    await expect(keptMails(url, 'eu-central-1')('an/id')).rejects.toThrow('a mail could not be read: 403');
    expect(asked).toMatchObject([{ url: '/mail/an%2Fid', headers: { range: 'bytes=0-65535', 'x-amz-security-token': 'session' } }]);
    const { authorization } = asked[0]?.headers ?? {};
    expect(authorization).toMatch(/^AWS4-HMAC-SHA256 Credential=local\/\d{8}\/eu-central-1\/s3\/aws4_request/);
    expect(authorization).toMatch(/SignedHeaders=host;range;x-amz-content-sha256;x-amz-date;x-amz-security-token/);
  });
});
