import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createGroupCommit } from './group-commit.ts';

/** A store whose statements end when the test says so. */
function aStore(o: { goesOn?: () => boolean } = {}) {
  const statements: { items: number[]; end(error?: Error): void }[] = [];
  const group = createGroupCommit<number>({
    store: (items) =>
      new Promise((resolve, reject) => {
        statements.push({ items: [...items], end: (error) => (error === undefined ? resolve() : reject(error)) });
      }),
    bytesOf: (n) => n,
    nextTurn: () => new Promise((resolve) => setImmediate(resolve)),
    itemsPerStatement: 4,
    mostItems: 10,
    mostBytes: 6 * 1_024 * 1_024,
    ...o,
  });
  return { group, statements };
}
const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

describe('requests that come together', () => {
  it('share a statement, whatever came while the ones before were waiting for the disk', async () => {
    const { group, statements } = aStore();
    const answered: number[] = [];
    const put = (n: number) => group.put([n]).then(() => answered.push(n));
    const first = [1, 2, 3].map(put);
    await turn();
    expect(statements.map(({ items }) => items)).toEqual([[1, 2, 3]]);
    const second = [4].map(put);
    await turn();
    const third = [5, 6, 7, 8, 9].map(put);
    await turn();
    expect(statements.map(({ items }) => items)).toEqual([[1, 2, 3], [4]]);
    expect(answered).toEqual([]);
    statements[0]?.end();
    await Promise.all(first);
    expect(answered).toEqual([1, 2, 3]);
    await turn();
    expect(statements[2]?.items).toEqual([5, 6, 7, 8]);
    for (const { end } of statements) end();
    await turn();
    statements[3]?.end();
    await Promise.all([...second, ...third]);
    expect([statements[3]?.items, group.size]).toEqual([[9], 0]);
  });

  it('hear of what they gave together once all of it is stored, in however many statements; of a failure at once', async () => {
    const { group, statements } = aStore();
    const answered: string[] = [];
    const hear = (name: string, put: Promise<void>) =>
      put.then(
        () => answered.push(name),
        () => answered.push(`not ${name}`),
      );
    const all = [hear('five', group.put([1, 2, 3, 4, 5])), hear('one', group.put([6])), hear('none', group.put([]))];
    await turn();
    expect(statements.map(({ items }) => items)).toEqual([
      [1, 2, 3, 4],
      [5, 6],
    ]);
    statements[0]?.end();
    await turn();
    expect([answered, group.size]).toEqual([['none'], 2]);
    statements[1]?.end(new Error('away'));
    await Promise.all(all);
    expect([answered, group.size]).toEqual([['none', 'not five', 'not one'], 0]);
  });

  it('hear of a failure together, also those that still waited', async () => {
    const { group, statements } = aStore();
    const all = Promise.allSettled([1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => group.put([n])));
    await turn();
    statements[0]?.end(new Error('away'));
    await turn();
    statements[1]?.end();
    const outcomes = (await all).map(({ status }) => status);
    expect(outcomes).toEqual([...Array(4).fill('rejected'), ...Array(4).fill('fulfilled'), 'rejected']);
    expect([statements.length, group.size]).toEqual([2, 0]);
  });

  it('hear of a failure alone where the next statement may well go through', async () => {
    const { group, statements } = aStore({ goesOn: () => true });
    const all = Promise.allSettled([1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => group.put([n])));
    await turn();
    statements[0]?.end(new Error('away'));
    await turn();
    for (const { end } of statements) end();
    const outcomes = (await all).map(({ status }) => status);
    expect(outcomes).toEqual([...Array(4).fill('rejected'), ...Array(5).fill('fulfilled')]);
    expect([statements.length, group.size]).toEqual([3, 0]);
  });

  it('are turned away once too many wait, in number or in bytes', async () => {
    const { group } = aStore();
    const all = Promise.allSettled([...Array(10).keys()].map((n) => group.put([n])));
    await expect(group.put([1])).rejects.toThrow('10 items wait');
    const other = aStore().group;
    void other.put([5 * 1_024 * 1_024]);
    await expect(other.put([2 * 1_024 * 1_024])).rejects.toThrow('1 items wait');
    void all;
  });

  it('are answered exactly as their statement ended, each once, in order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 12 }),
        fc.func(fc.boolean()),
        async (sizes, fails) => {
          const stored = new Set<number>();
          const seen: number[] = [];
          const group = createGroupCommit<number>({
            store: async (items) => {
              await turn();
              seen.push(...items);
              if (fails(items[0])) throw new Error('away');
              for (const n of items) stored.add(n);
            },
            bytesOf: () => 1,
            nextTurn: () => new Promise((resolve) => setImmediate(resolve)),
            itemsPerStatement: 3,
            mostItems: 100,
            mostBytes: 100,
          });
          let next = 0;
          const outcomes: Promise<[number, boolean]>[] = [];
          for (const size of sizes) {
            for (let i = 0; i < size; i += 1) {
              const n = next++;
              outcomes.push(
                group.put([n]).then(
                  () => [n, true],
                  () => [n, false],
                ),
              );
            }
            await turn();
          }
          for (const [n, isStored] of await Promise.all(outcomes)) expect(stored.has(n)).toBe(isStored);
          expect(seen).toEqual(seen.toSorted((a, b) => a - b));
          expect(new Set(seen).size).toBe(seen.length);
          expect(group.size).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });
});
