import { App } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { expect, test } from 'vitest';
import cdk from '../../cdk.json' with { type: 'json' };
import { portsDialled, readDeployment } from '../../infra/constructs/deployment.ts';
import { buildApp, CONTEXT } from './build-app.ts';

const read = (context: Record<string, string>) => readDeployment(new App({ context }));

test('every fault of the parameters is named in one message', () => {
  const { canaryDomain: _missing, ...rest } = CONTEXT;
  const faulty = { ...rest, ehloName: 'Not A Name', operatorNetworks: '203.0.113.1/24' };
  expect(() => read(faulty)).toThrow(
    /ehloName: must be a domain name.*canaryDomain: .*operatorNetworks: 203\.0\.113\.1\/24 is not a network/,
  );
});

test('one egress endpoint is not enough, for it may be down by itself', () => {
  expect(() => read({ ...CONTEXT, egressEndpoints: '203.0.113.10:25' })).toThrow(/egressEndpoints: must name at least 2/);
});

test('what may be left out has a default: no IPv6, and postmaster at the EHLO name to write to', () => {
  const { ipv6: _ipv6, optOutAddress: _optOut, heartbeatUrl: _heartbeat, ...rest } = CONTEXT;
  expect(read(rest)).toMatchObject({ ipv6: 'false', optOutAddress: '', heartbeatUrl: '' });
  expect(() => read({ ...CONTEXT, heartbeatUrl: 'http://monitor.relay-audit.test/' })).toThrow('heartbeatUrl');
  expect(() => read({ ...CONTEXT, ipv6: 'yes', optOutAddress: 'nobody' })).toThrow(
    /optOutAddress: must be a plain.*ipv6: must be true or false/,
  );
});

test('the examples of cdk.json are good enough to synthesise', () => {
  expect(read(cdk.context as unknown as Record<string, string>).stage).toBe('prod');
});

test('a deployment with example values is warned of at each synthesis, and one without is not', () => {
  const warnings = (context: Partial<typeof CONTEXT>) =>
    Annotations.fromStack(buildApp(context).service).findWarning('*', Match.stringLikeRegexp('still hold examples')).length;
  expect(warnings({ mailFrom: 'alerts@example.org' })).toBe(1);
  expect(warnings({ operatorNetworks: '10.0.0.0/8', egressEndpoints: '8.8.8.8:25,9.9.9.9:25' })).toBe(0);
});

test('the probe may dial the ports that can be registered and those of the egress endpoints', () => {
  expect(portsDialled(read(CONTEXT))).toEqual([25, 587, 2525]);
});
