/**
 * The promise of the mirror under restores: whatever is done by people, numbered, mirrored, and put back to an older snapshot, in
 * whatever order, history ends with contiguous numbers, with every act that the cluster knows, and with none twice.
 */
import type { Incident, Severity } from '@funnelai/crds/generated/types';
import { CHANGES_ANNOTATION } from '@funnelai/crds/meta';
import { encodeChangesAnnotation, parseChangesAnnotation } from '@funnelai/domain/admission-log';
import { decideIncidentStep } from '@funnelai/domain/incident-decide';
import { planChanges } from '@funnelai/history/plan-changes';
import type { ChangeRow } from '@funnelai/history/rows';
import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { mirrorFacts } from '../incident/decide.ts';
import { anIncident, START } from '../testing/builders.ts';
import type { BookEntry } from './facts.ts';

const UID = 'uid-story';
const LOG_ENTRIES = 16;
const VALUES: Severity[] = ['Critical', 'High', 'Medium', 'Low', 'Info'];

/** One incident in the cluster and in history, with an operator that decides as the real one does. */
class World {
  incident: Incident = anIncident({ name: 'story', metadata: { uid: UID, creationTimestamp: START } });
  rows = new Map<number, ChangeRow>();
  entry: BookEntry | undefined;
  snapshots: Incident[] = [];
  renumberings = 0;
  #seconds = 0;
  #acts = 0;

  constructor() {
    this.#log('phase', 'Detection', 'birth');
  }

