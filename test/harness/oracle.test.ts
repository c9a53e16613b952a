/** The judge judged: a world that kept every promise passes, and each single broken promise is found. */
import type { Alert, Incident, IncidentChange } from '@funnelai/crds/generated/types';
import { describe, expect, it } from 'vitest';
import { type Seen, type Told, violations } from './oracle.ts';

const AT = '2026-03-01T10:00:00.000Z';
const LATER = '2026-03-01T10:05:00.500Z';
const MACHINE = 'system:serviceaccount:funnel-system:funnelai-operator';

const born: IncidentChange = { sequence: 1, kind: 'Phase', to: 'Detection', at: AT, recordedAt: AT, by: MACHINE };
const taken: IncidentChange = {
  sequence: 2,
  kind: 'Phase',
  from: 'Detection',
  to: 'Response',
  at: LATER,
  recordedAt: LATER,
  by: 'ana',
  reason: 'mine',
};
const rowOf = (change: IncidentChange) => ({
  incident_uid: 'i-1',
  sequence: change.sequence,
  kind: change.kind,
  from_value: change.from ?? null,
  to_value: change.to ?? null,
  at: change.at,
  by: change.by,
  reason: change.reason ?? null,
});

/** One alert that fires in one incident, which ana has acknowledged; history has it all. */
function aWorld(): { told: Told; seen: Seen } {
  const alert = {
    metadata: { name: 'prom-1', uid: 'a-1' },
    spec: { state: 'Firing', startsAt: AT, labels: { fault: 'f1' } },
    status: {
      incidentRef: { name: 'calm-falcon' },
      conditions: [{ type: 'Correlated', status: 'True', reason: 'Opened' }],
    },
  } as unknown as Alert;
  const incident = {
    metadata: { name: 'calm-falcon', uid: 'i-1' },
    spec: { phase: 'Response', severity: 'Critical', origin: { groupKey: '[]', opening: 1 } },
    status: {
      phase: 'Response',
      observed: { severity: 'Critical' },
      changeSequence: 2,
      changes: [born, taken],
      alerts: { firing: 1, resolved: 0 },
    },
  } as unknown as Incident;
  return {
    told: {
      faults: [{ id: 'f1', state: 'Firing', startsAt: AT }],
      acts: [
        {
          uid: 'i-1',
          incident: 'calm-falcon',
          kind: 'Phase',
          to: 'Response',
          by: 'ana',
          reason: 'mine',
          beganMs: Date.parse(LATER) - 100,
          answeredMs: Date.parse(LATER) + 100,
        },
      ],
      deleted: [],
    },
    seen: {
      alerts: [alert],
      incidents: [incident],
      rows: {
        incidents: [
          {
            uid: 'i-1',
            name: 'calm-falcon',
            phase: 'Response',
            owner: null,
            severity: 'Critical',
            change_sequence: 2,
            deleted_at: null,
          },
        ],
        changes: [rowOf(born), rowOf(taken)],
        alerts: [
          { uid: 'a-1', name: 'prom-1', fault: 'f1', state: 'Firing', incident_name: 'calm-falcon', deleted_at: null },
        ],
      },
    },
  };
}

/** Puts `value` at a dotted path of the world; undefined takes out what is there. */
function put(world: object, path: string, value: unknown): void {
  const steps = path.split('.');
  const last = steps.pop() ?? '';
  let at = world as Record<string, unknown>;
  for (const step of steps) at = at[step] as Record<string, unknown>;
  if (at === undefined) throw new RangeError(`there is no ${path}`);
  at[last] = value;
}

const incident = 'seen.incidents.0';
const alert = 'seen.alerts.0';
const rows = 'seen.rows';
const otherIncident = { ...aWorld().seen.incidents[0], metadata: { name: 'other', uid: 'i-2' } };

