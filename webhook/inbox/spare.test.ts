import type { IntakeSpare } from '@funnelai/domain/wire';
import type { InboxDepth } from '@funnelai/history/inbox';
import { FakeClock } from '@funnelai/kube/test-clock';
import { expect, it } from 'vitest';
import { createSpare } from './spare.ts';

it('people are told when alerts begin to take the long way, how it stands, and when that is over', async () => {
  const clock = new FakeClock('2026-01-01T12:00:00Z');
  let isAway = false;
  let takes = true;
  let depth: InboxDepth | undefined;
  let look = () => {};
  const spare = createSpare({
    api: {
      isAway: () => isAway,
      subscribe: (fn) => {
        look = fn;
        return () => {};
      },
    },
    inbox: { depth: () => depth, takes: () => takes, subscribe: () => () => {} },
    clock,
  });
  const told: (IntakeSpare | undefined)[] = [];
  spare.subscribe((now) => told.push(now));
  look();
  depth = { rows: 3, oldestAgeMs: 1_000, setAside: 0 };
  look();
  expect([told, spare.now()]).toEqual([[], undefined]);

  isAway = true;
  look();
  for (let n = 0; n < 12; n += 1) {
    await clock.advance(1_000);
    depth = { rows: 10 + n, oldestAgeMs: 1_000 * n, setAside: 0 };
    look();
  }
  takes = false;
  await clock.advance(1_000);
  look();
  takes = true;
  await clock.advance(1_000);
  look();
  isAway = false;
  look();
  depth = { rows: 0, oldestAgeMs: 0, setAside: 0 };
  look();
  const since = '2026-01-01T12:00:00Z';
  expect(told).toEqual([
    { why: 'apiServerAway', waiting: 3, since },
    { why: 'apiServerAway', waiting: 14, since },
    { why: 'apiServerAway', waiting: 19, since },
    { why: 'bothAway', waiting: 21, since: '2026-01-01T12:00:13Z' },
    { why: 'apiServerAway', waiting: 21, since: '2026-01-01T12:00:14Z' },
    { why: 'late', waiting: 21, since: '2026-01-01T12:00:14Z' },
    undefined,
  ]);
});
