/** Every format that is understood: one line each. */
import { systemClock } from '@funnelai/kube/clock';
import { alertmanager } from './alertmanager.ts';
import { createSnsDoor, type SnsDoor } from './aws-door.ts';
import { awsSns } from './aws-sns.ts';
import { azureMonitor } from './azure-monitor.ts';
import { cloudEvents } from './cloudevents.ts';
import { datadog } from './datadog.ts';
import { flux } from './flux.ts';
import { generic } from './generic.ts';
import { googleMonitoring } from './google-monitoring.ts';
import { grafana } from './grafana.ts';
import { jsonLines } from './json-lines.ts';
import { openTelemetryLogs } from './opentelemetry-logs.ts';
import { pagerDutyEvents } from './pagerduty-events.ts';
import type { Receiver, SourceFormat } from './receiver.ts';
import { sentry } from './sentry.ts';

export type Receivers = Readonly<Record<SourceFormat, Receiver>>;

export function createReceivers(deps: { sns?: SnsDoor } = {}): Receivers {
  return {
    Alertmanager: alertmanager,
    Grafana: grafana,
    PagerDutyEvents: pagerDutyEvents,
    Datadog: datadog,
    Sentry: sentry,
    Flux: flux,
    AwsSns: awsSns(deps.sns ?? createSnsDoor({ clock: systemClock })),
    GoogleMonitoring: googleMonitoring,
    AzureMonitor: azureMonitor,
    CloudEvents: cloudEvents,
    OpenTelemetryLogs: openTelemetryLogs,
    JsonLines: jsonLines,
    Generic: generic,
  };
}
