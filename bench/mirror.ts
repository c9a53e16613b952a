/** How many numbered changes a second the mirror brings into the local, durable Postgres: new incidents, and ones that go on. */
import type { Incident, IncidentChange } from '@funnelai/crds/generated/types';
import { API_VERSION } from '@funnelai/crds/meta';
import { silentLog } from '@funnelai/history/log';
import { createMirror } from '@funnelai/history/mirror';
import { prepareHistory } from '@funnelai/history/months';
import { createPool } from '@funnelai/history/pool';
import { systemClock } from '@funnelai/kube/clock';
import { createDatabase } from '@funnelai/test/harness/database';
import type { Figure } from './report.ts';

const ROUNDS = 3;
const INCIDENTS = 1_000;
/** As many as a lively incident has; the operator hands over all that are not mirrored at once. */
const CHANGES = 20;
/** As the operator hands them over. */
const BATCH = 100;
const ASKED = 5_000;

const time = (second: number) => new Date(Date.UTC(2026, 2, 1, 10, 0, second)).toISOString();

function changes(first: number, last: number): IncidentChange[] {
  return Array.from({ length: last - first + 1 }, (_, index) => ({
    sequence: first + index,
    kind: 'Severity',
    from: 'High',
    to: 'Critical',
    at: time(first + index),
    recordedAt: time(first + index),
    by: 'ana@example.org',
    reason: 'customers call',
    verified: true,
  }));
}

const incident = (round: number, n: number, first: number, last: number): Incident => ({
  apiVersion: API_VERSION,
  kind: 'Incident',
  metadata: {
    name: `checkout-${round}-${n}`,
    namespace: 'bench',
    uid: `00000000-0000-4000-8000-${String(round * INCIDENTS + n).padStart(12, '0')}`,
    resourceVersion: String(last),
    creationTimestamp: systemClock.now().toString({ smallestUnit: 'second' }),
  },
  spec: {
    title: 'Checkout answers 5xx in eu-west',
    severity: 'Critical',
    priority: 'P1',
    phase: 'Response',
    owner: { name: 'ana@example.org' },
    origin: { groupKey: '[["alertname","CheckoutErrors"]]', opening: 1 },
  },
  status: { observedGeneration: last, phase: 'Response', changeSequence: last, changes: changes(first, last) },
});

/** `databaseUrl` is the owner's, of a Postgres with fsync on. */
export async function mirrorRate(databaseUrl: string): Promise<Figure[]> {
  const database = await createDatabase(databaseUrl);
  const pool = createPool(database.url);
  try {
    const mirror = createMirror({
      pool,
      clock: systemClock,
      log: silentLog,
      prepare: () => prepareHistory(pool, silentLog, systemClock.now()),
    });
    await mirror.renewEpoch();
    const rates: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const born = Array.from({ length: INCIDENTS }, (_, n) => incident(round, n, 1, CHANGES / 2));
      const later = born.map((one, n) => ({
        ...incident(round, n, CHANGES / 2 - 4, CHANGES),
        metadata: { ...one.metadata, resourceVersion: String(CHANGES) },
      }));
      const began = performance.now();
      for (const all of [born, later])
        for (let first = 0; first < all.length; first += BATCH)
          await mirror.putIncidents(all.slice(first, first + BATCH));
      rates.push((INCIDENTS * CHANGES * 1_000) / (performance.now() - began));
    }
    const { rows } = await pool.query<{ n: number }>('SELECT count(*)::int AS n FROM incident_changes');
    const stored = rows[0]?.n ?? 0;
    if (stored !== ROUNDS * INCIDENTS * CHANGES)
      throw new Error(`expected ${ROUNDS * INCIDENTS * CHANGES} changes in Postgres, found ${stored}`);
    const median = rates.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? 0;
    return [
      {
        name: 'changes mirrored into local Postgres',
        value: `${Math.round(median)}/s`,
        asked: `≥ ${ASKED}/s`,
        met: median >= ASKED,
        detail: `median of ${ROUNDS} × ${INCIDENTS * CHANGES}; batches of ${BATCH} incidents, each twice, ${CHANGES / 2} new changes in each`,
      },
    ];
  } finally {
    await pool.end();
    await database.drop();
  }
}
