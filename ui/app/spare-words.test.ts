import { describe, expect, it } from 'vitest';
import { spareWords } from './spare-words.ts';

const sentence = (spare: Parameters<typeof spareWords>[0]) => {
  const { what, stillTrue, waiting } = spareWords(spare);
  return `${what} since 12:00:00${stillTrue} ${waiting}`;
};
const since = '2026-01-01T12:00:00Z';

describe('while alerts come in by the inbox', () => {
  it('people are told why, that none is lost, what it means for them, and how many wait', () => {
    expect(sentence({ why: 'apiServerAway', waiting: 0, since })).toBe(
      'New alerts have not been shown here since 12:00:00: the Kubernetes API server takes none. None is lost: they wait in Postgres and follow by themselves, but open no incident until then. None waits yet.',
    );
    expect(sentence({ why: 'apiServerAway', waiting: 1, since })).toMatch(/ 1 waits now\.$/);
    expect(sentence({ why: 'late', waiting: 30_412, since })).toBe(
      'Some new alerts have come late since 12:00:00. None is lost: they wait in Postgres and follow by themselves, but open no incident until then. 30,412 wait now.',
    );
  });

  it('people are told to look elsewhere while the inbox takes none either, and are not told that none is lost', () => {
    const both = sentence({ why: 'bothAway', waiting: 12, since });
    expect(both).toContain('Senders are told to keep what they have');
    expect(both).toMatch(/look there for what is new\. 12 wait in Postgres from before\.$/);
    expect(both).not.toContain('None is lost');
  });
});

describe('while the history database cannot be reached', () => {
  it('people are told what works and what does not', () => {
    expect(sentence({ why: 'databaseAway', waiting: 0, since })).toBe(
      'The history database has not been reached since 12:00:00: alerts still come in, and incidents open, move and close; earlier ones cannot be shown, nothing expires, and a source at its bound takes no new alerts. ',
    );
    expect(spareWords({ why: 'databaseAway', waiting: 0, since }).look).toBeUndefined();
    expect(sentence({ why: 'databaseAway', waiting: 3, since })).toMatch(/ 3 wait in it from before\.$/);
  });

  it('people are told who brings it up to date where it is of an older version, and what works until then', () => {
    expect(sentence({ why: 'databaseOld', waiting: 0, since })).toBe(
      'The history database has lacked tables of this version since 12:00:00: the operator of this version makes them when it starts. Until then alerts still come in, and incidents open, move and close; part of history cannot be shown, and new alerts of a source at its bound wait there. ',
    );
  });

  it('people are told how many wait there, and where to look', () => {
    const spare = { why: 'databaseOld', waiting: 7, since } as const;
    expect([sentence(spare).endsWith('wait there. 7 wait now.'), spareWords(spare).look]).toEqual([true, 'waiting']);
  });

  it('people are told at once that alerts are turned away, which, and where to look', () => {
    const refusing = { why: 'databaseAway', waiting: 0, since, isRefusing: true } as const;
    expect(sentence(refusing)).toContain('12:00:00: some new alerts are turned away, as their source is at its bound.');
    expect(sentence(refusing)).toContain('until then look there for what is new');
    const full = sentence({ why: 'full', waiting: 0, since });
    expect(full).toMatch(/^Some alerts have been turned away since .* no database keeps what is beyond it\./);
    const old = { why: 'databaseOld', waiting: 0, since, isRefusing: true } as const;
    expect(sentence(old)).toMatch(/turned away, as their source is at its bound.* the operator of this version/);
    for (const spare of [refusing, old, { why: 'full', waiting: 0, since } as const])
      expect(spareWords(spare).look).toBe('refused');
  });
});
