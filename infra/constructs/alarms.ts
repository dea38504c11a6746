import { Duration, Stack } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IMetric, MathExpression, Metric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import { METRICS, type MetricName } from '../../shared/runtime/metrics.ts';

/** One thing to be woken for. It sounds when the metric is above the bound. */
export type Watch = {
  readonly metric: IMetric;
  readonly above: number;
  /** A sentence: what users lose while this lasts. */
  readonly usersLose: string;
  /** Anchor of its article in docs/runbook.md. */
  readonly article: string;
  /** How many periods of the last how many must be above it; one of one when left out. */
  readonly periods?: { readonly bad: number; readonly of: number };
  /** What it means that nothing was measured; nothing bad when left out. */
  readonly missing?: TreatMissingData;
};

/** The operator's alarms: every one says what users lose and where its article is, and is mailed when it sounds and when it ends. */
export class Alarms extends Construct {
  readonly #action: SnsAction;

  constructor(scope: Construct, id: string, operatorEmail: string) {
    super(scope, id);
    const topic = new Topic(this, 'Topic', { displayName: 'Relay Audit alarms', enforceSSL: true });
    topic.addSubscription(new EmailSubscription(operatorEmail));
    // A topic with a policy of its own has lost the default one, under which alarms of the account may publish.
    topic.grantPublish(
      new ServicePrincipal('cloudwatch.amazonaws.com', { conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } } }),
    );
    this.#action = new SnsAction(topic);
  }

  /** Adds an alarm. */
  add(id: string, watch: Watch): void {
    const alarm = new Alarm(this, id, {
      metric: watch.metric,
      threshold: watch.above,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: watch.periods?.of ?? 1,
      datapointsToAlarm: watch.periods?.bad ?? 1,
      treatMissingData: watch.missing ?? TreatMissingData.NOT_BREACHING,
      alarmDescription: `${watch.usersLose} What to do: docs/runbook.md#${watch.article}`,
    });
    alarm.addAlarmAction(this.#action);
    alarm.addOkAction(this.#action);
  }
}

/** The alarms on what the functions count; those of single functions and queues are made beside them. */
export function watchCounts(alarms: Alarms): void {
  watchSchedule(alarms);
  watchReputation(alarms);
}

function watchSchedule(alarms: Alarms): void {
  alarms.add('CursorAge', {
    metric: counted('CursorAgeMinutes', Stats.MAXIMUM, Duration.minutes(5)),
    above: 5,
    periods: { bad: 2, of: 2 },
    missing: TreatMissingData.BREACHING, // a dispatcher that does not run counts nothing
    usersLose: 'Hosts are not scanned when they are due; owners hear late, or not at all, that a server became an open relay.',
    article: 'cursor-age',
  });
  alarms.add('NoticesUnsettled', {
    metric: counted('NoticesUnsettled', Stats.MAXIMUM, Duration.minutes(10)),
    above: 0,
    // Tries lie 1, 2, 4, 8, 16 minutes apart: a notice that SES keeps refusing shows in three of six. One that is merely new shows in one.
    periods: { bad: 3, of: 6 },
    usersLose: 'Owners are not mailed that their server answers as an open relay, or that it is closed again.',
    article: 'notices-unsettled',
  });
}

function watchReputation(alarms: Alarms): void {
  alarms.add('EgressBlocked', {
    metric: counted('EgressBlocked', Stats.MAXIMUM, Duration.minutes(5)),
    above: 0,
    missing: TreatMissingData.IGNORE, // stays until a probe has found the way out open
    usersLose: 'No host can be scanned: our own way out on port 25 is blocked. Scans are put off; no owner is told anything wrong.',
    article: 'egress-blocked',
  });
  const period = Duration.hours(6);
  alarms.add('HostsRefusingUs', {
    metric: new MathExpression({
      expression: '100 * FILL(refusing, 0) / probed',
      usingMetrics: { refusing: counted('HostsRefusingUs', Stats.SUM, period), probed: counted('HostsProbed', Stats.SUM, period) },
      label: 'Hosts refusing us, per cent',
      period,
    }),
    above: 5,
    usersLose: 'One host in twenty refuses our address, so its scans say nothing of relaying: their owners are not protected.',
    article: 'hosts-refusing-us',
  });
  alarms.add('PreflightFailures', {
    metric: counted('PreflightFailures', Stats.MAXIMUM, Duration.minutes(5)),
    above: 0,
    missing: TreatMissingData.IGNORE, // it runs once a day: stays until the next one passes
    usersLose:
      'Mail servers have a reason to turn our probes away, so scans prove less: our names, mail records or blocklist status are not in order.',
    article: 'preflight-failures',
  });
}

const DIMENSIONS = { service: METRICS.service };

function counted(metricName: MetricName, statistic: string, period: Duration): Metric {
  return new Metric({ namespace: METRICS.namespace, metricName, dimensionsMap: DIMENSIONS, statistic, period });
}
