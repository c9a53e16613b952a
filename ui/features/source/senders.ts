/** For each format the configuration of its senders, with the real address in it: one line each. */
import type { Place, Snippet } from './sender.ts';
import { cloudEvents, generic, jsonLines, openTelemetryLogs, pagerDutyEvents } from './senders/events.ts';
import { alertmanager, flux, grafana } from './senders/monitoring.ts';
import { awsSns, azureMonitor, datadog, googleMonitoring, sentry, unknown } from './senders/services.ts';

/** By format; the API server takes these and no other. */
export const SENDERS: Readonly<Record<string, (place: Place) => Snippet[]>> = {
  Alertmanager: alertmanager,
  AwsSns: awsSns,
  AzureMonitor: azureMonitor,
  CloudEvents: cloudEvents,
  Datadog: datadog,
  Flux: flux,
  Generic: generic,
  GoogleMonitoring: googleMonitoring,
  Grafana: grafana,
  JsonLines: jsonLines,
  OpenTelemetryLogs: openTelemetryLogs,
  PagerDutyEvents: pagerDutyEvents,
  Sentry: sentry,
};

/** Those that are offered; a test holds them to the CRD. */
export const FORMATS: readonly string[] = Object.keys(SENDERS);

/** Never empty: an address alone helps, too. */
export const snippetsFor = (format: string, place: Place): Snippet[] => (SENDERS[format] ?? unknown)(place);
