import { Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { AuditFunction } from './audit-function.ts';

/** Sending mail from this one address. SES asks for the identity that is verified: the whole domain, or the address by itself. */
export function grantSending(to: AuditFunction, mailFrom: string): void {
  const domain = mailFrom.slice(mailFrom.lastIndexOf('@') + 1);
  const identity = (resourceName: string) => Stack.of(to).formatArn({ service: 'ses', resource: 'identity', resourceName });
  const permission = new PolicyStatement({
    actions: ['ses:SendEmail'],
    resources: [identity(domain), identity(mailFrom)],
    conditions: { StringEquals: { 'ses:FromAddress': mailFrom } },
  });
  to.grant({ MAIL_FROM: mailFrom }, permission);
}
