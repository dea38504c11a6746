import type { Registration } from '../runtime/config.ts';

/** Whether the owner of a mail address may open an account here. */
export function admits(registration: Registration, email: string): boolean {
  if (registration.kind !== 'domains') return registration.kind === 'open';
  return registration.domains.includes(email.slice(email.lastIndexOf('@') + 1).toLowerCase());
}
