import type { AlertSpec } from '@funnelai/crds/generated/types';
import { describe, expect, it } from 'vitest';
import { anAlert } from '../testing/builders.ts';
import { alertItem } from './items.ts';

describe('the row of an alert', () => {
  const [first, newest] = ['2026-03-01T14:05:00Z', '2026-03-01T14:25:00Z'];
  const row = (spec: Partial<AlertSpec>) => alertItem(anAlert({ name: 'pd-1', spec }));

  it('says while it fires who acknowledged it upstream, and whether that counts here', () => {
    const word = { at: first, by: 'Icinga' };
    expect(row({ acknowledgedUpstream: word }).acknowledged).toEqual({ by: 'Icinga', isTrusted: false });
    const trusted = { ...word, trusted: { at: newest, by: 'bo' } };
    expect(row({ acknowledgedUpstream: trusted }).acknowledged).toEqual({ by: 'bo', isTrusted: true });
    // The newest trusted word came without a name: that of the first is not put to it.
    expect(row({ acknowledgedUpstream: { ...word, trusted: { at: newest } } }).acknowledged).toEqual({
      isTrusted: true,
    });
    expect(row({ state: 'Resolved', acknowledgedUpstream: trusted })).not.toHaveProperty('acknowledged');
    expect(row({})).not.toHaveProperty('acknowledged');
  });

  it('says when the API server refused its incident: it is not only recorded then', () => {
    const answered = (reason: string) => {
      const answer = { type: 'Correlated', status: 'False', reason, message: '', lastTransitionTime: first } as const;
      return alertItem(anAlert({ status: { conditions: [answer] } }));
    };
    expect(answered('Refused').isRefused).toBe(true);
    expect(answered('Recorded')).not.toHaveProperty('isRefused');
  });
});
