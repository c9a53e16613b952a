/** Resolves test alerts that nobody has resolved. Any replica may, and several at once do no harm: it is a report like any other. */
import type { Alert, AlertSource } from '@funnelai/crds/generated/types';
import type { Cache } from '@funnelai/kube/cache';
import type { Clock } from '@funnelai/kube/clock';
import { messageOf } from '@funnelai/kube/errors';
import type { Log } from '@funnelai/kube/log';
import { TEST_ALERT_ROUND_MS } from '../limits.ts';
import type { Ingest } from './ingest.ts';
import { isTestAlertOver, testAlert } from './test-alert.ts';

export function createTestAlertEnd(deps: {
  alerts: Pick<Cache<Alert>, 'list'>;
  sources: Pick<Cache<AlertSource>, 'get'>;
  ingest: Ingest;
  clock: Clock;
  log: Log;
}): { start(): void; stop(): void } {
  const { alerts, sources, ingest, clock, log } = deps;
  let cancel = () => {};
  let stopped = false;

  async function round(): Promise<void> {
    const now = clock.now();
    for (const alert of alerts.list()) {
      if (!isTestAlertOver(alert, now)) continue;
      const source = sources.get(alert.metadata.namespace ?? '', alert.spec.sourceRef.name);
      // Its source went before it: then a person resolves it.
      if (source === undefined) continue;
      const input = testAlert({ title: alert.spec.title, state: 'Resolved' }, now);
      const { unavailable, why } = await ingest.ingest(source, [{ index: 0, input }], { isOurs: true });
      if (unavailable > 0) return log.warn({ why }, 'a test alert is not resolved yet');
    }
  }

  function arm(): void {
    cancel = clock.after(TEST_ALERT_ROUND_MS, () => {
      round()
        .catch((error: unknown) => log.warn({ why: messageOf(error) }, 'test alerts could not be looked for'))
        .finally(() => {
          if (!stopped) arm();
        });
    });
  }

  return {
    start: arm,
    stop() {
      stopped = true;
      cancel();
    },
  };
}
