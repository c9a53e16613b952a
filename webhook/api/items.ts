/** What a list shows of an object. Pure projections. */
import type { Alert, AlertSource, Incident } from '@funnelai/crds/generated/types';
import { CHANGES_ANNOTATION, DEMO_LABEL, type KubeObject } from '@funnelai/crds/meta';
import { parseChangesAnnotation } from '@funnelai/domain/admission-log';
import { isRefused } from '@funnelai/domain/alert-refused';
import { laterOf } from '@funnelai/domain/instants';
import type { AlertItem, IncidentItem } from '@funnelai/domain/wire';
import type { SourceItem } from '@funnelai/domain/wire-sources';
import type { InboxView } from '../inbox/by-source.ts';
import type { TrafficView } from '../traffic/recorder.ts';

/** Returns the row of an incident. Its phase is what was asked for (`spec`): the API server accepted it, the operator never refuses. */
export function incidentItem(incident: Incident): IncidentItem {
  const { metadata, spec, status } = incident;
  const { priority, owner, origin, mergedInto } = spec;
  const createdAt = metadata.creationTimestamp ?? '';
  const rule = origin?.ruleRef?.name;
  const cleared = status?.conditions?.some((c) => c.type === 'AlertsCleared' && c.status === 'True') ?? false;
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    uid: metadata.uid ?? '',
    resourceVersion: metadata.resourceVersion ?? '',
    title: spec.title,
    severity: spec.severity,
    ...(priority === undefined ? {} : { priority }),
    phase: spec.phase,
    phaseSince: phaseSince(incident) ?? createdAt,
    createdAt,
    ...(status?.acknowledgedAt === undefined ? {} : { acknowledgedAt: status.acknowledgedAt }),
    ...(owner === undefined ? {} : { owner: owner.name }),
    ...(rule === undefined ? {} : { rule }),
    alerts: {
      firing: status?.alerts?.firing ?? 0,
      resolved: status?.alerts?.resolved ?? 0,
      ...(status?.alerts?.expired === undefined ? {} : { expired: status.alerts.expired }),
      total: status?.alerts?.total ?? 0,
      ...(status?.alerts?.folded === undefined ? {} : { folded: status.alerts.folded }),
    },
    alertsCleared: cleared,
    ...(mergedInto === undefined ? {} : { mergedInto: mergedInto.name }),
    demo: isDemo(incident),
  };
}

/** The operator's answer when it is about the present phase; while it is away, the time that admission noted. */
function phaseSince({ metadata, spec, status }: Incident): string | undefined {
  if (status?.phase === spec.phase && status.phaseSince !== undefined) return status.phaseSince;
  const log = parseChangesAnnotation(metadata.annotations?.[CHANGES_ANNOTATION]);
  return log?.entries.findLast((entry) => entry.field === 'phase' && entry.value === spec.phase)?.at;
}

/** Returns the row of an alert. */
export function alertItem(alert: Alert): AlertItem {
  const { metadata, spec, status } = alert;
  const episode = status?.episode;
  const explanation = status?.explanation;
  const incident = status?.incidentRef?.name;
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    uid: metadata.uid ?? '',
    state: spec.state,
    severity: spec.severity,
    title: spec.title,
    source: spec.sourceRef.name,
    startsAt: spec.startsAt,
    ...(spec.endsAt === undefined ? {} : { endsAt: spec.endsAt }),
    ...(spec.state === 'Expired' && spec.expired !== undefined ? { expired: spec.expired } : {}),
    receivedAt: spec.receivedAt,
    ...(episode === undefined ? {} : { episode }),
    ...(incident === undefined ? {} : { incident }),
    ...(explanation === undefined ? {} : { explanation }),
    ...(isRefused(alert) ? { isRefused: true } : {}),
    ...(spec.state === 'Firing' && spec.acknowledgedUpstream !== undefined
      ? { acknowledged: acknowledged(spec.acknowledgedUpstream) }
      : {}),
    labels: spec.labels ?? {},
    links: spec.links ?? [],
    demo: isDemo(alert),
    ...(spec.folded === undefined ? {} : { standsFor: standsFor(spec.folded) }),
  };
}

function acknowledged({
  by,
  trusted,
}: NonNullable<Alert['spec']['acknowledgedUpstream']>): NonNullable<AlertItem['acknowledged']> {
  const who = trusted === undefined ? by : trusted.by;
  return { ...(who === undefined ? {} : { by: who }), isTrusted: trusted !== undefined };
}

function standsFor({
  count,
  firing,
  expired,
}: NonNullable<Alert['spec']['folded']>): NonNullable<AlertItem['standsFor']> {
  return { count, firing, ...(expired === undefined ? {} : { expired }) };
}

/** Returns the row of a source, with what came to it and what of that lies in the inbox. */
export function sourceItem(source: AlertSource, traffic: TrafficView, inbox: Pick<InboxView, 'of'>): SourceItem {
  const { metadata, spec, status } = source;
  const { namespace = '', name } = metadata;
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  const own = traffic.lastReceivedAt(namespace, name);
  // The status is a minute behind, and this replica knows nothing of the others.
  const lastReceivedAt = laterOf(own, status?.lastReceivedAt);
  const held = inbox.of(namespace, name);
  return {
    namespace,
    name,
    uid: metadata.uid ?? '',
    format: spec.format,
    ready: ready?.status ?? 'Unknown',
    ...(ready === undefined ? {} : { message: ready.message }),
    createdAt: metadata.creationTimestamp ?? '',
    ...(lastReceivedAt === undefined ? {} : { lastReceivedAt }),
    traffic: traffic.of(namespace, name),
    ...(held === undefined ? {} : { inbox: held }),
    demo: isDemo(source),
  };
}

/** Returns the object as pages show it: managedFields are nobody's reading. */
export function withoutManagedFields<T extends KubeObject>(object: T): T {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

export function isDemo(object: KubeObject): boolean {
  return object.metadata.labels?.[DEMO_LABEL] === 'true';
}
