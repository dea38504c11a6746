import { readTarget, type Target } from './host-name.ts';

/** Where a webhook answers: the target that is dialled, its port, and the path with the query. */
export type WebhookUrl = {
  readonly target: Exclude<Target, { kind: 'invalid' }>;
  readonly port: number;
  readonly path: string;
};

const HTTPS_PORT = 443;

/** The ports that a webhook may be given: those of HTTPS. At any other the service would knock on other doors of strangers. */
export const WEBHOOK_PORTS: readonly number[] = [HTTPS_PORT, 8443];

const FORM = /^https:\/\/(?:\[([0-9a-f:.]+)\]|([^\][/:?#@\\\s]+))(?::(\d{1,5}))?([/?][\x21\x22\x24-\x5b\x5d-\x7e]*)?$/i;

/** Reads the address of a webhook: HTTPS, a host name or an address as for hosts, no user, no fragment; otherwise says what is wrong. */
export function readWebhookUrl(text: string): WebhookUrl | { readonly wrong: string } {
  const [whole, v6, host, port, path = '/'] = FORM.exec(text) ?? [];
  if (whole === undefined) return { wrong: 'must be an address such as https://hooks.example.org/relay-audit' };
  const target = readTarget(v6 ?? host ?? '');
  if (target.kind === 'invalid') return { wrong: `its host ${target.why}` };
  const number = port === undefined ? HTTPS_PORT : Number(port);
  if (number < 1 || number > 65_535) return { wrong: 'its port must lie between 1 and 65535' };
  return { target, port: number, path: path.startsWith('?') ? `/${path}` : path };
}
