import { PHASES } from '@funnelai/domain/lifecycle';
import { describe, expect, it } from 'vitest';
import { anIncidentItem } from '../../testing/builders.ts';
import {
  appliesTo,
  mayAcknowledge,
  mayAssign,
  mayMergeInto,
  mayMove,
  permitted,
  sentenceOf,
  targetsOf,
} from './applies.ts';

const triggered = anIncidentItem({ name: 'a' });
const responding = anIncidentItem({ name: 'b', phase: 'Response', owner: 'bo' });
const closed = anIncidentItem({ name: 'c', phase: 'Closed' });
const elsewhere = anIncidentItem({ name: 'd', namespace: 'payments' });

describe('an act on chosen incidents', () => {
  it('says to how many it applies and why not to the others', () => {
    const found = appliesTo([triggered, responding, closed], mayAcknowledge);
    expect(found.to).toEqual([triggered]);
    expect(sentenceOf(found)).toBe('Applies to 1 of 3. Not to 2: acknowledged already.');
    expect(sentenceOf(appliesTo([triggered, elsewhere], mayAcknowledge))).toBe('Applies to all 2.');
  });

  it('does not apply where the person has no right', () => {
    const refusal = (namespace: string) => (namespace === 'payments' ? 'Kubernetes does not let you' : undefined);
    const found = appliesTo([triggered, elsewhere], permitted(refusal, mayAcknowledge));
    expect(found).toEqual({ to: [triggered], not: [{ reason: 'Kubernetes does not let you', count: 1 }] });
  });

  it('moves only what may go there', () => {
    expect(sentenceOf(appliesTo([triggered, responding], mayMove('Mitigation')))).toBe(
      'Applies to 1 of 2. Not to 1: from Triggered it can only go to Responding or Resolved.',
    );
    expect(targetsOf([triggered], PHASES)).toEqual(['Response', 'Resolution']);
    expect(targetsOf([closed], PHASES)).toEqual(['Response']);
  });

  it('assigns to all but those who have that owner', () => {
    expect(appliesTo([triggered, responding], mayAssign('bo')).not).toEqual([
      { reason: 'bo owns it already', count: 1 },
    ]);
    expect(appliesTo([triggered, responding], mayAssign('')).to).toEqual([responding]);
  });

  it('merges into one of the same namespace, never that one itself or what is closed', () => {
    const found = appliesTo([triggered, responding, closed, elsewhere], mayMergeInto(triggered));
    expect(found.to).toEqual([responding]);
    expect(found.not.map(({ reason }) => reason)).toEqual([
      'it takes over',
      'it is closed already',
      'it is not in namespace demo',
    ]);
  });
});
