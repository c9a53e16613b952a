import type { Alert } from '@funnelai/crds/generated/types';
import { describe, expect, it } from 'vitest';
import { anAlert } from '../testing/builders.ts';
import { createDepartureBook } from './departures.ts';

const inside = (incident: string, state: Alert['spec']['state'] = 'Firing') =>
  anAlert({ state, status: { incidentRef: { name: incident } } });

describe('departures', () => {
  it('count who leaves the cluster, by how it stood then, and who moves to another incident', () => {
    const book = createDepartureBook();
    book.note(inside('a', 'Resolved'), undefined, true);
    book.note(inside('a'), undefined, true);
    book.note(inside('a', 'Expired'), undefined, true);
    book.note(inside('b'), inside('a'), false);
    expect(book.of('team/a')).toEqual({ resolved: 1, expired: 1, others: 2, moved: 0, forgotten: 0 });
    expect(book.of('team/b')).toEqual({ resolved: 0, expired: 0, others: 0, moved: 0, forgotten: 0 });
  });

  it('count who goes elsewhere with its next episode as resolved: the one that was here had ended', () => {
    const book = createDepartureBook();
    const answered = (incident: string | undefined, episodeStartedAt: string) =>
      anAlert({ status: { ...(incident && { incidentRef: { name: incident } }), episodeStartedAt } });
    const [first, next] = ['2026-03-01T14:00:00Z', '2026-03-01T14:05:00Z'];
    book.note(answered('b', next), answered('a', first), false);
    book.note(answered(undefined, next), answered('a', first), false);
    // By a merge the same episode moves, and may fire on.
    book.note(answered('b', first), answered('a', first), false);
    expect(book.of('team/a')).toEqual({ resolved: 2, expired: 0, others: 1, moved: 0, forgotten: 0 });
  });

  it('tell who is known to be elsewhere, and forget it there once it is gone or has been in too many', () => {
    const book = createDepartureBook();
    const moved = (incident: string, ...formerIncidents: string[]) =>
      anAlert({ status: { incidentRef: { name: incident }, formerIncidents } });
    book.note(moved('b', 'a'), inside('a'), false);
    expect(book.of('team/a')).toMatchObject({ others: 0, moved: 1, forgotten: 0 });
    // Back again it is forgotten nowhere.
    book.note(moved('a', 'b'), moved('b', 'a'), false);
    expect(book.of('team/a')).toMatchObject({ moved: 1, forgotten: 0 });
    expect(book.note(moved('c', 'b'), moved('c', 'a', 'b'), false)).toEqual(['team/a']);
    expect(book.of('team/a')).toMatchObject({ forgotten: 1 });
    expect(book.note(moved('c', 'b'), undefined, true)).toEqual(['team/b', 'team/c']);
    expect(book.of('team/b')).toMatchObject({ moved: 1, forgotten: 1 });
  });

  it('count nobody who stays, joins, or never was in one', () => {
    const book = createDepartureBook();
    expect(book.note(inside('a', 'Resolved'), inside('a'), false)).toEqual([]);
    book.note(inside('a'), anAlert(), false);
    book.note(anAlert(), undefined, true);
    expect(book.of('team/a')).toEqual({ resolved: 0, expired: 0, others: 0, moved: 0, forgotten: 0 });
  });

  it('that came while a count was written stay for the next', () => {
    const book = createDepartureBook();
    book.note(inside('a', 'Resolved'), undefined, true);
    const counted = book.of('team/a');
    book.note(inside('a', 'Resolved'), undefined, true);
    book.written('team/a', counted);
    expect(book.of('team/a')).toEqual({ resolved: 1, expired: 0, others: 0, moved: 0, forgotten: 0 });
    book.forget('team/a');
    expect(book.of('team/a')).toEqual({ resolved: 0, expired: 0, others: 0, moved: 0, forgotten: 0 });
  });
});
