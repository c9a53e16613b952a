/** Every format that is understood: one line each. */
import { alertmanager } from './alertmanager.ts';
import { cloudEvents } from './cloudevents.ts';
import { generic } from './generic.ts';
import { jsonLines } from './json-lines.ts';
import { openTelemetryLogs } from './opentelemetry-logs.ts';
import type { Receiver, SourceFormat } from './receiver.ts';

export type Receivers = Readonly<Record<SourceFormat, Receiver>>;

export function createReceivers(): Receivers {
  return {
    Alertmanager: alertmanager,
    CloudEvents: cloudEvents,
    OpenTelemetryLogs: openTelemetryLogs,
    JsonLines: jsonLines,
    Generic: generic,
  };
}
