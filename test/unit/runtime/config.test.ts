import { describe, expect, test } from 'vitest';
import { readSettings } from '../../../shared/runtime/config.ts';

const QUEUES = { SCANS_QUEUE_URL: 'http://127.0.0.1:4566/scans', NOTICES_QUEUE_URL: 'http://127.0.0.1:4566/notices' };
const PROBE = {
  TABLE_NAME: 'table',
  SECRET: 'file:/secret',
  ...QUEUES,
  EHLO_NAME: 'probe.example',
  CANARY_DOMAIN: 'canary.example',
  BASE_URL: 'https://audit.example',
};
const API = { TABLE_NAME: 'table', SECRET: 'file:/secret', MAIL_FROM: 'audit@example.org', EHLO_NAME: 'probe.example' };

const MINUTE = 60_000;

describe('what is not set has a default that can be seen here', () => {
  test('api', () => {
    expect(readSettings('api', API)).toEqual({
      ...API,
      RETENTION_DAYS: { ms: 400 * 24 * 60 * MINUTE },
      PROBE_PORTS: [25, 465, 587],
      REGISTRATION: { kind: 'open' },
      BASE_URL: '',
      SES_CONFIGURATION_SET: '',
      EGRESS_ADDRESSES: [],
      OPERATOR_NETWORKS: [],
      OPERATOR_ACCOUNTS: [],
      DNS_SERVERS: [],
    });
  });

  test('dispatch', () => {
    expect(readSettings('dispatch', { TABLE_NAME: 'table', ...QUEUES })).toMatchObject({ OWED_LEASE_SECONDS: { ms: 15 * MINUTE } });
  });

  test('probe: five minutes to a confirmation, no operator’s networks, the system’s resolvers', () => {
    expect(readSettings('probe', PROBE)).toMatchObject({
      CONFIRM_DELAY_SECONDS: { ms: 5 * MINUTE },
      PUT_OFF_SECONDS: { ms: 15 * MINUTE },
      OPERATOR_NETWORKS: [],
      OPERATOR_ACCOUNTS: [],
      DNS_SERVERS: [],
      EGRESS_ENDPOINTS: [],
      CONTINUE_SECONDS: { ms: 5 * MINUTE },
      FAMILIES: [4, 6],
    });
  });

  test('notify', () => {
    const settings = { TABLE_NAME: 'table', MAIL_FROM: 'audit@example.org', BASE_URL: 'https://audit.example', SECRET: 'file:/x' };
    expect(readSettings('notify', settings)).toMatchObject({
      CLAIM_LEASE_SECONDS: { ms: 10 * MINUTE },
      GATHER_SECONDS: { ms: 10 * MINUTE },
      WEBHOOK_NETWORKS: [],
      SES_CONFIGURATION_SET: '',
    });
  });
});

describe('what is set is read', () => {
  test('lists are parted by commas, with or without spaces', () => {
    const { DNS_SERVERS } = readSettings('probe', { ...PROBE, DNS_SERVERS: '127.0.0.1:53, 127.0.0.2,' });
    expect(DNS_SERVERS).toEqual(['127.0.0.1:53', '127.0.0.2']);
  });

  test('networks and endpoints come out parsed', () => {
    const given = { OPERATOR_NETWORKS: '127.0.0.0/8,2001:db8::/32', EGRESS_ENDPOINTS: '192.0.2.1:25,[2001:DB8::1]:2525', FAMILIES: '4' };
    const settings = readSettings('probe', { ...PROBE, ...given });
    expect(settings.OPERATOR_NETWORKS.map(({ prefixLength }) => prefixLength)).toEqual([8, 32]);
    expect(settings.EGRESS_ENDPOINTS).toEqual([
      { address: '192.0.2.1', port: 25 },
      { address: '2001:db8::1', port: 2525 },
    ]);
    expect(settings.FAMILIES).toEqual([4]);
  });

  test('a slash at the end of where the service answers is taken off, for paths are put behind it', () => {
    for (const BASE_URL of ['https://audit.example/', 'https://audit.example'])
      expect(readSettings('probe', { ...PROBE, BASE_URL }).BASE_URL).toBe('https://audit.example');
  });

  test('seconds and days come out as milliseconds, ports as numbers', () => {
    expect(readSettings('probe', { ...PROBE, CONFIRM_DELAY_SECONDS: '2' }).CONFIRM_DELAY_SECONDS.ms).toBe(2_000);
    expect(readSettings('api', { ...API, RETENTION_DAYS: '1', PROBE_PORTS: '25,2525' })).toMatchObject({
      RETENTION_DAYS: { ms: 24 * 60 * MINUTE },
      PROBE_PORTS: [25, 2525],
    });
  });

  test('registration is open, closed, or for the addresses of some domains', () => {
    const registration = (REGISTRATION: string) => readSettings('api', { ...API, REGISTRATION }).REGISTRATION;
    expect([registration('open'), registration('closed')]).toEqual([{ kind: 'open' }, { kind: 'closed' }]);
    expect(registration('example.org, example.net')).toEqual({ kind: 'domains', domains: ['example.org', 'example.net'] });
  });

  test('what a function does not read does not reach it', () => {
    expect(readSettings('api', { ...API, AWS_SECRET_ACCESS_KEY: 'x' })).not.toHaveProperty('AWS_SECRET_ACCESS_KEY');
  });
});

