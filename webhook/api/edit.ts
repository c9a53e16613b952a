/** Turns edits of fields into one JSON patch that tests what the person saw, and finds who was first where it does not hold. Pure. */
import type { Incident } from '@funnelai/crds/generated/types';
import { CHANGES_ANNOTATION } from '@funnelai/crds/meta';
import { type LoggedField, parseChangesAnnotation } from '@funnelai/domain/admission-log';
import type { EditableField, FieldEdit, IncidentEdit, Problem } from '@funnelai/domain/wire';
import type { JsonPatchOp } from '@funnelai/kube/client';
import { z } from 'zod';
import { LINKS_IN_EDIT } from '../limits.ts';
import { describe } from '../receivers/problem.ts';

const expected = (what: string) => ({
  error: ({ input }: { input?: unknown }) => `found ${describe(input)}, expected ${what}`,
});
const text = z.union([z.string().max(16_384), z.null()], expected('text or null'));
const resolution = z.union(
  [z.strictObject({ reason: z.string().optional(), cause: z.string().optional() }), z.null()],
  expected('{reason, cause} with text, or null'),
);
const link = z.strictObject({ title: z.string(), url: z.string(), kind: z.string().optional() });
const links = z.union(
  [z.array(link).max(LINKS_IN_EDIT), z.null()],
  expected(`at most ${LINKS_IN_EDIT} of {title, url, kind} with text, or null`),
);
const TEXT_FIELDS = ['phase', 'owner', 'severity', 'priority', 'title', 'summary', 'mergedInto'] as const;
const FIELDS = [...TEXT_FIELDS, 'resolution', 'links'] as const;
/** What PATCH takes, with values of the field's type; what stands in them is judged by the API server. */
export const incidentEditSchema = z.strictObject({
  edits: z
    .array(
      z.discriminatedUnion(
        'field',
        [
          z.strictObject({ field: z.enum(TEXT_FIELDS), from: text, to: text }),
          z.strictObject({ field: z.literal('resolution'), from: resolution, to: resolution }),
          z.strictObject({ field: z.literal('links'), from: links, to: links }),
        ],
        { error: ({ code }) => (code === 'invalid_union' ? `expected one of ${FIELDS.join(', ')}` : undefined) },
      ),
    )
    .min(1)
    .max(FIELDS.length)
    .refine((edits) => new Set(edits.map((e) => e.field)).size === edits.length, 'each field at most once'),
  reason: z.string().max(1_024).optional(),
});

type Value = FieldEdit['from'];
const LOGGED: Partial<Record<EditableField, LoggedField>> = {
  phase: 'phase',
  severity: 'severity',
  priority: 'priority',
  owner: 'owner',
};
const CHANGE_KIND: Partial<Record<EditableField, string>> = {
  phase: 'Phase',
  severity: 'Severity',
  priority: 'Priority',
  owner: 'Owner',
  mergedInto: 'Merge',
};

/** Returns a field's value as the wire has it: null when absent, plain names for references. */
export function fieldValue(incident: Incident, field: EditableField): Value {
  const { spec } = incident;
  if (field === 'owner' || field === 'mergedInto') return spec[field]?.name ?? null;
  return spec[field] ?? null;
}

/** Returns the first edit whose old value is no longer what is there. */
export function firstStale(incident: Incident, edits: readonly FieldEdit[]): FieldEdit | undefined {
  return edits.find((edit) => !isSame(fieldValue(incident, edit.field), edit.from));
}

/** Has everything asked for been done, whoever did it? */
export function isDone(incident: Incident, edits: readonly FieldEdit[]): boolean {
  return edits.every((edit) => isSame(fieldValue(incident, edit.field), edit.to));
}

/**
 * Returns the patch: every old value is tested, then every new one set, all in one write. The reason goes with the phase alone,
 * and one of an earlier move is taken away: it would be logged for this one.
 */