const stories: [what: string, broken: Record<string, unknown>, found: RegExp][] = [
  [
    'what fired and resolved unseen is waved off',
    {
      [`${alert}.spec.state`]: 'Resolved',
      [`${alert}.spec.firingStartsAt`]: AT,
      [`${alert}.status.conditions.0.reason`]: 'ResolvedFirst',
    },
    /has fired and resolved, and nobody was told/,
  ],
  ['an alert is gone', { 'seen.alerts': [], [`${rows}.alerts`]: [] }, /neither an Alert nor in history/],
  ['an alert is there twice', { 'seen.alerts.1': aWorld().seen.alerts[0] }, /is 2 Alerts/],
  ['a resolve was forgotten', { 'told.faults.0.state': 'Resolved' }, /was last answered as Resolved/],
  ['an episode was missed', { 'told.faults.0.startsAt': LATER }, /answered as begun at/],
  ['an alert has no answer', { [`${alert}.status.conditions`]: [] }, /has no answer/],
  ['its incident is not there', { [`${alert}.status.incidentRef.name`]: 'gone' }, /gone, which is not there/],
  [
    'a machine ended an incident that fires',
    {
      [`${incident}.spec.phase`]: 'Resolution',
      [`${incident}.status.phase`]: 'Resolution',
      [`${incident}.status.changes.1`]: { ...taken, to: 'Resolution', by: MACHINE },
    },
    /a machine has put to Resolution/,
  ],
  ['a group has two open incidents', { 'seen.incidents.1': otherIncident }, /has 2 open incidents/],
  ['a move is not answered', { [`${incident}.spec.phase`]: 'Mitigation' }, /asked for Mitigation/],
  ['a count is wrong', { [`${incident}.status.alerts.firing`]: 2 }, /counts 2/],
  [
    'a count forgets who is there',
    { [`${incident}.status.alerts`]: { firing: 1, resolved: 1, gone: 0 } },
    /and 1 resolved/,
  ],
  ['history lacks the last change', { [`${rows}.changes`]: [rowOf(born)] }, /change 2 is not in history/],
  ['history has other words', { [`${rows}.changes.1.to_value`]: 'Closed' }, /in history "Phase Detection>Closed/],
  ['a number is missing', { [`${rows}.changes.1.sequence`]: 3 }, /2 changes, the last is number 3/],
  [
    'a change is there twice',
    { [`${rows}.changes.2`]: { ...rowOf(taken), sequence: 3 }, [`${rows}.incidents.0.change_sequence`]: 3 },
    /follows Phase Response/,
  ],
  ['the act of a person is not on record', { [`${rows}.changes.1.by`]: MACHINE }, /history says "nothing"/],
  ['it is under another name', { [`${rows}.changes.1.by`]: 'bo' }, /history says "Phase Response bo/],
  ['it has another time', { [`${rows}.changes.1.at`]: AT }, /was made 2026-03-01T10:05/],
  ['nobody did what is on record', { 'told.acts': [] }, /act 1 of 0 was "nothing"/],
  [
    'what was deleted is held',
    { [`${incident}.metadata.deletionTimestamp`]: AT, [`${incident}.metadata.finalizers`]: ['x'] },
    /being deleted and held by x/,
  ],
  ['what was deleted lives', { 'told.deleted': ['i-1'] }, /was deleted and lives/],
  ['history lacks an alert', { [`${rows}.alerts`]: [] }, /alert prom-1 is not in history/],
  ['history has an old state', { [`${rows}.incidents.0.phase`]: 'Detection' }, /in history Detection/],
  ['history takes the living for dead', { [`${rows}.alerts.0.deleted_at`]: AT }, /lives, history says deleted/],
  [
    'history takes the dead for living',
    { [`${rows}.alerts.1`]: { uid: 'a-0', name: 'prom-0', fault: 'f0', state: 'Firing', deleted_at: null } },
    /is gone, history says it lives/,
  ],
];

describe('the oracle', () => {
  it('has nothing to say of a world that kept every promise', () => {
    const { told, seen } = aWorld();
    expect(violations(told, seen)).toEqual([]);
  });

  it('counts those that left apart', () => {
    const { told, seen } = aWorld();
    put({ seen }, `${incident}.status.alerts`, { firing: 1, resolved: 2, total: 3, gone: 2 });
    expect(violations(told, seen)).toEqual([]);
  });

  it('allows a second open incident of a group to a person who has put one that had ended back to work', () => {
    const { told, seen } = aWorld();
    const back = { ...taken, from: 'Closed', reason: 'not over' };
    put({ seen }, 'seen.incidents.1', { ...otherIncident, status: { ...otherIncident.status, changes: [born, back] } });
    const doubled = () => violations(told, seen).filter((one) => one.includes('open incidents'));
    expect(doubled()).toEqual([]);
    put({ seen }, 'seen.incidents.1.status.changes', [born, { ...back, by: MACHINE }]);
    expect(doubled()).toHaveLength(1);
  });

  it.each(stories)('finds that %s', (_what, broken, found) => {
    const world = aWorld();
    for (const [path, value] of Object.entries(broken)) put(world, path, value);
    expect(violations(world.told, world.seen).join('\n')).toMatch(found);
  });
});
