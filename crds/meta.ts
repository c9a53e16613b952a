/** The Kubernetes object shapes that every kind shares, and the constants of our API group. Nothing here does anything. */

export const GROUP = 'funnelai.dev';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}` as const;

/** Annotation in which admission keeps the log of human acts; written by the API server alone. */
export const CHANGES_ANNOTATION = 'funnelai.dev/changes';
/**
 * Annotation on an Alert that is over, while an older report of it may wait in an inbox that takes no newer one: once it had left, that one
 * would have the last word. The webhook sets it, and takes it off once nothing of it waits there.
 */
export const AWAITS_INBOX_ANNOTATION = 'funnelai.dev/awaits-inbox';
/** Finalizer that holds an Incident until the mirror has all of its history. */
export const HISTORY_FINALIZER = 'funnelai.dev/history';
/** Label on everything that the demo made, so that it can be told from the real thing and removed. */
export const DEMO_LABEL = 'funnelai.dev/demo';

export interface ManagedField {
  manager?: string;
  operation?: string;
  subresource?: string;
  time?: string;
}

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

export interface ObjectMeta {
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: OwnerReference[];
  managedFields?: ManagedField[];
}

export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
}

export interface KubeList<T> {
  apiVersion?: string;
  kind?: string;
  metadata: { resourceVersion?: string; continue?: string; remainingItemCount?: number };
  items: T[];
}

/** A condition after the Kubernetes convention. */
export interface Condition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason: string;
  message: string;
  lastTransitionTime: string;
  observedGeneration?: number;
}

/** Where a kind lives in the API: enough to build its URLs. */
export interface Resource {
  group: string;
  version: string;
  plural: string;
  kind: string;
  namespaced: boolean;
}

const ours = (plural: string, kind: string): Resource => ({
  group: GROUP,
  version: VERSION,
  plural,
  kind,
  namespaced: true,
});

export const ALERT_SOURCES = ours('alertsources', 'AlertSource');
export const ALERTS = ours('alerts', 'Alert');
export const CORRELATION_RULES = ours('correlationrules', 'CorrelationRule');
export const INCIDENTS = ours('incidents', 'Incident');
