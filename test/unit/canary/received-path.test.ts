import { describe, expect, test } from 'vitest';
import { receivedPath } from '../../../functions/canary/received-path.ts';

const hop = (header: string) => receivedPath([header])[0];

describe('a Received header says who handed the message over, from which address, and who took it', () => {
  test.each([
    [
      'Postfix',
      'from out.example.org (out.example.org [192.0.2.9])\r\n\tby mx.example.net (Postfix) with ESMTPS id 4AbC\r\n\tfor <x@y>; Tue, 24 Nov 2026 10:00:00 +0000',
      { from: 'out.example.org', address: '192.0.2.9', by: 'mx.example.net' },
    ],
    [
      'SES',
      'from out.example.org (out.example.org [192.0.2.9]) by inbound-smtp.eu-central-1.amazonaws.com with SMTP id abc for x@y; Tue, 24 Nov 2026 10:00:00 +0000 (UTC)',
      { from: 'out.example.org', address: '192.0.2.9', by: 'inbound-smtp.eu-central-1.amazonaws.com' },
    ],
    [
      'Exim, of a client without a name',
      'from [198.51.100.7] (helo=probe.example) by mx.example.net with esmtp (Exim 4.96) id 1abc-00',
      { from: '[198.51.100.7]', address: '198.51.100.7', by: 'mx.example.net' },
    ],
    [
      'Sendmail, with a comment in a comment',
      'from user (host.example [192.0.2.9] (may be forged)) by mx.example.net (8.18/8.18) with SMTP id 3',
      { from: 'user', address: '192.0.2.9', by: 'mx.example.net' },
    ],
    ['Exchange', 'from A.corp (10.0.0.1) by B.corp (10.0.0.2) with Microsoft SMTP', { from: 'A.corp', address: '10.0.0.1', by: 'B.corp' }],
    [
      'IPv6',
      'from out.example ([IPv6:2001:DB8:0::1]) by mx.example with ESMTP',
      { from: 'out.example', address: '2001:db8::1', by: 'mx.example' },
    ],
    ['qmail, within the server', '(qmail 123 invoked by uid 0); 24 Nov 2026', { from: undefined, address: undefined, by: undefined }],
    ['a server to itself', 'by mx.example (Postfix, from userid 0) id 1', { from: undefined, address: undefined, by: 'mx.example' }],
    ['nothing', '', { from: undefined, address: undefined, by: undefined }],
  ])('%s', (_, header, expected) => {
    expect(hop(header)).toEqual(expected);
  });
});

describe('whatever a hostile server writes into its header', () => {
  test('names come out in printable ASCII and short', () => {
    const { from = '', by = '' } = hop(`from \x1b[2J\xff${'a'.repeat(2_000)} by nobody`) ?? {};
    expect(`${from}${by}`).toMatch(/^[\x20-\x7e]*$/);
    expect(from.length).toBeLessThanOrEqual(100);
  });

  test('what is no address is none', () => {
    expect(hop('from a ([999.1.1.1]) by b')?.address).toBeUndefined();
    expect(hop('from a ([<script>]) by b')?.address).toBeUndefined();
  });

  test('ten hops are read, the newest, and it costs no more than a moment', () => {
    const nasty = ['('.repeat(5_000), '[('.repeat(3_000), `from ${'( '.repeat(3_000)}`, ' by'.repeat(3_000)];
    expect(receivedPath(Array.from({ length: 100 }, (_, i) => nasty[i % nasty.length] ?? ''))).toHaveLength(10);
    expect(receivedPath(['from newest by b', 'from older by c'])[0]?.from).toBe('newest');
  });
});
