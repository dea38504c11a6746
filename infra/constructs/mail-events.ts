import { Duration } from 'aws-cdk-lib';
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { ConfigurationSet, ConfigurationSetTlsPolicy, EmailSendingEvent, EventDestination, SuppressionReasons } from 'aws-cdk-lib/aws-ses';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { Alarms } from './alarms.ts';
import { AuditFunction } from './audit-function.ts';
import { grantTable, type Retained } from './retained.ts';
import { keyForSes } from './ses-key.ts';
import { WorkQueue } from './work-queue.ts';

export type MailEventsProps = { readonly retained: Retained; readonly alarms: Alarms };

const EVENTS = [
  EmailSendingEvent.SEND,
  EmailSendingEvent.REJECT,
  EmailSendingEvent.DELIVERY,
  EmailSendingEvent.BOUNCE,
  EmailSendingEvent.COMPLAINT,
];
const READERS_LIMIT = 2; // at once: events come with the mails, of which there are few
const BOUNCE_RATE = 0.04; // SES reviews a sender above 5 %
const COMPLAINT_RATE = 0.0008; // and above 0.1 %

/** What becomes of mails: SES publishes it by a configuration set, over SNS and a queue, to `feedback`. */
export class MailEvents extends Construct {
  /** The configuration set that mails are sent with. */
  readonly configurationSet: string;

  constructor(scope: Construct, id: string, { retained, alarms }: MailEventsProps) {
    super(scope, id);
    // Alerts are to arrive: a server that cannot do TLS gets them in the clear, as it would from anybody.
    const set = new ConfigurationSet(this, 'Set', {
      tlsPolicy: ConfigurationSetTlsPolicy.OPTIONAL,
      reputationMetrics: true,
      // Complaints are ours to heed: they end what one account has mailed, and SES would end all.
      suppressionReasons: SuppressionReasons.BOUNCES_ONLY,
    });
    this.configurationSet = set.configurationSetName;
    // Events name the readers of alerts.
    const masterKey = keyForSes(this, 'Key', 'Relay Audit: what SES publishes of mails, on its way');
    const topic = new Topic(this, 'Topic', { displayName: 'Relay Audit mail events', enforceSSL: true, masterKey });
    // This lets SES publish to the topic, on behalf of this configuration set only.
    set.addEventDestination('Events', { destination: EventDestination.snsTopic(topic), events: EVENTS });
    const feedback = new AuditFunction(this, 'Feedback', {
      name: 'feedback',
      errorImpact: 'A mail whose sender died may be sent twice, and addresses that bounce or complain are mailed again.',
      alarms,
      timeout: Duration.seconds(30),
      memoryMiB: 512,
    });
    grantTable(feedback, retained, ['UpdateItem', 'PutItem', 'ConditionCheckItem']);
    const queue = new WorkQueue(this, 'Feedback Queue', {
      name: 'feedback',
      visibilityTimeout: Duration.minutes(3), // six times the function's time, as AWS advises
      deadLetterImpact:
        'What became of some mails is not known: a lost alert may be sent twice, and addresses that bounce are mailed again.',
      alarms,
    });
    queue.subscribe(topic);
    queue.feed(feedback, { batchSize: 10, maxConcurrency: READERS_LIMIT });
    watchReputation(alarms);
  }
}

// SES counts for the whole account in this region; the rates are over the mails that it goes by itself.
function watchReputation(alarms: Alarms): void {
  const ses = (metricName: string, statistic: string) =>
    new Metric({ namespace: 'AWS/SES', metricName, statistic, period: Duration.hours(1) });
  const rate = (metricName: string) => ses(metricName, Stats.MAXIMUM);
  const usersLose = 'Nothing yet; but SES stops all mail of a sender with such a rate, and then owners hear of nothing.';
  alarms.add('BounceRate', { metric: rate('Reputation.BounceRate'), above: BOUNCE_RATE, usersLose, article: 'mail-reputation' });
  alarms.add('ComplaintRate', { metric: rate('Reputation.ComplaintRate'), above: COMPLAINT_RATE, usersLose, article: 'mail-reputation' });
  alarms.add('MailsRejected', {
    metric: ses('Reject', Stats.SUM),
    above: 0,
    usersLose:
      'SES found a virus, as it thinks, in a mail of ours and threw it away: that alert reaches nobody by mail, and is not sent again.',
    article: 'mails-rejected',
  });
}
