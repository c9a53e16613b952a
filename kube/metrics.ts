/** Prometheus metrics: the registry of a process, and instruments that several instances of one thing share. Never labelled by object name. */
import {
  Counter,
  type CounterConfiguration,
  collectDefaultMetrics,
  Gauge,
  type GaugeConfiguration,
  Histogram,
  type HistogramConfiguration,
  Registry,
} from 'prom-client';

export type Metrics = Registry;

/** A registry with the process's own metrics (memory, event loop, descriptors). */
export function createRegistry(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}

/** The counter of that name in the registry, made at first use. */
export function counter<L extends string>(metrics: Metrics, c: Omit<CounterConfiguration<L>, 'registers'>): Counter<L> {
  return (metrics.getSingleMetric(c.name) as Counter<L> | undefined) ?? new Counter({ ...c, registers: [metrics] });
}

/** The gauge of that name in the registry, made at first use. */
export function gauge<L extends string>(metrics: Metrics, c: Omit<GaugeConfiguration<L>, 'registers'>): Gauge<L> {
  return (metrics.getSingleMetric(c.name) as Gauge<L> | undefined) ?? new Gauge({ ...c, registers: [metrics] });
}

/** The histogram of that name in the registry, made at first use. */
export function histogram<L extends string>(
  metrics: Metrics,
  c: Omit<HistogramConfiguration<L>, 'registers'>,
): Histogram<L> {
  return (metrics.getSingleMetric(c.name) as Histogram<L> | undefined) ?? new Histogram({ ...c, registers: [metrics] });
}

/** For callers that were given no registry: counted, and seen by no one. */
export function noMetrics(): Metrics {
  return new Registry();
}
