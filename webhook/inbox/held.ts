/**
 * What of the inbox is in memory while it is drained: rows by fault in the order in which they lie there, so many and no more. Where nothing
 * of its kind fires yet, the first fault of the kind that is held has its turn before the others; those that were marked as such when they
 * were put there are held besides, however far behind they stand. So are rows that wait for the rate of their source, some of each: what
 * comes behind the others of such a source is read past them.
 */

import type { AlertSpec } from '@funnelai/crds/generated/types';
import { labelValue } from '@funnelai/domain/labels';
import { faultKey } from '@funnelai/history/fault-key';
import type { InboxStore, StoredRow } from '@funnelai/history/inbox';
import type { Clock } from '@funnelai/kube/clock';
import type { SourceRates } from '../intake/source-rates.ts';
import * as limits from '../limits.ts';
import { createRatedShare } from './rated-share.ts';
import { planOf } from './rows.ts';

/** Rows of one fault that are held. */
export interface Fault {
  rows: StoredRow[];
  /** The alert name of the first of them. */
  name: string;
  /** Set on the first of its kind that is held, where nothing of that kind fires yet. */
  newKind?: string;
  isBusy: boolean;
  isOneByOne: boolean;
  failures: number;
  notBeforeMs: number;
  /** It waits for the rate of its source. */
  isOverRate?: boolean;
  /** The Alert, of which an alert that was routed may be one where it came, that its last write left firing, while the operator's answer is waited for; and since when it is waited for answers. */
  awaited?: { namespace: string; name: string } | undefined;
  awaitedSinceMs?: number;
}
const NEW_FAULT = { isBusy: false, isOneByOne: false, failures: 0, notBeforeMs: 0 };

export interface Held {
  /** Reads on, where there is room and it is time; not what lies there of sources `without`, each "namespace/name". */
  read(without: readonly string[]): Promise<void>;
  /** Something may have come. */
  hurry(): void;
  /** In the order of their turn, with their keys; one may come twice. */
  inTurn(): Iterable<[string, Fault]>;
  has(key: string, fault: Fault): boolean;
  /** These rows of it need nothing more; they are known until they are forgotten. */
  done(key: string, fault: Fault, rows: readonly StoredRow[]): void;
  /** It is read again, later. */
  putBack(key: string, fault: Fault): void;
  /** The same with what was read before there was a rate that it waits for: it takes the places of others. */
  waitsForRate(key: string, fault: Fault): void;
  /** Rows that do not lie there any more. */
  forget(ids: Iterable<string>): void;
  clear(): void;
  /** Faults. */
  readonly size: number;
  /** Is there any that waits for more than the rate of its source? */
  readonly hasWork: boolean;
}

