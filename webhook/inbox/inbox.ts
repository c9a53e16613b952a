/**
 * The inbox as a request sees it: `put` resolves once the reports are safe in Postgres, or rejects soon. It knows how much waits there, and
 * whether anything may. Draining it is drain.ts's, when to use it two-stores.ts's.
 */
import { HistoryRefused } from '@funnelai/history/errors';
import { createGroupCommit, GroupCommitFull } from '@funnelai/history/group-commit';
import { INBOX_ROWS_PER_WRITE, type InboxDepth, type InboxRow, type InboxStore } from '@funnelai/history/inbox';
import { type Clock, nextTurn } from '@funnelai/kube/clock';
import { messageOf } from '@funnelai/kube/errors';
import type { Log } from '@funnelai/kube/log';
import type { Place } from '../intake/fair-queue.ts';
import type { StoreRequest } from '../intake/store.ts';
import {
  INBOX_AGAIN_MS,
  INBOX_FAULTS_READ,
  INBOX_FAULTS_REMEMBERED,
  INBOX_LOOK_MS,
  INBOX_NEWS_MS,
  INBOX_REST_MS,
  INBOX_ROWS,
  INBOX_TOLD_MS,
  INBOX_WAITING,
  INBOX_WAITING_BYTES,
} from '../limits.ts';
import { createListeners } from '../listeners.ts';
import type { WebhookMetrics } from '../metrics.ts';
import { createFirsts } from './firsts.ts';
import { createLooking } from './looking.ts';
import type { ReceiptClock } from './receipt-clock.ts';
import { createRepeating, type Repeat } from './repeating.ts';
import { rowsOf } from './rows.ts';
import { createWaiting } from './waiting.ts';

export interface Inbox {
  /**
   * Resolves once all of them are stored; beyond `most` rows none is, but for what is said again of what waits there and has a row already.
   * @throws {Error} when one is not, or nobody can say.
   */
  put(requests: readonly StoreRequest[], most?: number): Promise<void>;
  /** False only when it is known that no report waits: what is unchanged in etcd may be news beside one that does. */
  mayHoldRows(): boolean;
  /** Another replica says that something lies there. */
  hear(): void;
  /** Does a report of this fault wait there, as far as is known? What comes later of it has to stand behind it. */
  isWaiting(fingerprint: string): boolean;
  /** Would a report be taken, as far as is known? Not before it is open, while Postgres does not answer, nor when it is full. */
  takes(): boolean;
  /** How long it is not asked yet as it has just failed, and nobody knows whether it is away; undefined where it is asked, or that is known. */
  restMs(): number | undefined;
  /** Does Postgres not answer? Known within a second or two: it is looked at all the time. */
  isAway(): boolean;
  /** As last seen; undefined before Postgres has answered once. */
  depth(): InboxDepth | undefined;
  /** Calls `listener` after something was put, and after each look at the depth. */
  subscribe(listener: () => void): () => void;
  /** From now on it is this store's. */
  open(store: InboxStore): void;
  stop(): Promise<void>;
}
export interface InboxDeps {
  clock: Clock;
  receipt: ReceiptClock;
  log: Log;
  metrics: WebhookMetrics;
}

interface Put {
  request: StoreRequest;
  repeat: Repeat | undefined;
}
interface Item {
  row: InboxRow;
  repeat: Repeat | undefined;
}

