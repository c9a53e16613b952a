/** Every format that is understood: one line each. */
import { alertmanager } from './alertmanager.ts';
import { datadog } from './datadog.ts';
import { flux } from './flux.ts';
import { grafana } from './grafana.ts';
import { pagerDutyEvents } from './pagerduty-events.ts';
import type { Receiver, SourceFormat } from './receiver.ts';
import { sentry } from './sentry.ts';

export type Receivers = Readonly<Record<SourceFormat, Receiver>>;

export function createReceivers(): Receivers {
  return {
    Alertmanager: alertmanager,
    Grafana: grafana,
    PagerDutyEvents: pagerDutyEvents,
    Datadog: datadog,
    Sentry: sentry,
    Flux: flux,
  };
}
