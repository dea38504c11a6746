// What letters are made of.

/** A line of a section, with commands to copy below it, or lines that belong to it. */
export type Line =
  | string
  | { readonly text: string; readonly code: readonly string[] }
  | { readonly text: string; readonly items: readonly string[] };

/** A part of a letter. `code` is shown as it is, in columns; `steps` are done one after the other. */
export type Section =
  | { readonly heading: string; readonly lines: readonly Line[]; readonly steps?: boolean; readonly code?: false }
  | { readonly heading: string; readonly lines: readonly string[]; readonly code: true };

/** How a letter is to be taken at a glance. */
export type Tone = 'alarm' | 'warning' | 'good' | 'plain';

/** A mail before it is rendered. `signature` says why its reader gets it. */
export type Letter = {
  readonly subject: string;
  /** One or two words above the subject; none in a plain letter. */
  readonly label?: string | undefined;
  readonly tone?: Tone | undefined;
  readonly opening: string;
  readonly sections: readonly Section[];
  readonly signature: string;
  readonly unsubscribeUrl?: string | undefined;
};

/** What stands before the link that ends such mails. */
export const UNSUBSCRIBE = 'No more such mail about hosts of this account:';
