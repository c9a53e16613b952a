/** The rows of an inbox in memory, with Postgres' ways to fail, and a lock that a test gives and takes: for stories about order. */
import type { DrainLock } from '@funnelai/history/drain-lock';
import { HistoryUnavailable } from '@funnelai/history/errors';
import type { InboxRow, InboxStore, StoredRow } from '@funnelai/history/inbox';

export class MemoryInbox {
  rows: StoredRow[] = [];
  aside: { row: StoredRow; reason: string }[] = [];
  isAway = false;
  /** Stored, but nobody hears of it. */
  losesAnswers = false;
  /** The backend that holds the drain lock. */
  holder: number | undefined = 1;
  /** What the next statement that stores waits for. */
  beforeAppend: (() => Promise<void>) | undefined;
  /** So many statements that store find their connection broken. */
  breaks = 0;
  /** What a look at the depth waits for. */
  beforeDepth: (() => Promise<void>) | undefined;
  /** What the question of the time waits for. */
  beforeNow: (() => Promise<void>) | undefined;
  /** What is counted, where a story is about more than one wants to put. */
  pretendRows: number | undefined;
  /** Rows of the longest page. */
  mostRead = 0;
  /** Ids that were ever read. */
  readonly read = new Set<string>();
  #next = 1;
  /** Who hears that something was put there. */
  readonly hearers: (() => void)[] = [];
  readonly #listeners = new Set<(held: boolean) => void>();

  add(row: InboxRow): void {
    this.rows.push({ ...row, id: String(this.#next++) });
  }

  get store(): InboxStore {
    const ask = () => {
      if (this.isAway) throw new HistoryUnavailable('Postgres is not available: no answer');
    };
    const broken = () => {
      if (this.breaks === 0) return;
      this.breaks -= 1;
      throw new HistoryUnavailable('Postgres is not available: Connection terminated unexpectedly');
    };
    return {
      append: async (rows) => {
        ask();
        broken();
        const wait = this.beforeAppend;
        this.beforeAppend = undefined;
        await wait?.();
        for (const row of rows) this.add(row);
        if (this.losesAnswers) throw new HistoryUnavailable('Postgres is not available: no answer');
      },
      tell: async () => {
        ask();
        for (const hear of this.hearers) hear();
      },
      page: async ({ after, limit, bytes = Number.POSITIVE_INFINITY, without, firsts = false }) => {
        ask();
        let before = 0;
        const next = this.rows
          .filter((row) => Number(row.id) > Number(after))
          .filter((row) => !without.includes(`${row.namespace}/${row.source}`))
          .filter((row) => !firsts || row.isFirst === true)
          .slice(0, limit)
          .filter((row) => {
            const fits = before < bytes;
            before += Buffer.byteLength(row.reports);
            return fits;
          });
        this.mostRead = Math.max(this.mostRead, next.length);
        for (const { id } of next) this.read.add(id);
        return next;
      },
      renew: async (rows) => {
        ask();
        const wait = this.beforeAppend;
        this.beforeAppend = undefined;
        await wait?.();
        const ids = rows.map(({ instead, ...row }) => {
          this.rows = this.rows.filter(({ id, fingerprint }) => id !== instead || fingerprint !== row.fingerprint);
          this.add(row);
          return this.rows.at(-1)?.id;
        });
        if (this.losesAnswers) throw new HistoryUnavailable('Postgres is not available: no answer');
        return ids;
      },
      remove: async (ids, holder) => {
        ask();
        if (holder !== this.holder) return false;
        this.rows = this.rows.filter(({ id }) => !ids.includes(id));
        return true;
      },
      setAside: async (aside, holder) => {
        ask();
        if (holder !== this.holder) return false;
        for (const { id, reason } of aside) {
          const row = this.rows.find((one) => one.id === id);
          if (row !== undefined) this.aside.push({ row, reason });
        }
        this.rows = this.rows.filter(({ id }) => !aside.some((one) => one.id === id));
        return true;
      },
      depth: async () => {
        ask();
        await this.beforeDepth?.();
        return { rows: this.pretendRows ?? this.rows.length, oldestAgeMs: 0, setAside: this.aside.length };
      },
      waiting: async (most) => {
        ask();
        return this.rows.length > most ? undefined : this.rows.map(({ fingerprint }) => fingerprint);
      },
      now: async () => {
        ask();
        await this.beforeNow?.();
        return 0n;
      },
    };
  }

  get lock(): DrainLock {
    return {
      held: () => this.holder === 1,
      holder: () => (this.holder === 1 ? 1 : undefined),
      subscribe: (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
      start: () => {},
      stop: async () => {},
    };
  }
}
