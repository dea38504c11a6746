import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { rootOf } from '../mta/namespace.ts';
import type { Anchor } from './resolvers.ts';

/** A zone with keys of its own. */
export type Signer = {
  readonly anchor: Anchor;
  /** Signs a whole zone file. `times` are dnssec-signzone's, for signatures that have expired. */
  readonly sign: (text: string, times?: readonly string[]) => string;
  readonly close: () => void;
};

/** Makes the key of a zone, with BIND's tools. */
export function openSigner(zone: string): Signer {
  const folder = mkdtempSync(`${rootOf('named')}/tmp/keys-`);
  const inside = `/tmp/${basename(folder)}`;
  const run = (...command: string[]) =>
    execFileSync('chroot', [rootOf('named'), ...command], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  run('/usr/bin/dnssec-keygen', '-q', '-K', inside, '-a', 'ECDSAP256SHA256', '-f', 'KSK', zone);
  const key = readdirSync(folder).find((file) => file.endsWith('.key'));
  const [, , , tag = '', algorithm = '', digest = '', hash = ''] = run('/usr/bin/dnssec-dsfromkey', '-2', `${inside}/${key}`)
    .trim()
    .split(/\s+/);
  return {
    anchor: { zone, tag, algorithm, digest, hash },
    sign(text, times = []) {
      writeFileSync(`${folder}/zone`, `${text}${readFileSync(`${folder}/${key}`, 'utf8')}`);
      // One key for all, without RFC 5011's or a parent's affairs.
      run(
        '/usr/bin/dnssec-signzone',
        '-q',
        '-P',
        '-z',
        '-d',
        inside,
        '-K',
        inside,
        ...times,
        '-o',
        zone,
        '-f',
        `${inside}/signed`,
        `${inside}/zone`,
      );
      return readFileSync(`${folder}/signed`, 'utf8');
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}
