import { describe, expect, test } from 'vitest';
import { addSentences, isSameName, knownAs, knownSentence } from '../../../shared/domain/known-server.ts';
import { sampleHost } from '../../support/samples.ts';

const HOST = sampleHost({ name: 'mail.example.org', servedDomains: ['example.org', 'example.net'] });

describe('who wants to register what a host of theirs is already is told to add to that host', () => {
  test.each<[string, string, string[], string[]]>([
    ['the domains that it lacks', 'mx.example.com', ['example.com', 'example.org'], ['example.com']],
    ['the further name itself, where they name no domain', 'mx.example.com', [], ['mx.example.com']],
    ['nothing, where it has all of them', 'mx.example.com', ['example.net'], []],
    ['nothing, where they name that very host and no domain', 'mail.example.org', [], []],
    ['nothing, where they give an address, which is no domain', '192.0.2.1', [], []],
    ['the domains of an address, where they name them', '192.0.2.1', ['example.com'], ['example.com']],
  ])('%s', (_, name, servedDomains, add) => {
    expect(knownAs(HOST, { name, servedDomains })).toEqual({ name, host: HOST, add });
  });
});

test('which host it is, is told by its id, and by its name where that is another', () => {
  const same = knownAs(HOST, { name: 'mail.example.org', servedDomains: [] });
  const other = knownAs(HOST, { name: 'mx.example.com', servedDomains: [] });
  expect([isSameName(same), isSameName(other)]).toEqual([true, false]);
  expect(knownSentence(same)).toBe(`You have mail.example.org already: it is the host ${HOST.id}.`);
  expect(knownSentence(other)).toBe(`mx.example.com leads to the server that you audit as mail.example.org, the host ${HOST.id}.`);
});

test.each<[string, string[], string[]]>([
  ['nothing, where nothing is to be added', [], []],
  ['one domain by its name', ['example.com'], ['tested with example.com too', `PATCH /v1/hosts/${HOST.id}`, 'under `instead`']],
  ['several as what the answer lists', ['example.com', 'example.info'], ['tested with these domains too']],
])('how to add domains is said of %s', (_, add, words) => {
  const sentences = addSentences({ name: 'mx.example.com', host: HOST, add }, 'instead');
  expect(sentences).toEqual(words.length === 0 ? [] : [expect.toSatisfy((text: string) => words.every((each) => text.includes(each)))]);
});
