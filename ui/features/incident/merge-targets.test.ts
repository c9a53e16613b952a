import { expect, it } from 'vitest';
import { anIncidentItem } from '../../testing/builders.ts';
import { fitting, MOST_LISTED } from './merge-targets.ts';

const items = [
  anIncidentItem({ name: 'amber-fox', title: 'Disk of node-7 is full', owner: 'ana', rule: 'disks' }),
  anIncidentItem({ name: 'calm-otter', title: 'Checkout is slow', namespace: 'shop' }),
];
const names = (typed: string) => fitting(items, typed).map(({ name }) => name);

it('an incident that takes over is found by all words, in any order, as the list finds it', () => {
  expect(names('full DISK')).toEqual(['amber-fox']);
  expect(names('shop/calm')).toEqual(['calm-otter']);
  expect(names('ana disks')).toEqual(['amber-fox']);
  expect(names('disk checkout')).toEqual([]);
  expect(names('  ')).toEqual(['amber-fox', 'calm-otter']);
});

it('no more are listed than a person can look through', () => {
  const many = Array.from({ length: 300 }, () => anIncidentItem());
  expect(fitting(many, '')).toHaveLength(MOST_LISTED);
});
