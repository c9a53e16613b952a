/** Given up as a whole, or for one namespace: what each of several teams notices when something before the API server breaks. */
import { silentLog } from '@funnelai/kube/log';
import { createRegistry } from '@funnelai/kube/metrics';
import { FakeClock } from '@funnelai/kube/test-clock';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createWebhookMetrics } from '../metrics.ts';
import { createApiServer } from './api-server.ts';
import { FAILURES_TO_OPEN, FIRST_WAIT_MS, LONGEST_WAIT_MS, PROBES_TO_CLOSE } from './breaker.ts';

function anApiServer() {
  const clock = new FakeClock();
  const registry = createRegistry();
  const metrics = createWebhookMetrics(registry);
  /** Whether it answers what has nothing to do with a namespace. */
  const state = { answers: true, reads: 0 };
  const read = async () => {
    state.reads += 1;
    if (!state.answers) throw new Error('no answer');
  };
  const api = createApiServer({ read, clock, log: silentLog(), metrics });
  /** Writes there one after the other, as far as it may be asked. */
  async function write(namespace: string, isGood: boolean, times = 1): Promise<void> {
    for (let n = 0; n < times; n += 1) {
      const asked = api.ask(namespace);
      if (asked.may !== 'not') asked.ended(isGood);
      await clock.advance(0);
    }
  }
  return { api, clock, state, write, metrics: () => registry.metrics() };
}

describe('where nothing is answered in one namespace', () => {
  it('that is given up, and others go on, while the API server answers elsewhere', async () => {
    const { api, state, write, metrics } = anApiServer();
    const told: string[] = [];
    for (const namespace of ['broken', 'well']) api.onOpen(namespace, () => told.push(namespace));
    await write('broken', false, FAILURES_TO_OPEN);
    expect([api.ask('broken').may, api.ask('well').may, api.isAway(), api.isAway('broken')]).toEqual([
      'not',
      'try',
      false,
      true,
    ]);
    // Who waits there need wait no longer; it was asked once whose fault it is.
    expect([told, state.reads]).toEqual([['broken'], 1]);
    expect(await metrics()).toContain('funnelai_webhook_namespaces_given_up 1');
  });

  it('all is given up where the API server answers nobody', async () => {
    const { api, state, write, metrics } = anApiServer();
    state.answers = false;
    await write('only', false, FAILURES_TO_OPEN);
    expect([api.ask('well').may, api.isAway()]).toEqual(['not', true]);
    expect(await metrics()).toContain('funnelai_webhook_namespaces_given_up 0');
  });

  it('all is given up without a question where that is so in several, none of which has sent much', async () => {
    const { api, state, write } = anApiServer();
    for (const namespace of ['a', 'b', 'c']) await write(namespace, false);
    expect([api.isAway(), state.reads]).toEqual([true, 0]);
    const other = anApiServer();
    for (const namespace of ['a', 'b', 'c']) {
      await other.write(namespace, false);
      await other.write('well', true);
    }
    expect(other.api.isAway()).toBe(false);
  });

  it('it is asked about there seldom, and that it fails on is no word about the API server', async () => {
    const { api, clock, write } = anApiServer();
    for (const namespace of ['a', 'b', 'c', 'd']) {
      await write(namespace, false, FAILURES_TO_OPEN);
      await write('well', true);
    }
    let tries = 0;
    for (let ms = 0; ms < 60_000; ms += 100) {
      for (const namespace of ['a', 'b', 'c', 'd']) {
        const asked = api.ask(namespace);
        if (asked.may === 'not') continue;
        tries += 1;
        asked.ended(false);
      }
      await clock.advance(100);
    }
    expect([api.isAway(), api.ask('well').may]).toEqual([false, 'try']);
    expect(tries).toBeLessThan(4 * 15);
  });

  it('it is taken up again there once a few in a row went well', async () => {
    const { api, clock, write, metrics } = anApiServer();
    await write('broken', false, FAILURES_TO_OPEN);
    await clock.advance(FIRST_WAIT_MS);
    expect(api.restMs('broken')).toBeUndefined();
    await write('broken', true, PROBES_TO_CLOSE);
    expect([api.ask('broken').may, api.isAway('broken')]).toEqual(['try', false]);
    expect(await metrics()).toContain('funnelai_webhook_namespaces_given_up 0');
  });

  it('others are taken up again after an outage though it goes on failing there', async () => {
    const { api, clock, state, write } = anApiServer();
    state.answers = false;
    await write('broken', false, FAILURES_TO_OPEN);
    expect(api.isAway()).toBe(true);
    state.answers = true;
    for (let ms = 0; ms < 4 * LONGEST_WAIT_MS && api.isAway(); ms += 250) {
      await write('broken', false);
      await write('well', true);
      await clock.advance(250);
    }
    expect([api.isAway(), api.ask('well').may]).toEqual([false, 'try']);
  });
});

const NAMESPACES = ['a', 'b', 'c', 'd'];
/** Any story: writes begin and end in any order, time passes, and the API server answers questions or not. */
const story = fc.array(
  fc.oneof(
    fc.record({ what: fc.constant('begin' as const), namespace: fc.constantFrom(...NAMESPACES) }),
    // Mostly badly, or nothing would ever be given up.
    fc.record({ what: fc.constant('end' as const), which: fc.nat(), isGood: fc.nat(5).map((n) => n === 0) }),
    fc.record({ what: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: LONGEST_WAIT_MS }) }),
    fc.record({ what: fc.constant('answers' as const), answers: fc.boolean() }),
  ),
  { maxLength: 120, size: 'max' },
);

it('in any story it is taken up again everywhere once all goes well', async () => {
  await fc.assert(
    fc.asyncProperty(story, async (steps) => {
      const { api, clock, state, write } = anApiServer();
      const open: ((isGood: boolean) => void)[] = [];
      for (const step of steps) {
        if (step.what === 'wait') await clock.advance(step.ms);
        else if (step.what === 'answers') state.answers = step.answers;
        else if (step.what === 'begin') {
          const asked = api.ask(step.namespace);
          if (asked.may !== 'not') open.push(asked.ended);
        } else {
          open.splice(step.which % Math.max(1, open.length), 1)[0]?.(step.isGood);
          await clock.advance(0);
        }
      }
      state.answers = true;
      for (const end of open) end(true);
      for (let n = 0; n < PROBES_TO_CLOSE; n += 1) {
        await clock.advance(LONGEST_WAIT_MS);
        for (const namespace of NAMESPACES) await write(namespace, true, PROBES_TO_CLOSE);
      }
      expect(NAMESPACES.map((namespace) => api.ask(namespace).may)).toEqual(NAMESPACES.map(() => 'try'));
    }),
    { numRuns: 300 },
  );
});
