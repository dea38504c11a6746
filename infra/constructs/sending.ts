import { Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { AuditFunction } from './audit-function.ts';

/** Who mails are from, and the configuration set that they are sent with. */
export type Sending = { readonly mailFrom: string; readonly configurationSet: string };

/** Sending mail from this one address. SES asks for the identity that is verified: the whole domain, or the address by itself. */
export function grantSending(to: AuditFunction, { mailFrom, configurationSet }: Sending): void {
  const domain = mailFrom.slice(mailFrom.lastIndexOf('@') + 1);
  const arn = (resource: string, resourceName: string) => Stack.of(to).formatArn({ service: 'ses', resource, resourceName });
  const permission = new PolicyStatement({
    actions: ['ses:SendRawEmail'],
    resources: [arn('identity', domain), arn('identity', mailFrom), arn('configuration-set', configurationSet)],
    conditions: { StringEquals: { 'ses:FromAddress': mailFrom } },
  });
  to.grant({ MAIL_FROM: mailFrom, SES_CONFIGURATION_SET: configurationSet }, permission);
}
