import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { fromEnv } from '@aws-sdk/credential-provider-env';
import { SignatureV4 } from '@smithy/signature-v4';

const READ_BYTES = 64 * 1024; // of one mail: a bounce quotes our 2 KiB, after all that it has to say itself
const READ_MS = 10_000;

/**
 * Reads the beginning of a mail, one character a byte, from where SES keeps those that came: `url` is a bucket with the prefix of its
 * keys. Undefined when it is not kept any more. This is one request of S3, signed by the part of the SDK that signs all others;
 * the SDK's whole client for S3 would be a third of the bundle more.
 */
export function keptMails(url: string, region: string): (messageId: string) => Promise<string | undefined> {
  const signer = new SignatureV4({ service: 's3', region, credentials: fromEnv(), sha256: Sha256, uriEscapePath: false });
  return async (messageId) => {
    const { href, protocol, host, hostname, pathname: path } = new URL(encodeURIComponent(messageId), url);
    const headers = { host, range: `bytes=0-${READ_BYTES - 1}` };
    const signed = await signer.sign({ method: 'GET', protocol, hostname, path, query: {}, headers });
    const answer = await fetch(href, { headers: signed.headers, signal: AbortSignal.timeout(READ_MS) });
    if (answer.status === 404) return undefined;
    if (!answer.ok) throw new Error(`a mail could not be read: ${answer.status} ${answer.statusText}`);
    return Buffer.from(await answer.arrayBuffer()).toString('latin1');
  };
}

// What the signer hashes with.
class Sha256 {
  readonly #secret: Parameters<typeof createHmac>[1] | undefined;
  #hash: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#secret = secret === undefined || typeof secret === 'string' ? secret : bytesIn(secret);
    this.#hash = this.#begin();
  }

  #begin(): Hash | Hmac {
    return this.#secret === undefined ? createHash('sha256') : createHmac('sha256', this.#secret);
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(typeof data === 'string' ? data : bytesIn(data));
  }

  async digest(): Promise<Uint8Array> {
    return new Uint8Array(this.#hash.digest());
  }

  reset(): void {
    this.#hash = this.#begin();
  }
}

function bytesIn(data: ArrayBuffer | ArrayBufferView): Uint8Array {
  return ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);
}
