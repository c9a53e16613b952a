/** An incident of the fake API, and what an edit makes of it: guarded and refused as the real one does. */
import type { Incident, Phase } from '@funnelai/crds/generated/types';
import { legalMoves, shownAs } from '@funnelai/domain/lifecycle';
import type { FieldEdit, IncidentEdit, IncidentItem, Problem, TimelineEntry } from '@funnelai/domain/wire';
import { anIncident } from './builders.ts';

export class Refusal extends Error {
  readonly status: number;
  readonly problem: Omit<Problem, 'requestId'>;
  constructor(status: number, problem: Omit<Problem, 'requestId'>) {
    super(problem.message);
    this.status = status;
    this.problem = problem;
  }
}

/** Fields of the object that no row shows. */
const EXTRAS = ['summary', 'resolution', 'links'] as const;
type Extra = (typeof EXTRAS)[number];
const extraOf = (field: string): Extra | undefined => EXTRAS.find((one) => one === field);

export interface Entry {
  item: IncidentItem;
  timeline: TimelineEntry[];
  extra: Partial<Pick<Incident['spec'], Extra>>;
  lastBy: Record<string, { by: string; at: string }>;
  deletedAt?: string;
}

export function anObject(entry: Entry): Incident {
  const incident = anIncident(entry.item);
  Object.assign(incident.spec, entry.extra);
  return incident;
}

export const mayNotPatch = (namespace: string, name: string, by: string): Refusal =>
  new Refusal(403, {
    code: 'Forbidden',
    message: `incidents.funnelai.dev "${name}" is forbidden: User "${by}" cannot patch resource "incidents" in API group "funnelai.dev" in the namespace "${namespace}"`,
    missing: {
      verb: 'patch',
      resource: 'incidents',
      namespace,
      grant: `kubectl create rolebinding ${by}-responds -n ${namespace} --clusterrole=funnelai-responder --user=${by}`,
    },
  });

/** Writes all fields of the edit into the entry, or throws a Refusal before any of them. */
export function applyEdit(
  entry: Entry,
  { edits, reason }: IncidentEdit,
  by: string,
  { version, refusesTitles }: { version: string; refusesTitles: boolean },
): void {
  const at = new Date().toISOString();
  const isMerge = edits.some(({ field }) => field === 'mergedInto');
  for (const edit of edits) {
    demandSeen(entry, edit);
    demandValid(entry, edit, { isMerge, refusesTitles });
  }
  const next = { ...entry.item, resourceVersion: version };
  const lines: TimelineEntry[] = [];
  for (const { field, from, to } of edits) {
    const extra = extraOf(field);
    if (field === 'phase') {
      const target = to as Phase;
      lines.push({
        at,
        kind: 'Phase',
        text: `moved from ${shownAs(next.phase)} to ${shownAs(target)}`,
        from: next.phase,
        to: target,
        by,
        ...(reason ? { reason } : {}),
        verified: true,
      });
      next.phase = target;
      next.phaseSince = at;
      if (target !== 'Detection' && next.acknowledgedAt === undefined) next.acknowledgedAt = at;
      if (target === 'Response' && next.owner === undefined) next.owner = by;
    } else if (extra) Object.assign(entry.extra, { [extra]: to ?? undefined });
    else if (to === null) delete next[field as 'owner'];
    else Object.assign(next, { [field]: to });
    if (field === 'owner' || field === 'severity' || field === 'priority') {
      lines.push({
        at,
        kind: field === 'owner' ? 'Owner' : field === 'severity' ? 'Severity' : 'Priority',
        text: `${field} changed from ${from ?? 'nothing'} to ${to ?? 'nothing'}`,
        from: String(from ?? ''),
        to: String(to ?? ''),
        by,
        verified: true,
      });
    }
    entry.lastBy[field] = { by, at };
  }
  entry.item = next;
  entry.timeline = [...entry.timeline, ...lines];
}

/** Throws where the field is not what the editor saw. */
function demandSeen(entry: Entry, { field, from, to }: FieldEdit): void {
  const extra = extraOf(field);
  const held = extra ? (anObject(entry).spec[extra] ?? null) : (entry.item[field as 'owner'] ?? null);
  if (JSON.stringify(held) === JSON.stringify(from)) return;
  throw new Refusal(409, {
    code: 'Conflict',
    message: `${field} is no longer what you saw`,
    conflict: {
      field,
      yours: to === null ? null : String(to),
      theirs: held === null ? null : String(held),
      ...(entry.lastBy[field] ?? {}),
    },
  });
}

/** Throws what the schema would say. */
function demandValid(
  { item: { phase } }: Entry,
  { field, to }: FieldEdit,
  { isMerge, refusesTitles }: { isMerge: boolean; refusesTitles: boolean },
): void {
  if (field === 'title' && (refusesTitles || String(to).length > 256)) {
    throw new Refusal(422, {
      code: 'Invalid',
      field: 'spec.title',
      message: 'spec.title: Too long: may not be more than 256 bytes',
    });
  }
  if (field === 'phase' && !legalMoves(phase).includes(to as Phase) && !isMerge) {
    throw new Refusal(422, {
      code: 'Invalid',
      field: 'spec.phase',
      message: `spec.phase: Invalid value: phase ${phase} cannot go to ${to}; it can go to ${legalMoves(phase).join(' or ')}`,
    });
  }
}
