/**
 * Lets all who want to store something at the same moment share one statement and one wait for the disk. Bounded in rows and bytes, held
 * and under way; what cannot be stored is told to all who would only wait for the same, at once. Knows nothing of Postgres.
 */

/** Statements under way at once: the second fills while the first waits for the disk. */
const STATEMENTS = 2;
const BYTES_PER_STATEMENT = 4 * 1_024 * 1_024;

/** There is no more room to wait in. */
export class GroupCommitFull extends Error {
  override readonly name = 'GroupCommitFull';
}

export interface GroupCommit<Item> {
  /** Resolves once all of them are stored; rejects when one is not, or nobody can say. @throws {GroupCommitFull} then none is. */
  put(items: readonly Item[]): Promise<void>;
  /** Items that wait, and those under way. */
  readonly size: number;
}
export interface GroupCommitOptions<Item> {
  /** Stores all of them or none. */
  store(items: readonly Item[]): Promise<void>;
  bytesOf(item: Item): number;
  /** Resolves after everything that is due now has had its turn: what came with this item is there then. */
  nextTurn(): Promise<void>;
  itemsPerStatement: number;
  /** Items, and bytes of them, that may wait. */
  mostItems: number;
  mostBytes: number;
  /** Asked after a statement failed: may another one go through? Then only those of that statement are told. Never where absent. */
  goesOn?(): boolean;
}

interface Waiting<Item> {
  item: Item;
  bytes: number;
  of: Ticket;
}
/** What came together is told together, in however many statements it goes. */
interface Ticket {
  left: number;
  resolve(): void;
  reject(error: unknown): void;
}

export function createGroupCommit<Item>(o: GroupCommitOptions<Item>): GroupCommit<Item> {
  let queue: Waiting<Item>[] = [];
  let bytes = 0;
  let size = 0;
  let underWay = 0;
  let isScheduled = false;

  function take(): Waiting<Item>[] {
    let count = 0;
    let taken = 0;
    for (const { bytes: more } of queue) {
      if (count >= o.itemsPerStatement || (count > 0 && taken + more > BYTES_PER_STATEMENT)) break;
      count += 1;
      taken += more;
    }
    const batch = queue.slice(0, count);
    queue = queue.slice(count);
    bytes -= taken;
    return batch;
  }

  /** Who waits would only wait for the same. */
  function dropAll(error: unknown): void {
    for (const one of queue) one.of.reject(error);
    size -= queue.length;
    queue = [];
    bytes = 0;
  }

  async function run(): Promise<void> {
    underWay += 1;
    const batch = take();
    try {
      await o.store(batch.map(({ item }) => item));
      for (const { of } of batch) {
        of.left -= 1;
        if (of.left === 0) of.resolve();
      }
    } catch (error) {
      for (const one of batch) one.of.reject(error);
      if (o.goesOn?.() !== true) dropAll(error);
    } finally {
      size -= batch.length;
      underWay -= 1;
      pump();
    }
  }

  function pump(): void {
    if (isScheduled || queue.length === 0 || underWay >= STATEMENTS) return;
    isScheduled = true;
    void o.nextTurn().then(() => {
      isScheduled = false;
      while (queue.length > 0 && underWay < STATEMENTS) void run();
    });
  }

  return {
    put(items) {
      const sizes = items.map(o.bytesOf);
      const own = sizes.reduce((sum, one) => sum + one, 0);
      if (queue.length + items.length > o.mostItems || bytes + own > o.mostBytes)
        return Promise.reject(new GroupCommitFull(`${queue.length} items wait to be stored already`));
      if (items.length === 0) return Promise.resolve();
      return new Promise((resolve, reject) => {
        const of: Ticket = { left: items.length, resolve, reject };
        for (const [i, item] of items.entries()) queue.push({ item, bytes: sizes[i] ?? 0, of });
        bytes += own;
        size += items.length;
        pump();
      });
    },
    get size() {
      return size;
    },
  };
}
