/** The operator's loop over one incident, without an operator. For tests. */
import type { Alert, IncidentSpec } from '@funnelai/crds/generated/types';
import { decideIncidentStep, type IncidentStepResult } from '../incident-decide.ts';
import { at, OPERATOR } from './builders.ts';
import type { PlayedIncident } from './played-incident.ts';

/** History has whatever was recorded. */
export const MIRRORED = { mirroredSequence: 1_000 };

/** Patch first, step again, then the status, as incident-decide.ts says. */
export function run(
  story: PlayedIncident,
  second: number,
  members: Alert[],
  o: Partial<Parameters<typeof decideIncidentStep>[0]> = {},
): IncidentStepResult {
  for (let i = 0; i < 5; i += 1) {
    const before = story.incident.status;
    const result = decideIncidentStep({
      incident: story.incident,
      members,
      mirror: MIRRORED,
      // As the operator has it: its own acts, and no other machine's.
      isMachine: (user) => user === OPERATOR,
      now: at(second),
      ...o,
    });
    if (result.specPatch) {
      story.write(OPERATOR, second, result.specPatch as Partial<IncidentSpec>);
      continue;
    }
    if (result.status !== before) story.writeStatus(result.status);
    return result;
  }
  throw new Error('the steps come to no end');
}

/** Brought back as the operator does once it has found that what fires belongs here (correlate.ts). */
export function bringBack(story: PlayedIncident, second: number): void {
  story.write(OPERATOR, second, { phase: 'Detection', phaseReason: 'came back: a fires again' });
}
