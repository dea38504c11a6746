import { type App, type Stack, Validations } from 'aws-cdk-lib';
import * as z from 'zod';
import { SETTINGS } from '../../shared/runtime/config.ts';

// What a function would refuse at its cold start is refused before anything is deployed.
const settingText = (setting: z.ZodType) =>
  z.string().superRefine((text, context) => {
    for (const { message } of setting.safeParse(text).error?.issues ?? []) context.addIssue({ code: 'custom', message });
  });

const ENDPOINTS_LEAST = 2; // one endpoint that is down by itself would read as our way out being blocked

const deployment = z.object({
  /** Names the stacks. `dev` drops protection and retention, so that the whole can be deleted. */
  stage: z.string().regex(/^[a-z][a-z0-9-]{0,15}$/, 'must be at most 16 lower-case letters, digits and hyphens'),
  /** The name the probe says EHLO with: it must resolve to the egress address and back. */
  ehloName: settingText(SETTINGS.probe.shape.EHLO_NAME),
  /** A domain of the operator that the foreign recipients live in. */
  canaryDomain: settingText(SETTINGS.probe.shape.CANARY_DOMAIN),
  /** Sender of the alerts; its domain, or it by itself, is verified in SES. */
  mailFrom: z.email('must be a plain address such as alerts@your-domain'),
  /** Who is told of alarms. */
  operatorEmail: z.email('must be a plain address'),
  /** Networks that belong to the operator and may be probed for the operator's accounts without further proof. */
  operatorNetworks: settingText(SETTINGS.probe.shape.OPERATOR_NETWORKS),
  /** The ids of those accounts. */
  operatorAccounts: settingText(SETTINGS.probe.shape.OPERATOR_ACCOUNTS).default(''),
  /** Networks in which webhooks of those accounts may be called though they are not public. */
  webhookNetworks: settingText(SETTINGS.notify.shape.WEBHOOK_NETWORKS).default(''),
  /** SMTP endpoints of the operator that show whether our own way out is open. */
  egressEndpoints: settingText(SETTINGS.probe.shape.EGRESS_ENDPOINTS).refine(
    (text) => text.split(',').length >= ENDPOINTS_LEAST,
    `must name at least ${ENDPOINTS_LEAST} endpoints such as 192.0.2.1:25, joined by commas`,
  ),
  /** Ports that may be registered, and that the probe can reach. */
  probePorts: settingText(SETTINGS.api.shape.PROBE_PORTS),
  /** Who may ask for an account: `open`, `closed`, or the domains of mail addresses. */
  registration: settingText(SETTINGS.api.shape.REGISTRATION).default('open'),
  /** Whom a canary tells its reader to write to; empty is postmaster at the EHLO name. */
  optOutAddress: z.union([z.literal(''), z.email('must be a plain address, or empty')]).default(''),
  /** An HTTPS address of the operator's own monitor, asked each minute while all goes well; empty is none. */
  heartbeatUrl: settingText(SETTINGS.dispatch.shape.HEARTBEAT_URL).default(''),
  /** Whether the probe gets a way out over IPv6 too. Whether port 25 opens there is unproven. */
  ipv6: z.enum(['true', 'false'], 'must be true or false').default('false'),
});

/** What one deployment decides for itself. */
export type Deployment = Readonly<z.output<typeof deployment>>;

/**
 * Reads the deployment's parameters from the CDK context (`-c name=value`, or `context` of cdk.json). Throws with every
 * fault in one message.
 */
export function readDeployment(app: App): Deployment {
  const names = Object.keys(deployment.shape);
  const parsed = deployment.safeParse(Object.fromEntries(names.map((name) => [name, app.node.tryGetContext(name)])));
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw new Error(`The deployment's parameters are wrong; give each as -c name=value. ${faults.join('; ')}`);
  }
  return parsed.data;
}

// Names and networks that documentation reserves (RFC 2606, RFC 5737): good for a synthesis, never for a deployment.
const EXAMPLE = /(^|[.@])example\.(com|net|org)$|(^|,)(192\.0\.2|198\.51\.100|203\.0\.113)\./;

/** Warns, whenever the stack is synthesised, of values that are still the examples of cdk.json. */
export function warnOfExamples(stack: Stack, parameters: Deployment): void {
  const examples = Object.entries(parameters).flatMap(([name, value]) => (EXAMPLE.test(value) ? [name] : []));
  if (examples.length === 0) return;
  const message = `Fit to be synthesised, not to be deployed: ${examples.join(', ')} still hold examples. Give yours as -c name=value.`;
  Validations.of(stack).addWarning('RelayAudit-ExampleParameters', message);
}

/** The ports, as numbers, that the probe must be able to dial: those that may be registered and those of the egress endpoints. */
export function portsDialled({ probePorts, egressEndpoints }: Deployment): number[] {
  const endpoints = SETTINGS.probe.shape.EGRESS_ENDPOINTS.parse(egressEndpoints);
  return [...new Set([...SETTINGS.api.shape.PROBE_PORTS.parse(probePorts), ...endpoints.map(({ port }) => port)])];
}
