import { describe, expect, it } from 'vitest';
import { createKeyedMutex } from './keyed-mutex.ts';

describe('a keyed mutex', () => {
  it('runs one at a time for a key, in the order of arrival, and forgets the key', async () => {
    const mutex = createKeyedMutex();
    const seen: string[] = [];
    const job = (name: string) =>
      mutex.run('a', async () => {
        seen.push(`${name} in`);
        await Promise.resolve();
        seen.push(`${name} out`);
      });
    await Promise.all([job('1'), job('2'), job('3')]);
    expect(seen).toEqual(['1 in', '1 out', '2 in', '2 out', '3 in', '3 out']);
    expect(mutex.size()).toBe(0);
  });

  it('lets other keys pass', async () => {
    const mutex = createKeyedMutex();
    const gate = Promise.withResolvers<void>();
    const held = mutex.run('a', () => gate.promise);
    await expect(mutex.run('b', async () => 'passed')).resolves.toBe('passed');
    gate.resolve();
    await held;
  });

  it('goes on after work that failed, and hands the failure to its caller alone', async () => {
    const mutex = createKeyedMutex();
    const failing = mutex.run('a', async () => {
      throw new Error('died');
    });
    const next = mutex.run('a', async () => 'went on');
    await expect(failing).rejects.toThrow('died');
    await expect(next).resolves.toBe('went on');
  });
});