describe('a wrong setting stops the start', () => {
  test.each([
    ['host bits in a network', { OPERATOR_NETWORKS: '10.0.0.1/8' }, 'OPERATOR_NETWORKS: 10.0.0.1/8 is not a network'],
    ['no network', { OPERATOR_NETWORKS: '127.0.0.0/8,everything' }, 'OPERATOR_NETWORKS: everything is not a network'],
    [
      'an account that is none',
      { OPERATOR_ACCOUNTS: 'owner@example.org' },
      'OPERATOR_ACCOUNTS: owner@example.org is not the id of an account',
    ],
    ['a network in octal', { OPERATOR_NETWORKS: '0177.0.0.0/8' }, 'OPERATOR_NETWORKS'],
    ['an endpoint without a port', { EGRESS_ENDPOINTS: '192.0.2.1' }, 'EGRESS_ENDPOINTS: 192.0.2.1 is not an endpoint'],
    ['an endpoint by name', { EGRESS_ENDPOINTS: 'mx.example:25' }, 'EGRESS_ENDPOINTS'],
    ['an endpoint in IPv6 without brackets', { EGRESS_ENDPOINTS: '2001:db8::1:25' }, 'EGRESS_ENDPOINTS'],
    ['an endpoint that is no address', { EGRESS_ENDPOINTS: '[::g]:25' }, 'EGRESS_ENDPOINTS'],
    ['IPv6 alone', { FAMILIES: '6' }, 'FAMILIES: must be 4 or 4,6'],
    ['an opt-out address that is none', { OPT_OUT_ADDRESS: 'postmaster' }, 'OPT_OUT_ADDRESS'],
    ['minutes for seconds', { CONFIRM_DELAY_SECONDS: '5m' }, 'CONFIRM_DELAY_SECONDS: must be a whole number of seconds'],
    ['a negative delay', { CONFIRM_DELAY_SECONDS: '-5' }, 'CONFIRM_DELAY_SECONDS'],
    ['half a second', { CONFIRM_DELAY_SECONDS: '0.5' }, 'CONFIRM_DELAY_SECONDS'],
    ['an empty table name', { TABLE_NAME: '' }, 'TABLE_NAME'],
    ['a name that could smuggle a command', { EHLO_NAME: 'probe.example\r\nDATA' }, 'EHLO_NAME: must be a domain name in lower case'],
    ['a name in capitals', { EHLO_NAME: 'Probe.example' }, 'EHLO_NAME'],
    ['one label', { CANARY_DOMAIN: 'localhost' }, 'CANARY_DOMAIN'],
    ['no URL', { SCANS_QUEUE_URL: 'scans' }, 'SCANS_QUEUE_URL'],
  ])('%s', (_, wrong, words) => {
    expect(() => readSettings('probe', { ...PROBE, ...wrong })).toThrow(words);
  });

  test.each(['0', '65536', '25;2525', 'smtp', '25,', '2.5', '-25', ''])('%j is no list of ports', (ports) => {
    expect(() => readSettings('api', { ...API, PROBE_PORTS: ports })).toThrow('PROBE_PORTS: must be ports');
  });

  test.each(['', 'Open', 'example', '@example.org', 'example.org,'])('%j opens registration for nobody', (text) => {
    expect(() => readSettings('api', { ...API, REGISTRATION: text })).toThrow('REGISTRATION: must be open, closed, or domains');
  });

  test('every fault is told in one message, with the function’s name', () => {
    const wrong = { CONFIRM_DELAY_SECONDS: 'soon', OPERATOR_NETWORKS: 'x,y', EGRESS_ENDPOINTS: 'z' };
    const read = () => readSettings('probe', wrong);
    for (const name of [...Object.keys(PROBE), ...Object.keys(wrong), 'x is not', 'y is not', 'The settings of probe'])
      expect(read).toThrow(name);
  });
});
