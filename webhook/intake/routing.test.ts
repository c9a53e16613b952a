/** One sender for several teams in a storm: an alert that is folded is found where it is, though the routes were edited meanwhile. */
import type { Alert, AlertSource, AlertSourceSpec } from '@funnelai/crds/generated/types';
import { type AlertInput, identityOf } from '@funnelai/domain/alert-input';
import { alertName } from '@funnelai/domain/fingerprint';
import { silentLog } from '@funnelai/kube/log';
import { createRegistry } from '@funnelai/kube/metrics';
import { FakeClock } from '@funnelai/kube/test-clock';
import { describe, expect, it } from 'vitest';
import { FOLDED_LOOKED_UP_PER_BODY, FOLDED_PLACES_MS } from '../limits.ts';
import { createWebhookMetrics } from '../metrics.ts';
import { anAlert, anAlertSource } from '../testing/builders.ts';
import { MemoryFolds } from '../testing/memory-folds.ts';
import { createFolds } from './folds.ts';
import { createIngest } from './ingest.ts';
import { createRouting } from './routing.ts';

const from = { namespace: 'infra', name: 'prom' };
const team = (namespace: string, spec: Partial<AlertSourceSpec> = {}) =>
  anAlertSource({ name: 'platform', namespace, spec: { acceptFrom: from, ...spec } });
const input = (state: AlertInput['state'], pod = 'p-1'): AlertInput => ({
  labels: { team: 'pay', pod },
  annotations: {},
  links: [],
  state,
});

/** Home routes to `web` now. `crowded`: namespaces in which a source has an overflow Alert. */
function aPlatform(o: { crowded?: string[]; acceptors?: AlertSource[]; withoutPostgres?: true } = {}) {
  const clock = new FakeClock('2026-01-01T12:00:00Z');
  const home = anAlertSource({ ...from, spec: { routes: [{ match: ['team="pay"'], namespace: 'web' }] } });
  const acceptors = o.acceptors ?? [team('pay'), team('web')];
  const crowded = new Set(o.crowded ?? ['pay']);
  const postgres = new MemoryFolds();
  const objects = new Map<string, Alert>();
  const reached: string[] = [];
  const folds = createFolds({ store: postgres.store, clock, log: silentLog() });
  const routing = createRouting({
    sources: { byIndex: () => acceptors },
    alerts: { get: (namespace, name) => objects.get(`${namespace}/${name}`) },
    live: { overflowsOf: (source) => Number(crowded.has(source.split('/')[0] ?? '')) },
    folds: o.withoutPostgres ? undefined : folds,
    clock,
    metrics: { limitReached: (limit) => reached.push(limit) },
  });
  const sourceIn = (namespace: string) =>
    [home, ...acceptors].find(({ metadata }) => metadata.namespace === namespace) ?? expect.fail(namespace);
  const specAt = (namespace: string, state: 'Firing' | 'Resolved' | 'Expired', of: AlertInput) => {
    const source = sourceIn(namespace);
    const fingerprint = identityOf(of, source).fingerprint;
    return anAlert({ spec: { sourceRef: { name: source.metadata.name }, fingerprint, state } });
  };
  return {
    clock,
    home,
    routing,
    postgres,
    reached,
    async fold(namespace: string, state: 'Firing' | 'Resolved' | 'Expired' = 'Firing', of = input('Firing')) {
      const { spec } = specAt(namespace, state, of);
      const key = { namespace, source: spec.sourceRef.name, fingerprint: spec.fingerprint };
      const fold = { name: 'x', overflow: 'over', merge: () => spec, isSame: () => false, isThere: () => true };
      await postgres.store.put([{ ...key, ...fold }], '2026-01-01T12:00:00Z');
    },
    hold(namespace: string, state: 'Firing' | 'Resolved') {
      const { spec } = specAt(namespace, state, input('Firing'));
      objects.set(`${namespace}/${alertName(spec.sourceRef.name, spec.fingerprint)}`, anAlert({ spec }));
    },
    async places(...inputs: AlertInput[]) {
      const placesOf = await routing.of(home, inputs);
      return inputs.map((one) => placesOf(one).places.map(({ metadata }) => metadata.namespace));
    },
  };
}

