import { CHANGES_ANNOTATION } from '@funnelai/crds/meta';
import type { FieldEdit } from '@funnelai/domain/wire';
import { describe, expect, it } from 'vitest';
import { anIncident } from '../testing/builders.ts';
import { conflictOn, firstStale, incidentEditSchema, isDone, patchOf } from './edit.ts';
import { body } from './routes.ts';

describe('an edit', () => {
  it.each([
    [{ field: 'title', from: null, to: {} }, 'edits.0.to: found an object, expected text or null'],
    [{ field: 'title', from: 'x' }, 'edits.0.to: found nothing, expected text or null'],
    [{ field: 'resolution', from: null, to: 'Fixed' }, 'edits.0.to: found "Fixed", expected {reason, cause} with text'],
    [{ field: 'resolution', from: 7, to: null }, 'edits.0.from: found the number 7, expected {reason, cause}'],
    [{ field: 'status', from: null, to: 'x' }, 'edits.0.field: expected one of phase, owner, '],
    [{ field: '__proto__', from: null, to: 'x' }, 'edits.0.field: expected one of phase, owner, '],
  ])('whose value is not of the field’s type is refused before anyone is asked: %j', (edit, words) => {
    expect(() => body(incidentEditSchema, { edits: [edit] })).toThrow(words);
  });

  it('tests what the person saw and writes owner and phase in one patch', () => {
    const incident = anIncident({ metadata: { uid: 'u' } });
    const edits = [
      { field: 'phase', from: 'Detection', to: 'Response' },
      { field: 'owner', from: null, to: 'ana' },
    ] as const;
    expect(patchOf(incident, { edits: [...edits], reason: ' on it ' })).toEqual([
      { op: 'test', path: '/metadata/uid', value: 'u' },
      { op: 'test', path: '/spec/phase', value: 'Detection' },
      { op: 'test', path: '/spec/owner', value: null },
      { op: 'add', path: '/spec/phase', value: 'Response' },
      { op: 'add', path: '/spec/owner', value: { name: 'ana' } },
      { op: 'add', path: '/spec/phaseReason', value: 'on it' },
    ]);
  });

  it('takes an earlier move’s reason away: it would be logged for this one', () => {
    const incident = anIncident({ spec: { phase: 'Response', phaseReason: 'old' } });
    const patch = patchOf(incident, { edits: [{ field: 'phase', from: 'Response', to: 'Mitigation' }] });
    expect(patch).toContainEqual({ op: 'remove', path: '/spec/phaseReason' });
  });

  it('leaves the reason alone when the phase stays', () => {
    const incident = anIncident({ spec: { phaseReason: 'old' } });
    const patch = patchOf(incident, { edits: [{ field: 'title', from: incident.spec.title, to: 'New' }] });
    expect(patch.map((op) => op.path)).not.toContain('/spec/phaseReason');
  });

  it('takes a merged incident out of the other when it is reopened', () => {
    const incident = anIncident({ spec: { phase: 'Closed', mergedInto: { name: 'other' } } });
    expect(patchOf(incident, { edits: [{ field: 'phase', from: 'Closed', to: 'Response' }] })).toContainEqual({
      op: 'remove',
      path: '/spec/mergedInto',
    });
  });

  it('is stale when the field is not what was seen, even if it is what was wanted', () => {
    const incident = anIncident({ spec: { phase: 'Response', resolution: { cause: 'dns', reason: 'Fixed' } } });
    const edit = { field: 'phase', from: 'Detection', to: 'Response' } as const;
    expect(firstStale(incident, [edit])).toBe(edit);
    expect(isDone(incident, [edit])).toBe(true);
    expect(
      firstStale(incident, [{ field: 'resolution', from: { reason: 'Fixed', cause: 'dns' }, to: null }]),
    ).toBeUndefined();
  });
});

describe('an edit of the links', () => {
  const stands = [{ title: 'Board', url: 'https://grafana.example/d/1', kind: 'Other' as const }];
  const incident = anIncident({ spec: { links: stands } });
  const mine = { title: 'Ticket', url: 'https://jira.example/1', kind: 'Ticket' as const };

  it('holds against the links that stand there, kinds filled in by the API server', () => {
    const seen = [{ title: 'Board', url: 'https://grafana.example/d/1' }];
    const edit: FieldEdit = { field: 'links', from: seen, to: [...seen, mine] };
    expect(firstStale(incident, [edit])).toBeUndefined();
    expect(patchOf(incident, { edits: [edit] })).toEqual([
      { op: 'test', path: '/metadata/uid', value: incident.metadata.uid },
      { op: 'test', path: '/spec/links', value: stands },
      { op: 'add', path: '/spec/links', value: [...seen, mine] },
    ]);
  });

  it('is stale when someone else changed them, and says both lists', () => {
    const edit: FieldEdit = { field: 'links', from: null, to: [mine] };
    expect(firstStale(incident, [edit])).toBeDefined();
    expect(conflictOn(incident, edit)).toMatchObject({
      theirs: 'Board: https://grafana.example/d/1',
      yours: 'Ticket: https://jira.example/1',
    });
  });

  it('finds an empty list where there is none', () => {
    expect(firstStale(anIncident(), [{ field: 'links', from: [], to: [mine] }])).toBeUndefined();
  });
});

describe('a conflict', () => {
  it('names who and when from the admission log', () => {
    const log =
      '3;phase|Detection|system|2026-01-01T12:00:00Z|;phase|Response|ana|2026-01-01T12:01:00Z|;owner|ana|ana|2026-01-01T12:02:00Z|';
    const incident = anIncident({
      metadata: { annotations: { [CHANGES_ANNOTATION]: log } },
      spec: { phase: 'Response' },
    });
    expect(conflictOn(incident, { field: 'phase', from: 'Detection', to: 'Resolution' })).toEqual({
      field: 'phase',
      by: 'ana',
      at: '2026-01-01T12:01:00Z',
      yours: 'Resolution',
      theirs: 'Response',
    });
  });

  it('without the log goes by the recorded changes, and for other fields by who manages them', () => {
    const managedFields = [
      { manager: 'bo', time: '2026-01-01T12:05:00Z', operation: 'Update', fieldsV1: { 'f:spec': { 'f:title': {} } } },
      {
        manager: 'funnelai-operator',
        time: '2026-01-01T12:09:00Z',
        subresource: 'status',
        fieldsV1: { 'f:spec': { 'f:title': {} } },
      },
    ];
    const incident = anIncident({
      metadata: { managedFields },
      status: {
        observedGeneration: 1,
        changes: [
          {
            sequence: 1,
            kind: 'Owner',
            to: 'bo',
            at: '2026-01-01T12:03:00Z',
            recordedAt: '2026-01-01T12:03:00Z',
            by: 'kubectl',
          },
        ],
      },
    });
    expect(conflictOn(incident, { field: 'owner', from: 'x', to: 'y' })).toMatchObject({
      by: 'kubectl',
      at: '2026-01-01T12:03:00Z',
    });
    expect(conflictOn(incident, { field: 'title', from: 'x', to: 'y' })).toMatchObject({
      by: 'bo',
      at: '2026-01-01T12:05:00Z',
      yours: 'y',
      theirs: 'Checkout answers 5xx',
    });
  });
});
