import { invalid } from '../../shared/accounts/problem.ts';
import type { Secrets } from '../../shared/runtime/secrets.ts';

const MAC_BYTES = 16;

/**
 * Cursors name the last item of a page. They carry an authentication code over the place they were made for (account,
 * route, filter), so that one made up or carried elsewhere is refused before anything is read.
 */
export type Cursors = {
  seal(place: readonly string[], after: string | undefined): string | undefined;
  open(place: readonly string[], cursor: string | undefined): string | undefined;
};

export function cursors(secrets: Secrets): Cursors {
  const signed = (place: readonly string[], after: string) => JSON.stringify([...place, after]);
  return {
    seal(place, after) {
      if (after === undefined) return undefined;
      return `${Buffer.from(after).toString('base64url')}.${secrets.mac('cursor', signed(place, after), MAC_BYTES)}`;
    },
    open(place, cursor) {
      if (cursor === undefined) return undefined;
      const [encoded = '', mac = '', ...rest] = cursor.split('.');
      const after = Buffer.from(encoded, 'base64url').toString();
      // Base64 is read leniently; a place in a list has one cursor, and no other spelling of it.
      const isExact = rest.length === 0 && Buffer.from(after).toString('base64url') === encoded;
      if (isExact && secrets.verify('cursor', signed(place, after), mac, MAC_BYTES)) return after;
      const message = 'is not a cursor of this list; take `next` of its last page, with the same filter';
      throw invalid([{ field: 'cursor', message }]);
    },
  };
}
