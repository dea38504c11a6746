import { type Mail, renderLetter } from './letter.ts';
import { utc } from './words.ts';

/** A host of one account, at an address that was paused. */
export type PausedHost = { readonly hostId: string; readonly hostName: string; readonly address: string };

/**
 * Tells the owner of hosts that a stranger has paused their probes. `baseUrl` is where the pages answer, without a slash at the end; it may
 * be empty.
 */
export function pausedMail(hosts: readonly PausedHost[], until: number, baseUrl: string): Mail {
  const names = [...new Set(hosts.map(({ hostName }) => hostName))];
  const ids = [...new Set(hosts.map(({ hostId }) => hostId))];
  return renderLetter({
    subject: names.length === 1 ? `Scans of ${names[0]} are paused` : `Scans of ${names.length} of your hosts are paused`,
    opening:
      'Somebody asked us to send no more probes there, without proving that the server is theirs. ' +
      `So nothing is sent to it until ${utc(until)}, unless you lift the pause.`,
    sections: [
      { heading: 'What is paused', lines: hosts.map(({ hostName, address }) => `${hostName} at ${address}`), code: true },
      {
        heading: 'To lift it at once',
        lines: ids.map((id) => `${baseUrl}/hosts/${id}/consent`),
      },
      {
        heading: 'What to know',
        lines: [
          'The page lifts the pause where DNS proves at that moment that the server consents.',
          'Do nothing, and the pause ends by itself.',
          'If strangers pause more of your servers today, no other mail tells you. The page of each host does, under Consent.',
          'Somebody may have seen the scans in the log of the server and wondered. If you share it with others, tell them of Relay Audit.',
        ],
      },
    ],
    signature: 'Relay Audit wrote to you because these hosts are registered with your account.',
  });
}
