import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { answerKnownHosts } from './known-hosts.ts';
import type { Invoke } from './lambda-host.ts';

const BODY_LIMIT = 10 * 1024 * 1024; // API Gateway's limit on a payload

/**
 * Answers HTTP on loopback by calling the api or the pages function with the event that API Gateway (HTTP API, payload 2.0) would make.
 * `urls` are the addresses that it may be called by, beside those of loopback.
 */
export function startHttpFront(port: number, invoke: Invoke, urls: readonly string[] = []): Promise<Server> {
  const server = createServer((request, response) => {
    answer(request, response, invoke).catch(() => {
      if (!response.headersSent) response.writeHead(500, { 'content-type': 'application/json' });
      response.end('{"message":"Internal Server Error"}');
    });
  });
  answerKnownHosts(server, urls);
  return new Promise((done, fail) => {
    server.once('error', fail);
    server.listen(port, '127.0.0.1', () => done(server));
  });
}

async function answer(request: IncomingMessage, response: ServerResponse, invoke: Invoke): Promise<void> {
  const body = await readBody(request);
  if (body === undefined) {
    response.writeHead(413, { 'content-type': 'application/json', connection: 'close' }).end('{"message":"Request Entity Too Large"}');
    return;
  }
  const result = (await invoke(functionAt(request), eventOf(request, body))) as APIGatewayProxyStructuredResultV2;
  response.writeHead(result.statusCode ?? 200, {
    ...(result.headers as Record<string, string>),
    ...(result.cookies === undefined ? {} : { 'set-cookie': result.cookies }),
  });
  response.end(result.isBase64Encoded ? Buffer.from(result.body ?? '', 'base64') : result.body);
}

// As the gateway's routes divide the paths (infra/constructs/http-api.ts).
function functionAt(request: IncomingMessage): 'api' | 'pages' {
  return /^\/v1(\/|\?|$)/.test(request.url ?? '') ? 'api' : 'pages';
}

async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > BODY_LIMIT) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function eventOf(request: IncomingMessage, body: Buffer) {
  // By hand: as a URL, `//v1/hosts` would name a host, and `//` none at all.
  const [rawPath = '/', ...rest] = (request.url ?? '/').split('?');
  const rawQueryString = rest.join('?');
  const parameters = new URLSearchParams(rawQueryString);
  // The gateway takes cookies out of the headers.
  const { cookie, ...others } = request.headers;
  const headers = Object.fromEntries(Object.entries(others).map(([name, value]) => [name, [value].flat().join(',')]));
  const cookies = cookie === undefined ? undefined : cookie.split(/; */);
  const query = [...new Set(parameters.keys())].map((name) => [name, parameters.getAll(name).join(',')] as const);
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath,
    rawQueryString,
    headers,
    ...(cookies === undefined ? {} : { cookies }),
    ...(query.length === 0 ? {} : { queryStringParameters: Object.fromEntries(query) }),
    requestContext: {
      http: {
        method: request.method,
        path: rawPath,
        protocol: 'HTTP/1.1',
        sourceIp: request.socket.remoteAddress,
        userAgent: headers['user-agent'] ?? '',
      },
      stage: '$default',
      timeEpoch: Date.now(),
    },
    ...(body.length === 0 ? {} : { body: body.toString('base64') }),
    isBase64Encoded: body.length > 0,
  };
}
