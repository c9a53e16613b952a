import { expect, it } from 'vitest';
import { conditionOf } from './condition.ts';

const well = {
  missing: [],
  failing: [],
  renewedAtMs: undefined,
  stoppingSinceMs: undefined,
  leaseTrouble: undefined,
  takesHistory: undefined,
};

it('is well on standby, and as a leader that renews', () => {
  expect(conditionOf(well, 1_000_000)).toEqual({});
  expect(conditionOf({ ...well, renewedAtMs: 990_000 }, 1_000_000)).toEqual({});
});

it('asks for a restart when it leads without a renewal, or cannot end a term', () => {
  expect(conditionOf({ ...well, renewedAtMs: 979_000 }, 1_000_000).stuck).toMatch(/not renewed for 21 s/);
  expect(conditionOf({ ...well, stoppingSinceMs: 900_000 }, 1_000_000).stuck).toMatch(/do not end, for 100 s/);
  expect(conditionOf({ ...well, stoppingSinceMs: 950_000 }, 1_000_000)).toEqual({});
});

it('names what it waits for, and what is not up to date, and asks for no restart: none would help', () => {
  expect(conditionOf({ ...well, missing: ['alerts', 'incidents (failing for 3 s: 403)'] }, 0)).toEqual({
    waitsFor: 'the first complete list of alerts, incidents (failing for 3 s: 403)',
  });
  expect(conditionOf({ ...well, failing: ['alerts (failing for 3 s: 403)'] }, 0)).toEqual({
    degraded: 'not up to date: alerts (failing for 3 s: 403)',
  });
});

it('says that nobody can lead by it, once that has lasted, and that history waits', () => {
  const leaseTrouble = { sinceMs: 90_000, message: '403 Forbidden' };
  expect(conditionOf({ ...well, leaseTrouble }, 94_000)).toEqual({});
  expect(conditionOf({ ...well, leaseTrouble }, 102_000)).toEqual({
    degraded: 'the Lease cannot be had for 12 s: 403 Forbidden',
  });
  expect(conditionOf({ ...well, takesHistory: true }, 0)).toEqual({});
  expect(conditionOf({ ...well, failing: ['alerts'], takesHistory: false }, 0)).toEqual({
    degraded: 'not up to date: alerts; Postgres takes no writes, history waits',
  });
});