export function createHeld(deps: {
  inbox: Pick<InboxStore, 'page'>;
  /** Whether nothing of an alert's kind fires yet. */
  isNew: (namespace: string, spec: AlertSpec) => boolean;
  paceOf: SourceRates['paceOf'];
  clock: Pick<Clock, 'monotonicMs'>;
}): Held {
  const { inbox, isNew, clock } = deps;
  const rated = createRatedShare(deps.paceOf);
  const faults = new Map<string, Fault>();
  /** Keys of the faults with a `newKind`, by that. */
  const first = new Map<string, string>();
  /** Ids that are held or settled and still lie in the table. */
  const known = new Set<string>();
  /** Of rows that are not done, and wait for no rate. */
  let heldBytes = 0;
  let cursor = '0';
  let isAtEnd = false;
  let readAtMs = Number.NEGATIVE_INFINITY;
  let wrappedAtMs = Number.NEGATIVE_INFINITY;
  let firstsTo = '0';
  let firstsAtMs = Number.NEGATIVE_INFINITY;

  const holdsLess = (rows: number, bytes: number): boolean => known.size - rated.size < rows && heldBytes < bytes;

  function add(rows: readonly StoredRow[], areFirsts = false): void {
    for (const row of rows) {
      if (known.has(row.id)) continue;
      const place = rated.add(row, bytesOf(row), areFirsts);
      if (place === 'passedBy') continue;
      known.add(row.id);
      if (place === 'unrated') heldBytes += bytesOf(row);
      const fault = faults.get(faultKey(row));
      if (fault === undefined) hold(row);
      else {
        fault.rows.push(row);
        // With this one it may have ended, which waits for nothing.
        if (fault.isOverRate === true) fault.notBeforeMs = 0;
      }
    }
  }

  function release(row: StoredRow): void {
    if (!rated.release(row.id)) heldBytes -= bytesOf(row);
  }

  function hold(row: StoredRow): void {
    const spec = planOf([row]).requests[0]?.reports[0].spec;
    const name = labelValue(spec?.labels, 'alertname');
    const fault: Fault = { ...NEW_FAULT, rows: [row], name };
    faults.set(faultKey(row), fault);
    if (spec === undefined || !isNew(row.namespace, spec)) return;
    const kind = JSON.stringify([row.namespace, row.source, name]);
    if (first.has(kind)) return;
    fault.newKind = kind;
    first.set(kind, faultKey(row));
  }

  function letGo(key: string, fault: Fault): void {
    faults.delete(key);
    if (fault.newKind !== undefined) first.delete(fault.newKind);
  }

  function putBack(key: string, fault: Fault): void {
    for (const row of fault.rows) {
      known.delete(row.id);
      release(row);
    }
    letGo(key, fault);
  }

  /** What stands behind all that is held, and is the first of its kind. */
  async function readFirsts(without: readonly string[], nowMs: number): Promise<void> {
    const isRoom = holdsLess(
      limits.DRAIN_HELD + limits.DRAIN_FIRSTS,
      limits.DRAIN_HELD_BYTES + limits.DRAIN_FIRSTS_BYTES,
    );
    const isAllHeld = isAtEnd && !rated.isPassingBy && holdsLess(limits.DRAIN_HELD, limits.DRAIN_HELD_BYTES);
    if (isAllHeld || !isRoom || nowMs - firstsAtMs < limits.DRAIN_FIRSTS_MS) return;
    firstsAtMs = nowMs;
    const bound = { limit: limits.DRAIN_FIRSTS, bytes: limits.DRAIN_FIRSTS_BYTES };
    const rows = await inbox.page({
      after: firstsTo,
      ...bound,
      without: [...without, ...rated.passedBy(true)],
      firsts: true,
    });
    firstsTo = rows.at(-1)?.id ?? '0';
    add(rows, true);
  }

  async function readOn(without: readonly string[], nowMs: number): Promise<void> {
    if (!holdsLess(limits.DRAIN_HELD, limits.DRAIN_HELD_BYTES)) return;
    if (isAtEnd && nowMs - readAtMs < limits.DRAIN_IDLE_MS) return;
    // A row may become visible after one with a higher number, and a pause may be over: now and then all is read from the first.
    if (isAtEnd && nowMs - wrappedAtMs >= (rated.hasRoom() ? limits.DRAIN_IDLE_MS : limits.DRAIN_WRAP_MS)) {
      cursor = '0';
      wrappedAtMs = nowMs;
      rated.again();
    }
    readAtMs = nowMs;
    const bound = { limit: limits.DRAIN_PAGE, bytes: limits.DRAIN_PAGE_BYTES };
    const rows = await inbox.page({ after: cursor, ...bound, without: [...without, ...rated.passedBy()] });
    isAtEnd = rows.length < bound.limit && rows.reduce((sum, row) => sum + bytesOf(row), 0) < bound.bytes;
    cursor = rows.at(-1)?.id ?? cursor;
    add(rows);
  }

  return {
    async read(without) {
      const nowMs = clock.monotonicMs();
      await readOn(without, nowMs);
      await readFirsts(without, nowMs);
    },
    hurry() {
      // Past what waits for its rate each look goes through all of that: not with every row that comes.
      if (!rated.isPassingBy) readAtMs = Number.NEGATIVE_INFINITY;
    },
    *inTurn() {
      for (const keys of [first.values(), faults.keys()])
        for (const key of keys) {
          const fault = faults.get(key);
          if (fault !== undefined) yield [key, fault];
        }
    },
    has: (key, fault) => faults.get(key) === fault,
    done(key, fault, rows) {
      for (const row of rows) release(row);
      fault.rows = fault.rows.filter((row) => !rows.includes(row));
      if (fault.rows.length === 0) letGo(key, fault);
    },
    putBack,
    waitsForRate(key, fault) {
      if (!fault.rows.every(({ id }) => rated.has(id))) putBack(key, fault);
    },
    forget(ids) {
      for (const id of ids) known.delete(id);
    },
    clear() {
      faults.clear();
      first.clear();
      known.clear();
      rated.clear();
      heldBytes = 0;
      cursor = '0';
      isAtEnd = false;
      firstsTo = '0';
    },
    get size() {
      return faults.size;
    },
    get hasWork() {
      // Asked with every row that comes: mostly the first of thousands says it.
      for (const { isOverRate } of faults.values()) if (isOverRate !== true) return true;
      return false;
    },
  };
}

const bytesOf = ({ reports }: StoredRow): number => Buffer.byteLength(reports);