describe('an alert that is folded where earlier routes led', () => {
  it('is resolved there, and repeated there', async () => {
    const platform = aPlatform();
    await platform.fold('pay');
    expect(await platform.places(input('Resolved'), input('Firing'), input('Resolved', 'p-2'))).toEqual([
      ['pay'],
      ['pay'],
      ['web'],
    ]);
  });

  it('begins its next episode by the routes of today: it has resolved, or expired and fires again', async () => {
    for (const state of ['Resolved', 'Expired'] as const) {
      const platform = aPlatform();
      await platform.fold('pay', state);
      expect(await platform.places(input('Firing'))).toEqual([['web']]);
      expect(await platform.places(input('Resolved'))).toEqual([state === 'Expired' ? ['pay'] : ['web']]);
    }
  });

  it('is found by what its source there takes for one fault', async () => {
    const platform = aPlatform({ acceptors: [team('pay', { dedup: { labels: ['team'] } }), team('web')] });
    await platform.fold('pay', 'Firing', input('Firing', 'another'));
    expect(await platform.places(input('Resolved'))).toEqual([['pay']]);
  });

  it('is told in each place where it fires, folded or not', async () => {
    const platform = aPlatform({ crowded: ['web'] });
    await platform.fold('web');
    platform.hold('pay', 'Firing');
    expect(await platform.places(input('Resolved'))).toEqual([['pay', 'web']]);
    platform.hold('pay', 'Resolved');
    expect(await platform.places(input('Resolved'))).toEqual([['web']]);
  });

  it('is not looked for where it would go anyhow, where nothing is folded, and where nothing can be', async () => {
    for (const platform of [
      aPlatform({ crowded: ['web'] }),
      aPlatform({ crowded: [] }),
      aPlatform({ withoutPostgres: true }),
    ]) {
      expect(await platform.places(input('Firing'), input('Resolved'))).toEqual([['web'], ['web']]);
      expect(platform.postgres.calls).toEqual([]);
    }
    const platform = aPlatform();
    platform.hold('web', 'Firing');
    expect(await platform.places(input('Firing'))).toEqual([['web']]);
    expect(platform.postgres.calls).toEqual([]);
  });

  it('is looked for together with all others of its body, and with so many and no more', async () => {
    const platform = aPlatform();
    const inputs = Array.from({ length: FOLDED_LOOKED_UP_PER_BODY + 1 }, (_, n) => input('Resolved', `p-${n}`));
    const last = inputs.at(-1) ?? expect.fail();
    await platform.fold('pay', 'Firing', inputs[0]);
    await platform.fold('pay', 'Firing', last);
    const places = await platform.places(...inputs);
    expect([places[0], places.at(-1)]).toEqual([['pay'], ['web']]);
    expect(platform.reached).toEqual(['FOLDED_LOOKED_UP_PER_BODY']);
    expect(platform.postgres.calls.filter((call) => call === 'places').length).toBeLessThan(100);
  });
});

describe('while Postgres does not say where an alert is folded', () => {
  it.each(['isAway', 'isMute'] as const)(
    'its end is not taken, and what fires goes by the routes of today (%s)',
    async (how) => {
      const platform = aPlatform();
      await platform.fold('pay');
      platform.postgres[how] = true;
      const stored: string[] = [];
      const ingest = createIngest({
        store: {
          store: async ({ namespace, reports }) => {
            stored.push(`${namespace} ${reports[0].spec.state}`);
            return { kind: 'created', name: 'x' };
          },
        },
        clock: platform.clock,
        log: silentLog(),
        metrics: createWebhookMetrics(createRegistry()),
        routing: platform.routing,
      });
      const received = [input('Resolved'), input('Firing', 'p-2')].map((one, index) => ({ index, input: one }));
      const answer = ingest.ingest(platform.home, received);
      await platform.clock.advance(FOLDED_PLACES_MS);
      expect(await answer).toMatchObject({
        created: 1,
        unavailable: 1,
        why: expect.stringContaining('folded in another'),
      });
      expect(stored).toEqual(['web Firing']);
    },
  );
});
