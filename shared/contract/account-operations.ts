import {
  accountRequest,
  accountResponse,
  askedResponse,
  confirmationRequest,
  confirmedResponse,
  createdKeyResponse,
  createKeyRequest,
  givenKeyResponse,
  keyPath,
  keysResponse,
  removeAccountRequest,
} from './accounts.ts';
import {
  answer,
  authenticated,
  body,
  type Described,
  failed,
  invalid,
  invalidBody,
  mayChange,
  problem,
  repeatable,
  spent,
} from './describe.ts';

export const askForAccount: Described = {
  summary: 'Ask for an account, or for a new API key of one.',
  description:
    'A mail with a link is sent to the address, once a day and three times in 30 days at most, until its link is used. An address with tags is the mailbox without. The answer is the same whether or not the address has an account.',
  security: [],
  requestBody: body(accountRequest),
  responses: {
    202: answer('Look for a mail.', askedResponse, ['RateLimit', 'RateLimit-Policy']),
    ...invalidBody,
    403: problem('This deployment gives no accounts, or none to addresses at this domain.'),
    ...spent('Ten requests in an hour came from your network address.'),
    ...failed,
    503: problem('The mail could not be sent just now.'),
  },
};

export const useConfirmation: Described = {
  summary: 'Confirm a mail address with the token of a mail, once.',
  description:
    'For an account: makes it with its first API key. If there is one already, it gets another key, and if it has two, the older of them is revoked: the way back for whoever has lost theirs. For an alert recipient: alerts are mailed to it from now on.',
  security: [],
  requestBody: body(confirmationRequest),
  responses: {
    200: answer('The recipient is confirmed.', confirmedResponse),
    201: answer('The account with a new API key, which is shown this once.', givenKeyResponse),
    ...invalidBody,
    422: problem('The token is not whole, older than 24 hours, or used already; the detail says how to get another.'),
    ...spent('Too many requests without an API key came from your network address.'),
    ...failed,
  },
};

export const showAccount: Described = {
  summary: 'The account of the API key.',
  responses: { 200: answer('The account.', accountResponse), ...invalid, ...authenticated },
};

export const removeAccount: Described = {
  summary: 'Delete the account with its hosts, their history, its recipients and its API keys. All is out of reach at once.',
  requestBody: body(removeAccountRequest),
  responses: {
    204: { description: 'Deleted.' },
    ...invalidBody,
    ...authenticated,
    ...mayChange,
    409: problem('Somebody else keeps changing a host.', ['Retry-After']),
  },
};

export const createKey: Described = {
  summary: 'Create an API key. An account has two at most, so that one can take the place of the other.',
  requestParams: { header: repeatable },
  requestBody: body(createKeyRequest),
  responses: {
    201: answer('The key, which is shown this once.', createdKeyResponse),
    ...invalidBody,
    ...authenticated,
    ...mayChange,
    409: problem('The account has two keys, or the request with this Idempotency-Key made its key already or is making it.'),
  },
};

export const listKeys: Described = {
  summary: 'The API keys of the account, oldest first.',
  responses: { 200: answer('The keys, without their secrets.', keysResponse), ...invalid, ...authenticated },
};

export const revokeKey: Described = {
  summary: 'Revoke an API key, at once. Whoever revokes their last one gets another by mail: POST /v1/accounts.',
  requestParams: { path: keyPath },
  responses: { 204: { description: 'Revoked.' }, ...invalid, ...authenticated, ...mayChange, 404: problem('No such key in this account.') },
};
