import { expect, it } from 'vitest';
import { anAlertSource } from '../testing/builders.ts';
import { authenticate, type EntranceDeps } from './entrance.ts';
import type { AuthOutcome } from './source-auth.ts';

it('a report that is turned away unread, as its Secret cannot be read, lets no lease run out; one that has no right to come does', async () => {
  const ask = async (outcome: AuthOutcome) => {
    let missed = 0;
    const deps = {
      auth: { check: async () => outcome },
      leases: { seen: () => {}, heard: () => {}, missed: () => (missed += 1) },
    } as unknown as EntranceDeps;
    const way = { kind: 'Bearer', secret: 'prom-token', keys: ['token'] } as const;
    const answer = await authenticate(deps, anAlertSource(), way, { text: 'x' }).then(
      () => 'ok',
      (error: { code: string }) => error.code,
    );
    return [answer, missed];
  };
  expect(await ask('ok')).toEqual(['ok', 0]);
  expect(await ask('unavailable')).toEqual(['Unavailable', 1]);
  expect(await ask('wrong')).toEqual(['Unauthenticated', 0]);
  expect(await ask('notConfigured')).toEqual(['Unavailable', 0]);
});
