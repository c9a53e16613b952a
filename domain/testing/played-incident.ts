/** An incident as the API server keeps it: writes to spec are checked against the table and logged as admission does. For tests. */
import type { Incident, IncidentSpec, IncidentStatus } from '@funnelai/crds/generated/types';
import { CHANGES_ANNOTATION } from '@funnelai/crds/meta';
import { encodeChangesAnnotation, LOG_MAX_ENTRIES, type LogEntry, type LoggedField } from '../admission-log.ts';
import { canMove } from '../lifecycle.ts';
import { anIncident, type IncidentParts, logTime } from './builders.ts';

const FIELDS: readonly LoggedField[] = ['phase', 'severity', 'priority', 'owner'];
const loggedValue = (spec: IncidentSpec | undefined, field: LoggedField): string =>
  (field === 'owner' ? spec?.owner?.name : spec?.[field]) ?? '';

export interface PlayedIncident {
  readonly incident: Incident;
  /** Everything ever logged, for comparison; the object itself keeps 16. */
  readonly log: LogEntry[];
  /** How many writes there were since birth, the create included. */
  readonly writes: number;
  write(user: string, second: number, patch: Partial<IncidentSpec>): void;
  writeStatus(status: IncidentStatus): void;
}

/** Returns an incident born by `user` at second 0. `withLog: false` plays a cluster without the admission policies. */
export function play(user: string, parts: IncidentParts = {}, { withLog = true } = {}): PlayedIncident {
  const log: LogEntry[] = [];
  let incident = anIncident({ status: { observedGeneration: -1 }, ...parts });
  let writes = 1;
  const note = (before: IncidentSpec | undefined, second: number, by: string) => {
    const changed = FIELDS.filter((field) => loggedValue(incident.spec, field) !== loggedValue(before, field));
    // A write that only takes values away leaves no time for admission to find.
    const at = changed.some((field) => loggedValue(incident.spec, field) !== '') ? logTime(second) : '';
    for (const field of changed) {
      const value = loggedValue(incident.spec, field);
      const reason =
        field === 'phase' && before?.phaseReason !== incident.spec.phaseReason ? (incident.spec.phaseReason ?? '') : '';
      log.push({ number: log.length + 1, field, value, user: by, at, reason });
    }
    if (!withLog) return;
    const annotation = encodeChangesAnnotation({ counter: log.length, entries: log.slice(-LOG_MAX_ENTRIES) });
    incident = { ...incident, metadata: { ...incident.metadata, annotations: { [CHANGES_ANNOTATION]: annotation } } };
  };
  note(undefined, 0, user);
  return {
    get incident() {
      return incident;
    },
    log,
    get writes() {
      return writes;
    },
    write(by, second, patch) {
      const before = incident.spec;
      const spec = Object.fromEntries(
        Object.entries({ ...before, ...patch }).filter(([, value]) => value !== undefined),
      ) as unknown as IncidentSpec;
      const merging = spec.mergedInto !== undefined;
      if (spec.phase !== before.phase && !canMove(before.phase, spec.phase, { merging })) {
        throw new Error(`phase ${before.phase} cannot go to ${spec.phase}`);
      }
      const generation = (incident.metadata.generation ?? 1) + 1;
      incident = { ...incident, metadata: { ...incident.metadata, generation }, spec };
      writes += 1;
      note(before, second, by);
    },
    writeStatus(status) {
      incident = { ...incident, status };
      writes += 1;
    },
  };
}
