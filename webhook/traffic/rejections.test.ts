import type { Rejection } from '@funnelai/domain/wire-sources';
import { describe, expect, it } from 'vitest';
import { REJECTIONS_BY_STRANGERS, REJECTIONS_PER_SOURCE } from '../limits.ts';
import { keep, mergeRejections } from './rejections.ts';

const refused = (message: string, second: number, o: Partial<Rejection> = {}): Rejection => ({
  firstAt: `2026-03-01T10:00:${String(second).padStart(2, '0')}Z`,
  lastAt: `2026-03-01T10:00:${String(second).padStart(2, '0')}Z`,
  count: 1,
  reason: 'Invalid',
  status: 400,
  message,
  isKnown: true,
  path: '',
  ...o,
});

describe('what was refused', () => {
  it('is listed once for each message, with how often, the newest body first', () => {
    const merged = mergeRejections([
      refused('no alerts', 5, { body: 'newer', count: 2 }),
      refused('bad token', 7, { reason: 'Unauthenticated' }),
      refused('no alerts', 1, { body: 'older' }),
    ]);
    expect(merged).toMatchObject([
      { message: 'bad token', count: 1 },
      {
        message: 'no alerts',
        count: 3,
        firstAt: '2026-03-01T10:00:01Z',
        lastAt: '2026-03-01T10:00:05Z',
        body: 'newer',
      },
    ]);
  });

  it('by strangers never pushes out what the sender itself got wrong', () => {
    const own = Array.from({ length: 20 }, (_, i) => refused(`own ${i}`, i));
    const noise = Array.from({ length: 30 }, (_, i) => refused(`noise ${i}`, 20 + i, { isKnown: false }));
    const kept = keep([...own, ...noise]);
    expect(kept.filter((one) => one.isKnown)).toHaveLength(REJECTIONS_PER_SOURCE);
    expect(kept.filter((one) => !one.isKnown)).toHaveLength(REJECTIONS_BY_STRANGERS);
    expect(kept[0]?.message).toBe('noise 29');
    expect(kept.find((one) => one.isKnown)?.message).toBe('own 19');
  });
});