export function createInbox({ clock, receipt, log, metrics }: InboxDeps): Inbox {
  const { tell, subscribe } = createListeners();
  let store: InboxStore | undefined;
  let down: { why: string; sinceMs: number; untilMs: number } | undefined;
  let seen: InboxDepth | undefined;
  const waiting = createWaiting();
  const firsts = createFirsts(metrics.limitReached);
  const repeating = createRepeating(INBOX_FAULTS_REMEMBERED);
  let isEmpty = false;
  /** Until then it is not believed to be empty, whatever a look finds: who has said so once may put more there without saying it again. */
  let heldUntilMs = Number.NEGATIVE_INFINITY;
  let toldAtMs = Number.NEGATIVE_INFINITY;
  let telling: Promise<void> = Promise.resolve();
  /** When a statement that stores was last answered. */
  let storedAtMs = Number.NEGATIVE_INFINITY;
  /** Rows put since the last look, and how many puts there ever were. */
  let putSince = 0;
  let puts = 0;

  const hasRoom = (faults: number, most = INBOX_ROWS) => (seen?.rows ?? 0) + putSince + faults <= most;
  function failed(error: unknown): void {
    const why = messageOf(error);
    if (down === undefined) log.warn({ why }, 'the inbox in Postgres does not answer');
    const nowMs = clock.monotonicMs();
    down = { why, sinceMs: down?.sinceMs ?? nowMs, untilMs: nowMs + INBOX_REST_MS };
  }
  function answered(): void {
    if (down !== undefined) log.info({}, 'the inbox in Postgres answers again');
    down = undefined;
  }

  async function writeAgain(open: InboxStore, items: readonly Item[]): Promise<void> {
    const beganMs = clock.monotonicMs();
    try {
      await write(open, items);
    } catch (error) {
      if (storedAtMs <= beganMs) failed(error);
      throw error;
    }
  }

  /** Others would find out at their next look only: till then they would take what changes nothing for the last word. */
  function tellOthers(open: InboxStore): Promise<void> {
    const nowMs = clock.monotonicMs();
    if (nowMs - toldAtMs < INBOX_TOLD_MS) return telling;
    toldAtMs = nowMs;
    telling = open.tell().catch(() => {
      toldAtMs = Number.NEGATIVE_INFINITY;
    });
    return telling;
  }

  const group = createGroupCommit<Item>({
    async store(items) {
      if (store === undefined) throw new Error('the inbox is not open yet');
      const beganMs = clock.monotonicMs();
      try {
        await write(store, items);
      } catch (error) {
        // Of a connection that broke the next one knows nothing; nor does a statement that took too long tell of one that did not.
        // It may lie there all the same.
        void tellOthers(store);
        const mayPassNow = clock.monotonicMs() - beganMs < INBOX_AGAIN_MS || storedAtMs > beganMs;
        if (!mayPassNow) failed(error);
        if (!mayPassNow || error instanceof HistoryRefused) throw error;
        await writeAgain(store, items);
      }
      storedAtMs = clock.monotonicMs();
      answered();
      tell();
      await tellOthers(store);
    },
    goesOn: () => down === undefined,
    bytesOf: ({ row }) => row.reports.length + 256,
    nextTurn,
    itemsPerStatement: INBOX_ROWS_PER_WRITE,
    mostItems: INBOX_WAITING,
    mostBytes: INBOX_WAITING_BYTES,
  });

  /** `marked`: the places of those that are the first of their kind. */
  function itemsFor(puts: readonly Put[]): { items: Item[]; marked: Place[] } {
    const items: Item[] = [];
    const marked: Place[] = [];
    const nowMs = clock.monotonicMs();
    for (const { request, repeat } of puts) {
      const { place } = request;
      const own = rowsOf(request);
      if (place !== undefined && firsts.take(place, nowMs) && own[0] !== undefined) {
        own[0].isFirst = true;
        marked.push(place);
      }
      // Of what is in etcd a copy that may lie there, or not, is no report that etcd lacks.
      if (request.isStored !== true) waiting.add(request.fingerprint);
      for (const row of own) items.push({ row, repeat });
    }
    return { items, marked };
  }

  async function putItems({ items, marked }: { items: Item[]; marked: Place[] }): Promise<void> {
    try {
      await group.put(items);
    } catch (error) {
      for (const place of marked) firsts.giveBack(place);
      for (const { row } of items) repeating.forget(row);
      if (error instanceof GroupCommitFull) metrics.limitReached('INBOX_WAITING');
      throw error;
    }
    // A look that began before, and did not see the row, has forgotten it.
    for (const { row } of items) waiting.add(row.fingerprint);
  }

  async function look(): Promise<void> {
    if (store === undefined) return;
    const before = puts;
    const beganMs = clock.monotonicMs();
    const known = waiting.mark();
    const asked = receipt.compare(store.now);
    try {
      const [depth] = await Promise.all([store.depth(), asked]);
      seen = depth;
      if (depth.rows === 0) known.replace([]);
      else known.replace(await store.waiting(INBOX_FAULTS_READ));
      // What was put meanwhile may not have been counted.
      isEmpty = depth.rows === 0 && puts === before && group.size === 0 && clock.monotonicMs() >= heldUntilMs;
      putSince = puts - before;
      metrics.inbox(depth.rows, depth.oldestAgeMs / 1_000, depth.setAside);
      answered();
    } catch (error) {
      // To count takes longer than to store: whether that may be is told by what is being stored meanwhile, or by a question that takes no time.
      const answers = await asked.then(
        () => true,
        () => false,
      );
      if (!answers && storedAtMs < beganMs) failed(error);
    }
    tell();
  }
  const looking = createLooking(clock, INBOX_LOOK_MS, look);

  return {
    // Not async: its frame would hold the requests, which are several times their rows, until those are stored.
    put(requests, most = INBOX_ROWS) {
      if (store === undefined)
        return Promise.reject(new Error('the inbox is not open yet: what this cluster is has not been read'));
      if (down !== undefined && clock.monotonicMs() < down.untilMs) return Promise.reject(new Error(down.why));
      const given = requests.map((request) => ({
        request,
        repeat: repeating.next(request, waiting.has(request.fingerprint)),
      }));
      const more = given.filter(({ repeat }) => repeat?.instead === undefined).length;
      if (more > 0 && !hasRoom(more, most)) {
        for (const request of requests) repeating.forget(request);
        metrics.limitReached(most < INBOX_ROWS ? 'INBOX_ROWS_OVER_RATE' : 'INBOX_ROWS');
        return Promise.reject(new Error(`the inbox holds ${most} alerts already`));
      }
      puts += requests.length;
      putSince += more;
      isEmpty = false;
      try {
        return putItems(itemsFor(given));
      } catch (error) {
        return Promise.reject(error);
      }
    },
    mayHoldRows: () => !isEmpty,
    hear() {
      isEmpty = false;
      heldUntilMs = clock.monotonicMs() + INBOX_NEWS_MS;
    },
    isWaiting: (fingerprint) => waiting.has(fingerprint),
    takes: () => store !== undefined && down === undefined && hasRoom(1),
    restMs() {
      const nowMs = clock.monotonicMs();
      return down === undefined || nowMs - down.sinceMs >= INBOX_REST_MS ? undefined : down.untilMs - nowMs;
    },
    isAway: () => down !== undefined,
    depth: () => seen,
    subscribe,
    open(next) {
      store = next;
      looking.start();
    },
    stop: () => looking.stop(),
  };
}

async function write(store: InboxStore, items: readonly Item[]): Promise<void> {
  if (items.every(({ repeat }) => repeat === undefined)) return store.append(items.map(({ row }) => row));
  const ids = await store.renew(items.map(({ row, repeat }) => ({ ...row, instead: repeat?.instead })));
  for (const [place, { repeat }] of items.entries()) repeat?.lies(ids[place]);
}
