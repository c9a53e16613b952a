import type { AlertSpec } from '@funnelai/crds/generated/types';
import { describe, expect, it } from 'vitest';
import { createKeyedLock } from '../intake/keyed-lock.ts';
import { anAlert } from '../testing/builders.ts';
import { FakeAlerts } from '../testing/fake-alerts.ts';
import { createExpiryWrites } from './writes.ts';

const AT = '2026-01-01T12:10:00.000000Z';
const HEARD = { lastSeen: '2026-01-01T12:05:00.000000Z', leaseUntil: '2026-01-01T12:09:00.000000Z' };

function stage(spec: Partial<AlertSpec> = {}) {
  const server = new FakeAlerts();
  const writes = createExpiryWrites({ client: server.client, alerts: server.cache, lock: createKeyedLock() });
  server.put(anAlert({ name: 'a', spec }));
  const held = () => server.stored.get('a') ?? expect.fail('it is gone');
  const become = (o: Partial<AlertSpec>) => server.put({ ...held(), spec: { ...held().spec, ...o } });
  return { server, writes, held, become };
}

describe('an alert that nobody repeated', () => {
  it('is marked, keeps when it was heard of last, and loses both when it was heard of after all', async () => {
    const { writes, held } = stage();
    expect(await writes.expire(held(), 'LeaseRanOut', AT, HEARD)).toBe(true);
    const expired = { at: AT, reason: 'LeaseRanOut' };
    expect(held().spec).toMatchObject({
      state: 'Expired',
      expired,
      receivedAt: HEARD.lastSeen,
      leaseUntil: HEARD.leaseUntil,
    });
    expect(await writes.bringBack(held(), { lastSeen: AT })).toBe(true);
    expect(held().spec).toMatchObject({ state: 'Firing', receivedAt: AT });
    expect(held().spec).not.toHaveProperty('expired');
    expect(held().spec).not.toHaveProperty('leaseUntil');
  });

  it('stays what a report or a person made of it a moment before', async () => {
    const { server, writes, held, become } = stage();
    server.beforeWrite = () => {
      server.beforeWrite = undefined;
      become({ state: 'Resolved' });
    };
    expect(await writes.expire(held(), 'LeaseRanOut', AT, HEARD)).toBe(false);
    expect(held().spec.state).toBe('Resolved');
  });

  it('is brought back by nobody once it was resolved, nor made anew once it is gone', async () => {
    const { server, writes, held, become } = stage({ state: 'Expired', expired: { at: AT, reason: 'LeaseRanOut' } });
    const seen = held();
    become({ state: 'Resolved' });
    expect(await writes.bringBack(seen, HEARD)).toBe(false);
    expect(held().spec.state).toBe('Resolved');
    server.stored.clear();
    expect(await writes.bringBack(seen, HEARD)).toBe(false);
    expect(server.stored.size).toBe(0);
  });
});
