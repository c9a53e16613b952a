/** The five severities, how a sender's word becomes one of them, and which priority follows. */
import type { AlertSourceSpec, Priority, Severity } from '@funnelai/crds/generated/types';

/** Worst first. */
export const SEVERITIES: readonly Severity[] = ['Critical', 'High', 'Medium', 'Low', 'Info'];

/** What an alert is given when its sender says nothing that anyone understands. */
export const DEFAULT_SEVERITY: Severity = 'Medium';

/** The label that carries the severity unless the source names another. */
export const SEVERITY_LABEL = 'severity';

/** The words of Prometheus' rules and of paging tools, and those of syslog, which many others write. */
const BUILT_IN = new Map<string, Severity>([
  ['critical', 'Critical'],
  ['page', 'Critical'],
  ['p1', 'Critical'],
  ['emergency', 'Critical'],
  ['fatal', 'Critical'],
  ['emerg', 'Critical'],
  ['alert', 'Critical'],
  ['crit', 'Critical'],
  ['error', 'High'],
  ['high', 'High'],
  ['p2', 'High'],
  ['err', 'High'],
  ['warning', 'Medium'],
  ['medium', 'Medium'],
  ['p3', 'Medium'],
  ['warn', 'Medium'],
  ['low', 'Low'],
  ['ticket', 'Low'],
  ['p4', 'Low'],
  ['info', 'Info'],
  ['none', 'Info'],
  ['debug', 'Info'],
  ['p5', 'Info'],
  ['notice', 'Info'],
  ['informational', 'Info'],
  ['information', 'Info'],
]);

/**
 * Returns the severity for a sender's word: the source's own map first (as written, then whatever the case), the built-in
 * table next, the source's default last, and Medium where it has none.
 */
export function severityFrom(value: string | undefined, config?: AlertSourceSpec['severity']): Severity {
  const fallback = config?.default ?? DEFAULT_SEVERITY;
  const word = value?.trim();
  if (!word) return fallback;
  const lower = word.toLowerCase();
  if (config?.map === undefined) return BUILT_IN.get(lower) ?? fallback;
  const map = Object.entries(config.map);
  const mapped = map.find(([key]) => key === word) ?? map.find(([key]) => key.trim().toLowerCase() === lower);
  return mapped?.[1] ?? BUILT_IN.get(lower) ?? fallback;
}

/** Returns the worse of the two. */
export function worst(a: Severity, b: Severity): Severity {
  return isWorse(b, a) ? b : a;
}

/** Is `a` worse than `b`? */
export function isWorse(a: Severity, b: Severity): boolean {
  return SEVERITIES.indexOf(a) < SEVERITIES.indexOf(b);
}

const PRIORITY: Record<Severity, Priority> = { Critical: 'P1', High: 'P2', Medium: 'P3', Low: 'P4', Info: 'P5' };

/** Returns the priority that an incident of this severity has until someone sets another. */
export function defaultPriority(severity: Severity): Priority {
  return PRIORITY[severity];
}
