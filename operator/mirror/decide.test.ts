import type { Incident } from '@funnelai/crds/generated/types';
import { CHANGES_ANNOTATION, HISTORY_FINALIZER } from '@funnelai/crds/meta';
import { describe, expect, it } from 'vitest';
import { anIncident, START } from '../testing/builders.ts';
import { decideRelease } from './decide.ts';

const LOG = `2;phase|Detection|ana|${START}|;severity|High|ana|${START}|`;

function dying(o: { finalizers?: string[]; log?: string; status?: Incident['status'] } = {}): Incident {
  return anIncident({
    metadata: {
      deletionTimestamp: START,
      finalizers: o.finalizers ?? ['other.io/guard', HISTORY_FINALIZER],
      annotations: { [CHANGES_ANNOTATION]: o.log ?? LOG },
    },
    status: o.status ?? { observedGeneration: 1, phase: 'Detection', changeSequence: 2, logSequence: 2 },
  });
}
const mirrored = { mirroredSequence: 2, resourceVersion: '7' };

describe('letting a deleted incident go', () => {
  it('takes off our finalizer alone, where it stands, of the version that was mirrored', () => {
    expect(decideRelease(dying(), mirrored)).toEqual({
      kind: 'release',
      ops: [
        { op: 'test', path: '/metadata/uid', value: 'uid-checkout-amber-falcon' },
        { op: 'test', path: '/metadata/resourceVersion', value: '7' },
        { op: 'test', path: '/metadata/finalizers/1', value: HISTORY_FINALIZER },
        { op: 'remove', path: '/metadata/finalizers/1' },
      ],
    });
  });

  it.each([
    ['nothing is known of the mirror', dying(), undefined],
    ['the mirror has an older version', dying(), { mirroredSequence: 2, resourceVersion: '6' }],
    ['the mirror lacks a change', dying(), { mirroredSequence: 1, resourceVersion: '7' }],
    ['an entry of the admission log is not numbered', dying({ log: LOG.replace('2;', '3;') }), mirrored],
    ['its birth is not recorded', dying({ status: { observedGeneration: -1 } }), mirrored],
    [
      'a move is not recorded, without an admission log',
      dying({ log: 'none', status: { observedGeneration: 1, phase: 'Response', changeSequence: 2 } }),
      mirrored,
    ],
  ])('holds while %s', (_why, incident, facts) => {
    expect(decideRelease(incident, facts)).toMatchObject({ kind: 'hold' });
  });

  it('has nothing to do with what lives, or is held by others', () => {
    expect(decideRelease(anIncident(), mirrored)).toEqual({ kind: 'nothing' });
    expect(decideRelease(dying({ finalizers: ['other.io/guard'] }), mirrored)).toEqual({ kind: 'nothing' });
  });
});
