import { describe, expect, it } from 'vitest';
import { similarIncidents } from '../features/incidents/similar.ts';
import { findActs } from '../features/palette/find-acts.ts';
import { anIncidentItem } from '../testing/builders.ts';
import type { Act } from './acts.ts';
import { chooseNamespace } from './choose-namespace.ts';
import { safeReturn, signInPath } from './return-path.ts';

describe('the namespace shown', () => {
  const list = { namespaces: ['demo', 'payments'], all: false };
  it('is that of the URL, else the remembered one, else all, else the first', () => {
    expect(chooseNamespace('other', 'payments', list)).toBe('other');
    expect(chooseNamespace(null, 'payments', list)).toBe('payments');
    expect(chooseNamespace(null, 'gone', list)).toBe('demo');
    expect(chooseNamespace(null, '*', list)).toBe('demo');
    expect(chooseNamespace(null, null, { ...list, all: true })).toBe('*');
  });
});

describe('the way back after signing in', () => {
  it('is a path of ours and never another site', () => {
    expect(safeReturn('/incidents?tab=mine')).toBe('/incidents?tab=mine');
    for (const foreign of [
      '//evil.example',
      '/\\evil.example',
      '/\t/evil.example',
      '/\n\\evil.example',
      'https://evil.example',
      'javascript:alert(1)',
      '/sign-in',
      null,
    ]) {
      expect(safeReturn(foreign)).toBe('/incidents');
    }
    expect(safeReturn(new URLSearchParams(signInPath('/incidents/a/b?x=1').split('?')[1]).get('return'))).toBe(
      '/incidents/a/b?x=1',
    );
  });
});

describe('the palette', () => {
  const act = (id: string, part: Partial<Act> = {}): Act => ({
    id,
    title: id,
    section: 'Go to',
    run: () => {},
    ...part,
  });
  it('finds acts by all words, those that are possible first, and no mere keys', () => {
    const acts = [
      act('Alerts'),
      act('Close incident', { section: 'Act', disabled: 'no' }),
      act('Resolve incident', { section: 'Act' }),
      act('Next', { isKeyOnly: true }),
    ];
    expect(findActs(acts, '').map(({ id }) => id)).toEqual(['Resolve incident', 'Close incident', 'Alerts']);
    expect(findActs(acts, 'inc CLOSE').map(({ id }) => id)).toEqual(['Close incident']);
  });
});

describe('similar incidents', () => {
  const items = [
    anIncidentItem({ title: 'Checkout answers 5xx', name: 'a-b-c' }),
    anIncidentItem({ title: 'The disk of node-7 is full', name: 'd-e-f' }),
  ];
  it('share a word that means something', () => {
    expect(similarIncidents('checkout is slow', items).map(({ name }) => name)).toEqual(['a-b-c']);
    expect(similarIncidents('the', items)).toEqual([]);
    expect(similarIncidents('nod', items)).toEqual([]);
    expect(similarIncidents('check', items)).toHaveLength(1);
  });
});
