import { describe, expect, it } from 'vitest';
import { acknowledgedInShort, acknowledgedWords } from './acknowledged-words.ts';

const [at, later] = ['2026-03-01T14:05:00.000000Z', '2026-03-01T14:25:00.000000Z'];

describe('an acknowledgement in the system that sent an alert', () => {
  it('is said to change nothing, unless its source is trusted in that', () => {
    expect(acknowledgedWords({ at, by: 'Icinga' })).toEqual({
      who: ', by Icinga',
      meaning: 'that changes nothing here',
    });
    expect(acknowledgedWords({ at })).toMatchObject({ who: '' });
    const trusted = acknowledgedWords({ at, by: 'Icinga', trusted: { at, by: 'Icinga' } });
    // Not that it has moved: another alert of it may lack its own.
    expect(trusted.meaning).toContain('acknowledged once all of its alerts that fire are');
    expect(trusted).not.toHaveProperty('again');
  });

  it('is told beside the other alerts of an incident, with what it is worth', () => {
    expect(acknowledgedInShort({ by: 'Icinga', isTrusted: true })).toBe(
      'Acknowledged in the system that sent it, by Icinga',
    );
    expect(acknowledgedInShort({ isTrusted: false })).toBe(
      'Acknowledged in the system that sent it, which changes nothing here',
    );
  });

  it('names the newest that is trusted beside the first', () => {
    expect(acknowledgedWords({ at, by: 'Icinga', trusted: { at: later, by: 'bo' } })).toMatchObject({
      who: ', by Icinga',
      again: { at: later, who: ', by bo' },
    });
  });
});
