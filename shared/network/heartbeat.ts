import { request } from 'node:https';

const TIME_LIMIT_MS = 5_000;

/**
 * Tells a monitor of the operator's that all is well, by one GET of an HTTPS address that their configuration names. A monitor
 * that hears nothing for a while sounds, whatever has happened here. Gives whether it answered; never throws.
 */
export function beat(url: string, ca?: string): Promise<boolean> {
  return new Promise((resolve) => {
    const call = request(url, { agent: false, signal: AbortSignal.timeout(TIME_LIMIT_MS), ...(ca === undefined ? {} : { ca }) });
    call.on('error', () => resolve(false));
    call.once('response', (response) => {
      const { statusCode = 0 } = response;
      resolve(statusCode >= 200 && statusCode < 300);
      response.on('error', () => {});
      response.destroy();
    });
    call.end();
  });
}
