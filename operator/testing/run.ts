/** Runs operators in a test: start one, wait, end it. */
import type { Mirror } from '@funnelai/history/mirror';
import type { KubeClient } from '@funnelai/kube/client';
import { type Clock, systemClock } from '@funnelai/kube/clock';
import { silentLog } from '@funnelai/kube/log';
import { createRegistry } from '@funnelai/kube/metrics';
import { Registry } from 'prom-client';
import type { Condition } from '../condition.ts';
import { createOperator } from '../manager.ts';
import type { Retention } from '../retention/decide.ts';

export interface Running {
  registry: Registry;
  /** Stops it as SIGTERM would, and waits for the end. */
  stop(): Promise<void>;
  leading(): boolean;
  condition(): Condition;
}

let instances = 0;

export function runOperator(o: {
  client: KubeClient;
  /** One for all terms; `openMirror` makes one for each. */
  mirror?: Mirror;
  openMirror?: () => Mirror;
  leaseNamespace?: string;
  namespace?: string;
  processMetrics?: boolean;
  retention?: Retention;
  /** For clocks that are moved by weeks. */
  historyLookMs?: number;
  clock?: Clock;
}): Running {
  instances += 1;
  const { mirror } = o;
  const openMirror = o.openMirror ?? (mirror && (() => mirror));
  const registry = o.processMetrics ? createRegistry() : new Registry();
  const operator = createOperator({
    client: o.client,
    clock: o.clock ?? systemClock,
    log: silentLog(),
    registry,
    instance: `test-${instances}`,
    ...(o.historyLookMs !== undefined && { historyLookMs: o.historyLookMs }),
    ...(o.retention !== undefined && { retention: o.retention }),
    ...(openMirror !== undefined && { openMirror }),
    ...(o.namespace !== undefined && { namespace: o.namespace }),
    ...(o.leaseNamespace !== undefined && { leaseNamespace: o.leaseNamespace }),
  });
  const stopping = new AbortController();
  const ended = operator.run(stopping.signal);
  // A start that fails is seen by whoever waits for the end.
  ended.catch(() => {});
  return {
    registry,
    leading: operator.leading,
    condition: operator.condition,
    async stop() {
      stopping.abort(new Error('stopped by the test'));
      await ended;
    },
  };
}
