import { expect, it } from 'vitest';
import { INBOX_FAULTS_REMEMBERED } from '../limits.ts';
import { createWaiting } from './waiting.ts';

it('a fault is known to wait from when it is put until a look that began later does not find it', () => {
  const waiting = createWaiting();
  waiting.add('before');
  const look = waiting.mark();
  waiting.add('meanwhile');
  expect(['before', 'meanwhile', 'other'].map(waiting.has)).toEqual([true, true, false]);
  look.replace(['other']);
  expect(['before', 'meanwhile', 'other'].map(waiting.has)).toEqual([false, true, true]);
  waiting.mark().replace([]);
  expect(['before', 'meanwhile', 'other'].map(waiting.has)).toEqual([false, false, false]);
});

it('what is known stays known while there is too much to look at, up to a bound', () => {
  const waiting = createWaiting();
  for (let n = 0; n <= INBOX_FAULTS_REMEMBERED; n += 1) waiting.add(String(n));
  waiting.mark().replace(undefined);
  expect([waiting.has('0'), waiting.has(String(INBOX_FAULTS_REMEMBERED))]).toEqual([true, false]);
});