export function patchOf(incident: Incident, { edits, reason }: IncidentEdit): JsonPatchOp[] {
  const tests: JsonPatchOp[] = [{ op: 'test', path: '/metadata/uid', value: incident.metadata.uid }];
  const writes: JsonPatchOp[] = [];
  const set = (path: string, had: boolean, to: unknown) => {
    if (to !== null) writes.push({ op: 'add', path, value: to });
    else if (had) writes.push({ op: 'remove', path });
  };
  for (const { field, from, to } of edits) {
    const path = `/spec/${field}`;
    // Of links the ones that stand there, which firstStale found to say the same: the API server fills in their kind.
    tests.push({ op: 'test', path, value: field === 'links' ? (incident.spec.links ?? null) : stored(field, from) });
    set(path, from !== null, stored(field, to));
  }
  const phase = edits.find((edit) => edit.field === 'phase');
  if (phase !== undefined) {
    set('/spec/phaseReason', incident.spec.phaseReason !== undefined, reason?.trim() ? reason.trim() : null);
    const leavesClosed = phase.from === 'Closed' && phase.to !== 'Closed';
    if (leavesClosed && incident.spec.mergedInto !== undefined && !edits.some((edit) => edit.field === 'mergedInto')) {
      // What is merged into another is closed by definition; to reopen it is to take it out.
      set('/spec/mergedInto', true, null);
    }
  }
  return [...tests, ...writes];
}

/** Returns who changed the field last, when, and both values. */
export function conflictOn(incident: Incident, edit: FieldEdit): NonNullable<Problem['conflict']> {
  return {
    field: edit.field,
    ...lastChange(incident, edit.field),
    yours: shown(edit.to),
    theirs: shown(fieldValue(incident, edit.field)),
  };
}

/** The last entry of the admission log for the field; else of the numbered changes; else whose manager owns the field. */
function lastChange(incident: Incident, field: EditableField): { by?: string; at?: string } {
  const logged = LOGGED[field];
  const log = parseChangesAnnotation(incident.metadata.annotations?.[CHANGES_ANNOTATION]);
  const entry = logged === undefined ? undefined : log?.entries.findLast((e) => e.field === logged);
  if (entry !== undefined) return { by: entry.user, at: entry.at };
  const kind = CHANGE_KIND[field];
  const change = kind === undefined ? undefined : incident.status?.changes?.findLast((c) => c.kind === kind);
  if (change !== undefined) return { by: change.by, at: change.at };
  const owner = ownerOf(incident, field);
  return {
    ...(owner?.manager === undefined ? {} : { by: owner.manager }),
    ...(owner?.time === undefined ? {} : { at: owner.time }),
  };
}

/** Through this API the field manager is the person's name (write.ts); through kubectl it is the tool's. Several may own one value. */
function ownerOf(incident: Incident, field: EditableField): { manager?: string; time?: string } | undefined {
  return (incident.metadata.managedFields ?? [])
    .filter((entry) => {
      const fields = (entry as { fieldsV1?: { 'f:spec'?: Record<string, unknown> } }).fieldsV1?.['f:spec'];
      return entry.subresource !== 'status' && fields !== undefined && Object.hasOwn(fields, `f:${field}`);
    })
    .sort((a, b) => (a.time ?? '').localeCompare(b.time ?? ''))
    .at(-1);
}

function stored(field: EditableField, wire: Value): unknown {
  if ((field === 'owner' || field === 'mergedInto') && typeof wire === 'string') return { name: wire };
  return wire ?? null;
}

function isSame(a: Value, b: Value): boolean {
  return canonical(a) === canonical(b);
}

function canonical(wire: Value): string {
  if (wire === null || wire === undefined || typeof wire === 'string') return JSON.stringify(wire ?? null);
  if (Array.isArray(wire)) {
    // An empty list and none are the same to people; so are a link without a kind and one of kind Other.
    return wire.length === 0
      ? 'null'
      : JSON.stringify(wire.map(({ title, url, kind }) => [title, url, kind ?? 'Other']));
  }
  return JSON.stringify([wire.reason ?? null, wire.cause ?? null]);
}

function shown(wire: Value): string | null {
  if (wire === null || wire === undefined || typeof wire === 'string') return wire ?? null;
  if (Array.isArray(wire)) return wire.map(({ title, url }) => `${title}: ${url}`).join('\n') || null;
  return [wire.reason, wire.cause].filter((part) => part !== undefined).join(': ');
}
