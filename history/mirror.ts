/**
 * Writes objects into history, as often as wanted and in any order, with the effect of once: within an epoch an older object
 * never overwrites a newer row, a change enters once and only after the one before it, and an earlier term writes nothing.
 * Deciding what a conflict or a gap means for an incident is left to the caller.
 */
import { randomUUID } from 'node:crypto';
import type { Alert, Incident } from '@funnelai/crds/generated/types';
import type pg from 'pg';
import type { Temporal } from 'temporal-polyfill';
import { type Comparison, createComparison } from './compare.ts';
import { HistoryRefused } from './errors.ts';
import { createFence } from './fence.ts';
import type { Log } from './log.ts';
import { putAlertRows } from './mirror-alerts.ts';
import { putIncidentRows } from './mirror-incidents.ts';
import { keepMonths, type Upkeep } from './months.ts';
import { type ObjectEvent, putObjectEvents } from './object-events.ts';
import type { Conflict, Gap, Lost } from './plan-changes.ts';
import { alertRow, incidentRow, microsOf, type Row } from './rows.ts';

/** Rows and bytes of one transaction at most; a larger batch takes several. */
const MAX_INCIDENTS = 100;
const MAX_ALERTS = 500;
const MAX_BYTES = 8 * 1_024 * 1_024;

/** What of a clock the mirror needs. */
export interface Clock {
  now(): Temporal.Instant;
}

/** What became of one object of a batch; results stand in the order of the batch. */
export interface AlertResult {
  uid: string;
  /** The row was written; false when history had this version or a newer one, or refused. */
  written: boolean;
  refused?: HistoryRefused;
}
export interface IncidentResult extends AlertResult {
  /** Every change of this object up to this number is in history, as it stands in the object. */
  mirroredSequence: number;
  /** The last number that history has of it. */
  storedSequence: number;
  conflict?: Conflict;
  gap?: Gap;
  lost?: Lost[];
}

export interface Mirror extends Comparison {
  /** @throws {HistoryRefused} when the row or a change is refused; conflicts and gaps are in the result. */
  putIncident(incident: Incident): Promise<IncidentResult>;
  /** One bad object never holds up the others: its own result says what was refused. */
  putIncidents(batch: readonly Incident[]): Promise<IncidentResult[]>;
  putAlerts(batch: readonly Alert[]): Promise<AlertResult[]>;
  /** What was said of objects and is no numbered change; the same again is counted. */
  putEvents(events: readonly ObjectEvent[]): Promise<void>;
  /** Makes the months to come and drops what left the cluster longer than `keepMs` ago; a bounded piece, call it again. */
  keepMonths(o: { keepMs?: number | undefined }): Promise<Upkeep>;
  /** The present epoch; another one than before means that rows may be gone or outdated. */
  epoch(): number | undefined;
  /** Another one than before: a standby was promoted, or a backup put back, and the last that was written may be gone. */
  server(): number | undefined;
  /** Whether this term may write, and to which server. */
  look(): Promise<void>;
  /** Versions of objects went backwards (etcd was set back): from now on what comes wins over what is there. */
  renewEpoch(): Promise<void>;
}

export interface MirrorOptions {
  pool: pg.Pool;
  clock: Clock;
  log: Log;
  /** Of this namespace alone; it excludes no mirror but others of the same. Without it there is one for the cluster. */
  namespace?: string;
  /** Runs before the first write, and again when the tables are gone. */
  prepare?(): Promise<void>;
}

/**
 * One term's mirror: it takes its epoch with its first write, however long Postgres is away before, and is of no use once another
 * has taken one. Each method throws {HistoryUnavailable} when Postgres is away; whatever was done by then is safe to do again.
 * And {HistoryFenced} when a later term writes; then nothing was done.
 */
