import { randomBytes } from 'node:crypto';

/** A new id: 20 lower-case hexadecimal digits, unguessable. */
export function newId(): string {
  return randomBytes(10).toString('hex');
}
