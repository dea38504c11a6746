import { letterAsHtml } from './letter-html.ts';
import { letterAsText } from './letter-text.ts';
import type { Letter } from './parts.ts';

/** A mail to one recipient, without its envelope. With `unsubscribeUrl` its reader can end such mails by one click (RFC 8058). */
export type Mail = { readonly subject: string; readonly text: string; readonly html: string; readonly unsubscribeUrl?: string | undefined };

/** The mail of a letter: its text and its HTML say the same things in the same order. */
export function renderLetter(letter: Letter): Mail {
  const { subject, unsubscribeUrl } = letter;
  return { subject: oneLine(subject), text: letterAsText(letter), html: letterAsHtml(letter), unsubscribeUrl };
}

function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ');
}
