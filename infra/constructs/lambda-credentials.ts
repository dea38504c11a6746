import { fromEnv } from '@aws-sdk/credential-provider-env';

/**
 * Stands in for the AWS SDK's default credential chain in the bundles: in a Lambda function credentials come from the
 * environment and from nowhere else. The chain's other links (profiles, SSO, instance metadata) would be a fifth of every bundle.
 */
export const defaultProvider = fromEnv;
