import { describe, expect, it } from 'vitest';
import { spareWords } from './spare-words.ts';

const sentence = (spare: Parameters<typeof spareWords>[0]) => {
  const { before, after } = spareWords(spare);
  return `${before} since 12:00:00${after}`;
};
const since = '2026-01-01T12:00:00Z';

describe('while alerts come in by the inbox', () => {
  it('people are told why, how many wait, and that none is lost', () => {
    expect(sentence({ why: 'apiServerAway', waiting: 0, since })).toBe(
      'New alerts are not shown: the API server has not taken any since 12:00:00. They are kept in Postgres and none is lost; none waits yet.',
    );
    expect(sentence({ why: 'apiServerAway', waiting: 1, since })).toContain('; 1 alert waits there.');
    expect(sentence({ why: 'late', waiting: 30_412, since })).toBe(
      'Some new alerts are late: they have been kept in Postgres since 12:00:00 until the API server has taken them. None is lost; 30,412 alerts wait there.',
    );
  });
});
