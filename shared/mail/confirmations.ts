import { type Mail, renderLetter } from './letter.ts';

const NOTHING = 'You need do nothing. Without your confirmation nothing happens.';

/** Asks the owner of an address whether they want an account, or a new API key for the one they have: which, nobody but them is told. */
export function accountConfirmation(link: string, hours: number): Mail {
  return renderLetter({
    subject: 'Confirm your address for Relay Audit',
    opening: 'Somebody asked Relay Audit for an account with your mail address, or for a new API key of the account that it has.',
    sections: [
      {
        heading: 'If it was you',
        lines: [
          'Open this page and press its button. It shows an API key, once.',
          link,
          `The link works once, for ${hours} hours.`,
          'If your account has two API keys already, the older of them stops working.',
        ],
      },
      { heading: 'If it was not you', lines: [NOTHING] },
    ],
    signature: 'Relay Audit wrote to you because this address was given as yours. At most three such mails are sent to it in 30 days.',
  });
}

/** Asks the owner of an address whether they want an account's alerts. The account is named by its own confirmed address. */
export function recipientConfirmation(link: string, hours: number, accountEmail: string): Mail {
  return renderLetter({
    subject: 'Confirm that you want alerts of Relay Audit',
    opening: `${accountEmail} has their mail servers audited by Relay Audit and named you as one to be mailed when a server becomes an open relay, or stops being one.`,
    sections: [
      {
        heading: 'If you want these mails',
        lines: ['Open this page and press its button.', link, `The link works once, for ${hours} hours.`],
      },
      { heading: 'If you do not want them', lines: [NOTHING] },
    ],
    signature: 'Relay Audit wrote to you because this address was given as yours. At most three such mails are sent to it in 30 days.',
  });
}

/** The link by which the owner of an address signs in to the pages; `isNew`: it opens an account, since the address has none. */
export function signInLetter(link: string, minutes: number, isNew: boolean): Mail {
  return renderLetter({
    subject: 'Your link to sign in to Relay Audit',
    opening: isNew
      ? 'Somebody asked to sign in to Relay Audit with your mail address. It has no account yet: signing in opens one.'
      : 'Somebody asked to sign in to Relay Audit with your mail address.',
    sections: [
      {
        heading: 'If it was you',
        lines: [
          'Open this page in the browser that you want to sign in with, and press its button.',
          link,
          `The link works once, for ${minutes} minutes. After that its page mails you another.`,
        ],
      },
      { heading: 'If it was not you', lines: ['You need do nothing. Without this link nobody gets in.'] },
    ],
    signature: 'Relay Audit wrote to you because this address was given as yours.',
  });
}