  #now(): Temporal.Instant {
    this.#seconds += 1;
    return Temporal.Instant.from(START).add({ seconds: this.#seconds });
  }
  #log(field: 'phase' | 'severity', value: string, reason: string): void {
    const log = parseChangesAnnotation(this.incident.metadata.annotations?.[CHANGES_ANNOTATION]) ?? {
      counter: 0,
      entries: [],
    };
    const number = log.counter + 1;
    const entries = [...log.entries, { number, field, value, user: 'ana', at: this.#now().toString(), reason }];
    const annotations = {
      [CHANGES_ANNOTATION]: encodeChangesAnnotation({ counter: number, entries: entries.slice(-LOG_ENTRIES) }),
    };
    this.incident = { ...this.incident, metadata: { ...this.incident.metadata, annotations } };
  }

  /** A person sets another severity; the API server logs it. */
  act(): void {
    this.#acts += 1;
    const severity = VALUES[(VALUES.indexOf(this.incident.spec.severity) + 1) % VALUES.length] ?? 'High';
    this.incident = { ...this.incident, spec: { ...this.incident.spec, severity } };
    this.#log('severity', severity, `act ${this.#acts}`);
  }
  /** The operator's step: what is not numbered gets numbers, what contradicts gets new ones. */
  step(): void {
    const result = decideIncidentStep({
      incident: this.incident,
      members: [],
      mirror: mirrorFacts(this.incident, { enabled: true, entry: this.entry, monotonicMs: 0 }),
      isMachine: () => false,
      now: this.#now(),
    });
    if (result.renumbered !== undefined) this.renumberings += 1;
    const before = this.incident.status?.changeSequence ?? 0;
    this.incident = { ...this.incident, status: result.status };
    // As the API server demands of a status.
    const numbers = (result.status.changes ?? []).map(({ sequence }) => sequence);
    const last = result.status.changeSequence ?? 0;
    expect(last).toBeGreaterThanOrEqual(before);
    expect(numbers).toEqual(numbers.map((_, index) => last - numbers.length + 1 + index));
  }
  mirror(): void {
    const changes = this.incident.status?.changes ?? [];
    const first = changes[0]?.sequence ?? Number.POSITIVE_INFINITY;
    const known = {
      originUid: UID,
      stored: new Map([...this.rows].filter(([sequence]) => sequence >= first)),
      storedSequence: Math.max(0, ...this.rows.keys()),
      now: this.#now().toString(),
    };
    const plan = planChanges(known, changes, this.incident.status?.changeSequence ?? 0);
    for (const row of plan.insert) {
      expect(this.rows.has(row.sequence), 'a row is never written over').toBe(false);
      this.rows.set(row.sequence, row);
    }
    this.entry = {
      mirroredSequence: plan.mirroredSequence,
      storedSequence: plan.storedSequence,
      ...(plan.conflict !== undefined && { conflict: plan.conflict }),
    };
  }
  snapshot(): void {
    this.snapshots.push(this.incident);
  }
  /** etcd is set back; a new term, or the same one that noticed, knows nothing of history. */
  restore(which: number): void {
    const snapshot = this.snapshots[which % Math.max(1, this.snapshots.length)];
    if (snapshot === undefined) return;
    this.incident = snapshot;
    this.entry = undefined;
  }
  settle(): void {
    for (let round = 0; round < 6; round += 1) {
      this.step();
      this.mirror();
    }
  }
  /** Reasons stand for acts: each has its own. */
  actsInHistory(): string[] {
    return [...this.rows.values()].map((row) => String(row.reason)).filter((reason) => reason.startsWith('act'));
  }
  actsInLog(): string[] {
    const log = parseChangesAnnotation(this.incident.metadata.annotations?.[CHANGES_ANNOTATION]);
    return (log?.entries ?? []).map(({ reason }) => reason).filter((reason) => reason.startsWith('act'));
  }
}

type Op = 'act' | 'step' | 'mirror' | 'snapshot' | { restore: number };
function play(ops: Op[]): World {
  const world = new World();
  for (const op of ops) {
    if (typeof op === 'string') world[op]();
    else world.restore(op.restore);
  }
  return world;
}

function expectWhole(world: World): void {
  world.settle();
  const numbers = [...world.rows.keys()].sort((a, b) => a - b);
  expect(numbers, 'contiguous').toEqual(numbers.map((_, index) => index + 1));
  expect(world.incident.status?.changeSequence, 'status and rows agree on the last').toBe(numbers.length);
  const acts = world.actsInHistory();
  expect(new Set(acts).size, 'none twice').toBe(acts.length);
  expect(acts, 'none swallowed').toEqual(expect.arrayContaining(world.actsInLog()));
  expect(world.entry?.conflict, 'settled').toBeUndefined();
  expect([...world.rows.values()].map((row) => row.kind)).not.toContain('Lost');
}

describe('an incident whose cluster is set back', () => {
  it('has acts of both lives in history, in contiguous numbers', () => {
    const world = play(['act', 'step', 'mirror', 'snapshot', 'act', 'act', 'step', 'mirror', { restore: 0 }, 'act']);
    expectWhole(world);
    expect(world.renumberings).toBe(1);
    expect(world.actsInHistory()).toEqual(['act 1', 'act 2', 'act 3', 'act 4']);
    expect(world.incident.status?.changes?.map(({ sequence }) => sequence)).toEqual([5]);
  });

  it('is not told twice what it numbers anew: the snapshot was older than the number', () => {
    const world = play(['step', 'act', 'snapshot', 'step', 'mirror', { restore: 0 }]);
    expectWhole(world);
    expect(world.renumberings).toBe(0);
  });

  it('is not told twice either after a second restore, when history has the act under another number', () => {
    const world = play([
      ...(['step', 'mirror', 'snapshot', 'act', 'snapshot'] as const),
      { restore: 0 },
      ...(['act', 'step', 'mirror'] as const),
      { restore: 1 },
      ...(['step', 'mirror', 'step', 'mirror'] as const),
      { restore: 1 },
      ...(['step', 'mirror', 'act'] as const),
    ]);
    expectWhole(world);
    expect(world.actsInHistory()).toEqual(['act 2', 'act 1', 'act 3']);
  });

  it('ends whole in any interleaving', { timeout: 60_000 }, () => {
    const op: fc.Arbitrary<Op> = fc.oneof(
      { weight: 4, arbitrary: fc.constant('act' as const) },
      { weight: 4, arbitrary: fc.constant('step' as const) },
      { weight: 3, arbitrary: fc.constant('mirror' as const) },
      { weight: 3, arbitrary: fc.constant('snapshot' as const) },
      { weight: 2, arbitrary: fc.nat(9).map((restore) => ({ restore })) },
    );
    let renumberings = 0;
    fc.assert(
      fc.property(fc.array(op, { minLength: 25, maxLength: 60, size: 'max' }), (ops) => {
        const world = play(ops);
        expectWhole(world);
        renumberings += world.renumberings;
      }),
      { numRuns: 300 },
    );
    // A test of restores in which nothing ever contradicts proves nothing.
    expect(renumberings).toBeGreaterThan(100);
  });
});
