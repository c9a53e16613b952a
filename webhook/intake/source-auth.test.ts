import type { KubeClient } from '@funnelai/kube/client';
import { KubeError } from '@funnelai/kube/errors';
import { silentLog } from '@funnelai/kube/log';
import { FakeClock } from '@funnelai/kube/test-clock';
import { describe, expect, it } from 'vitest';
import {
  SECRET_AHEAD_MS,
  SECRET_BELIEVED_MS,
  SECRET_READ_MS,
  SECRET_REST_MS,
  SECRET_TTL_MS,
  SECRET_WAIT_MS,
  SECRETS_AHEAD_RETRY_MS,
  SECRETS_AHEAD_ROUND_MS,
} from '../limits.ts';
import { anAlertSource } from '../testing/builders.ts';
import { createSecretsAhead } from './secrets-ahead.ts';
import { createSourceAuth } from './source-auth.ts';

/** A source whose Secret is read from an API server that a test takes away. */
function aSource() {
  const clock = new FakeClock();
  const server = { token: 'right', isAway: false, isForbidden: false, isMute: false, reads: 0 };
  const get = async () => {
    server.reads += 1;
    if (server.isMute) await clock.sleep(SECRET_READ_MS);
    const no = (status: number, transient: boolean) =>
      new KubeError({ status, reason: 'Fault', message: 'no', transient, perhapsStored: false });
    if (server.isAway || server.isMute) throw no(0, true);
    if (server.isForbidden) throw no(403, false);
    return { data: { token: Buffer.from(server.token).toString('base64') } };
  };
  const auth = createSourceAuth({ client: { get } as unknown as KubeClient, clock, log: silentLog() });
  const source = anAlertSource({ spec: { auth: { bearer: { secretRef: { name: 'prom-token', key: 'token' } } } } });
  const way = { kind: 'Bearer', secret: 'prom-token', keys: ['token'] } as const;
  const ahead = createSecretsAhead({
    sources: { list: () => [source].values(), synced: true, fresh: () => !server.isAway && !server.isMute },
    auth,
    clock,
  });
  return { clock, server, ahead, check: (token: string) => auth.check(source, way, { text: token }) };
}

describe('with the API server away', () => {
  it('the tokens that were read last are believed for an hour, and asked for now and then alone', async () => {
    const { clock, server, check } = aSource();
    expect(await check('right')).toBe('ok');
    server.isAway = true;
    await clock.advance(SECRET_TTL_MS);
    for (let n = 0; n < 5; n += 1) expect(await check('right')).toBe('ok');
    expect(server.reads).toBe(2);
    await clock.advance(SECRET_REST_MS);
    expect(await check('right')).toBe('ok');
    expect(server.reads).toBe(3);
    await clock.advance(SECRET_BELIEVED_MS - SECRET_TTL_MS - SECRET_REST_MS);
    expect(await check('right')).toBe('unavailable');
  });

  it('a token that is not among them is not believed, and is to be sent again: it may be new', async () => {
    const { clock, server, check } = aSource();
    await check('right');
    server.isAway = true;
    await clock.advance(SECRET_TTL_MS);
    expect(await check('wrong')).toBe('unavailable');
  });

  it('the tokens of a source to which nothing was ever sent are known', async () => {
    const { clock, server, ahead, check } = aSource();
    ahead.start();
    await clock.advance(SECRETS_AHEAD_ROUND_MS);
    expect(server.reads).toBe(1);
    await clock.advance(2 * SECRET_BELIEVED_MS);
    server.isAway = true;
    await clock.advance(SECRET_BELIEVED_MS - SECRET_AHEAD_MS - SECRETS_AHEAD_RETRY_MS - SECRETS_AHEAD_ROUND_MS);
    expect(await check('right')).toBe('ok');
    ahead.stop();
    // Read when it was due, and not in each round.
    expect(server.reads).toBeLessThan((2 * SECRET_BELIEVED_MS) / SECRET_AHEAD_MS + 4);
  });

  it('one request waits for an API server that hangs, and no other', async () => {
    const { clock, server, check } = aSource();
    await check('right');
    server.isMute = true;
    await clock.advance(SECRET_TTL_MS);
    const took = async (token: string) => {
      const began = clock.monotonicMs();
      let isOver = false;
      const outcome = check(token).finally(() => {
        isOver = true;
      });
      for (let ms = 0; ms < 5_000 && !isOver; ms += 50) await clock.advance(50);
      return { outcome: await outcome, ms: clock.monotonicMs() - began };
    };
    expect(await took('right')).toMatchObject({ outcome: 'ok' });
    for (let n = 0; n < 5; n += 1) {
      const { outcome, ms } = await took('right');
      expect(outcome).toBe('ok');
      expect(ms).toBeLessThanOrEqual(SECRET_WAIT_MS + 100);
      await clock.advance(1_000);
    }
  });

  it('nothing is believed of a source of which nothing was read', async () => {
    const { server, check } = aSource();
    server.isAway = true;
    expect(await check('right')).toBe('unavailable');
    expect(await check('right')).toBe('unavailable');
    // The second heard what the first had waited for.
    expect(server.reads).toBe(1);
  });
});

it('a token that was revoked is refused seconds after the API server can say so again', async () => {
  const { clock, server, check } = aSource();
  await check('right');
  server.isAway = true;
  await clock.advance(SECRET_TTL_MS);
  server.token = 'other';
  expect(await check('right')).toBe('ok');
  server.isAway = false;
  await clock.advance(SECRET_REST_MS);
  expect(await check('right')).toBe('wrong');
});

it('an API server that forbids the reading is not away', async () => {
  const { clock, server, check } = aSource();
  await check('right');
  server.isForbidden = true;
  await clock.advance(SECRET_TTL_MS);
  expect(await check('right')).toBe('unavailable');
});
