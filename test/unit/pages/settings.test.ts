import { expect, test } from 'vitest';
import { readSettings } from '../../../shared/runtime/config.ts';

const PAGES = { TABLE_NAME: 'table', SECRET: 'file:/secret', EHLO_NAME: 'probe.example', MAIL_FROM: 'audit@example.org', BASE_URL: '' };

test('what is not set of pages has a default: no addresses to show, the system’s resolvers, the address they were called by', () => {
  expect(readSettings('pages', PAGES)).toMatchObject({ EGRESS_ADDRESSES: [], DNS_SERVERS: [], BASE_URL: '' });
});

test('our addresses are read in their standard spelling, and anything else stops the start', () => {
  const read = (text: string) => readSettings('pages', { ...PAGES, EGRESS_ADDRESSES: text }).EGRESS_ADDRESSES.map((each) => each.text);
  expect(read('192.0.2.7, 2001:DB8::7,')).toEqual(['192.0.2.7', '2001:db8::7']);
  for (const wrong of ['192.0.2.0/24', 'probe.example', '0177.0.0.1'])
    expect(() => read(wrong)).toThrow(`EGRESS_ADDRESSES: ${wrong} is not an address`);
});
