/** What a work queue shows of itself, under the names that users of controller-runtime know. */
import { counter, gauge, histogram, type Metrics } from './metrics.ts';

const SECONDS = [0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 15, 60];

/** What a queue has in work: when each piece began, on the clock that `nowMs` reads. */
export interface InWork {
  nowMs(): number;
  beganMs(): number[];
}

/** Shared by all queues of a registry, told apart by their labels. */
export function queueInstruments(metrics: Metrics) {
  const controller = ['controller'] as const;
  return {
    depth: gauge(metrics, {
      name: 'workqueue_depth',
      help: 'Keys queued; priority 100: a person waits, 0: news, -100: routine.',
      labelNames: ['name', 'priority'],
    }),
    waited: histogram(metrics, {
      name: 'workqueue_queue_duration_seconds',
      help: 'How long a key was queued before its work began.',
      labelNames: ['name', 'priority'],
      buckets: SECONDS,
    }),
    worked: histogram(metrics, {
      name: 'workqueue_work_duration_seconds',
      help: 'How long the work of a key took.',
      labelNames: ['name'],
      buckets: SECONDS,
    }),
    adds: counter(metrics, { name: 'workqueue_adds_total', help: 'Keys queued ever.', labelNames: ['name'] }),
    retries: counter(metrics, {
      name: 'workqueue_retries_total',
      help: 'Keys queued after a failure.',
      labelNames: ['name'],
    }),
    total: counter(metrics, {
      name: 'controller_runtime_reconcile_total',
      help: 'Reconciles by result.',
      labelNames: ['controller', 'result'],
    }),
    errors: counter(metrics, {
      name: 'controller_runtime_reconcile_errors_total',
      help: 'Reconciles that failed.',
      labelNames: controller,
    }),
    terminal: counter(metrics, {
      name: 'controller_runtime_terminal_reconcile_errors_total',
      help: 'Failures that are not tried again.',
      labelNames: controller,
    }),
    timeouts: counter(metrics, {
      name: 'controller_runtime_reconcile_timeouts_total',
      help: 'Reconciles past their deadline.',
      labelNames: controller,
    }),
    seconds: histogram(metrics, {
      name: 'controller_runtime_reconcile_time_seconds',
      help: 'Time of a reconcile.',
      labelNames: controller,
      buckets: SECONDS,
    }),
    workers: gauge(metrics, {
      name: 'controller_runtime_max_concurrent_reconciles',
      help: 'Workers.',
      labelNames: controller,
    }),
    active: gauge(metrics, {
      name: 'controller_runtime_active_workers',
      help: 'Workers at work.',
      labelNames: controller,
    }),
  };
}

const inWork = new WeakMap<Metrics, Map<string, InWork>>();

/** Work that does not end shows in these two alone: all others are counted at its end. Of two queues of one name the later counts. */
export function watchWork(metrics: Metrics, name: string, work: InWork): void {
  const queues = inWork.get(metrics) ?? new Map<string, InWork>();
  queues.set(name, work);
  if (inWork.has(metrics)) return;
  inWork.set(metrics, queues);
  const ages = ({ nowMs, beganMs }: InWork) => beganMs().map((ms) => (nowMs() - ms) / 1_000);
  gauge(metrics, {
    name: 'workqueue_unfinished_work_seconds',
    help: 'For how long what is in work has been in work, all together. What grows without end is stuck.',
    labelNames: ['name'],
    collect() {
      for (const [of, one] of queues)
        this.set(
          { name: of },
          ages(one).reduce((sum, age) => sum + age, 0),
        );
    },
  });
  gauge(metrics, {
    name: 'workqueue_longest_running_processor_seconds',
    help: 'For how long the oldest work has been in work.',
    labelNames: ['name'],
    collect() {
      for (const [of, one] of queues) this.set({ name: of }, Math.max(0, ...ages(one)));
    },
  });
}