export function createMirror(o: MirrorOptions): Mirror {
  const { clock, log } = o;
  const scope = o.namespace === undefined ? 'cluster' : `namespace/${o.namespace}`;
  const fence = createFence({ ...o, scope, holder: randomUUID() });
  const putIncidents = async (batch: readonly Incident[]): Promise<IncidentResult[]> => {
    const results = await putAll(
      batch,
      MAX_INCIDENTS,
      (incident) => incidentRow(incident, clock.now()),
      (rows, incidents) => putIncidentRows(fence, rows, incidents, microsOf(clock.now())),
      (uid, refused): IncidentResult => ({ uid, written: false, mirroredSequence: 0, storedSequence: 0, refused }),
    );
    for (const result of results) tell(log, 'Incident', result);
    return results;
  };
  return {
    ...createComparison(fence, o.namespace),
    putIncidents,
    async putIncident(incident) {
      const [result] = await putIncidents([incident]);
      if (result === undefined) throw new Error('a batch of one gave no result');
      if (result.refused !== undefined) throw result.refused;
      return result;
    },
    async putAlerts(batch) {
      const results = await putAll(
        batch,
        MAX_ALERTS,
        (alert) => alertRow(alert, clock.now()),
        (rows, alerts) => putAlertRows(fence, rows, alerts),
        (uid, refused): AlertResult => ({ uid, written: false, refused }),
      );
      for (const result of results) tell(log, 'Alert', result);
      return results;
    },
    putEvents: (events) => putObjectEvents(fence, events),
    keepMonths: ({ keepMs }) => keepMonths(fence, log, { now: clock.now(), keepMs }),
    epoch: () => fence.epoch(),
    server: () => fence.server(),
    look: () => fence.write(async () => {}),
    renewEpoch: () => fence.renew(),
  };
}

/** Turns objects into rows, writes them in bounded transactions, and gives each its result. */
async function putAll<T extends { metadata: { uid?: string } }, R extends AlertResult>(
  batch: readonly T[],
  maxRows: number,
  rowOf: (object: T) => Row,
  put: (rows: Row[], objects: T[]) => Promise<R[]>,
  refusal: (uid: string, refused: HistoryRefused) => R,
): Promise<R[]> {
  const results = new Map<number, R>();
  let chunk: { index: number; row: Row; object: T }[] = [];
  const stories = new Set<string>();
  let bytes = 0;
  const flush = async (): Promise<void> => {
    // In one order everywhere, so that two mirrors cannot wait for each other.
    chunk.sort((a, b) => (a.row.uid < b.row.uid ? -1 : 1));
    await putHalving(chunk, put, refusal, results);
    chunk = [];
    stories.clear();
    bytes = 0;
  };
  for (const [index, object] of batch.entries()) {
    let row: Row;
    try {
      row = rowOf(object);
    } catch (error) {
      if (!(error instanceof HistoryRefused)) throw error;
      results.set(index, refusal(object.metadata.uid ?? '', error));
      continue;
    }
    // One statement cannot touch a row twice, nor number a story twice.
    if (stories.has(row.story) || chunk.length >= maxRows || bytes + row.json.length > MAX_BYTES) await flush();
    chunk.push({ index, row, object });
    stories.add(row.story);
    bytes += row.json.length;
  }
  await flush();
  return [...results.entries()].sort(([a], [b]) => a - b).map(([, result]) => result);
}

/** Writes a chunk; when Postgres refuses it, halves it until the bad row stands alone. */
async function putHalving<T, R>(
  chunk: { index: number; row: Row; object: T }[],
  put: (rows: Row[], objects: T[]) => Promise<R[]>,
  refusal: (uid: string, refused: HistoryRefused) => R,
  results: Map<number, R>,
): Promise<void> {
  const [first] = chunk;
  if (first === undefined) return;
  try {
    const done = await put(
      chunk.map((one) => one.row),
      chunk.map((one) => one.object),
    );
    for (const [position, { index }] of chunk.entries()) {
      const result = done[position];
      if (result !== undefined) results.set(index, result);
    }
  } catch (error) {
    if (!(error instanceof HistoryRefused)) throw error;
    if (chunk.length === 1) {
      results.set(first.index, refusal(first.row.uid, error));
      return;
    }
    const middle = Math.ceil(chunk.length / 2);
    await putHalving(chunk.slice(0, middle), put, refusal, results);
    await putHalving(chunk.slice(middle), put, refusal, results);
  }
}

/** What a person must hear of; numbers and column names only, never a value. */
function tell(log: Log, kind: string, result: AlertResult | IncidentResult): void {
  if (result.refused !== undefined)
    log.error({ kind, uid: result.uid, column: result.refused.column }, `not mirrored: ${result.refused.message}`);
  if (!('mirroredSequence' in result)) return;
  if (result.conflict !== undefined)
    log.error(
      { uid: result.uid, sequence: result.conflict.sequence, storedSequence: result.conflict.storedSequence },
      'history has another change under this number: the cluster was set back? It is renumbered',
    );
  for (const lost of result.lost ?? [])
    log.error({ uid: result.uid, ...lost }, 'these changes are in neither the object nor history: they are lost');
  if (result.gap !== undefined)
    log.error(
      { uid: result.uid, ...result.gap },
      'far too many changes before this one are in neither the object nor history',
    );
}
