import { CHANGES_ANNOTATION } from '@funnelai/crds/meta';
import { encodeChangesAnnotation } from '@funnelai/domain/admission-log';
import { expect, it } from 'vitest';
import { anIncident } from '../testing/builders.ts';
import { laneOfIncident } from './lane.ts';

const isMachine = (user: string) => user === 'operator';
const at = '2026-01-01T00:00:00Z';

/** An incident whose acts by these users stand in the log, the first `answered` of them numbered in status. */
function incidentBy(users: string[], answered: number, phases = { spec: 'Response', status: 'Detection' } as const) {
  const incident = anIncident({ name: 'x' });
  const entries = users.map((user, i) => ({
    number: i + 1,
    field: 'phase' as const,
    value: 'Response',
    user,
    at,
    reason: '',
  }));
  incident.metadata.annotations = { [CHANGES_ANNOTATION]: encodeChangesAnnotation({ counter: users.length, entries }) };
  incident.spec.phase = phases.spec;
  incident.status = { observedGeneration: 1, phase: phases.status, logSequence: answered };
  return incident;
}

it('is that of people until what they did is answered in status', () => {
  expect(laneOfIncident(incidentBy(['operator', 'ana'], 1), isMachine)).toBe('human');
  expect(laneOfIncident(incidentBy(['ana', 'operator'], 0), isMachine)).toBe('human');
  const phases = { spec: 'Response', status: 'Response' } as never;
  expect(laneOfIncident(incidentBy(['operator', 'ana'], 2, phases), isMachine)).toBe('routine');
});

it('is that of news for what the operator began', () => {
  expect(laneOfIncident(incidentBy(['ana', 'operator'], 1), isMachine)).toBe('news');
  expect(laneOfIncident(incidentBy(['operator'], 0), isMachine)).toBe('news');
});

it('is that of people for every unanswered move where admission keeps no log', () => {
  const incident = incidentBy([], 0);
  incident.metadata.annotations = {};
  expect(laneOfIncident(incident, isMachine)).toBe('human');
  incident.status = { observedGeneration: 1, phase: incident.spec.phase };
  expect(laneOfIncident(incident, isMachine)).toBe('routine');
});

it('is that of people when acts fell out of the log before they were numbered', () => {
  const incident = incidentBy(['operator'], 0);
  incident.metadata.annotations = {
    [CHANGES_ANNOTATION]: encodeChangesAnnotation({
      counter: 30,
      entries: [{ number: 30, field: 'phase', value: 'Response', user: 'operator', at, reason: '' }],
    }),
  };
  expect(laneOfIncident(incident, isMachine)).toBe('human');
});
