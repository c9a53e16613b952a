/** Which tests exist, what each kind stands on, and how many run side by side. */
import { defineConfig } from 'vitest/config';

const SETUP = './test/harness/global-setup.ts';
const NEVER = ['**/node_modules/**', '**/dist/**', '.funnelai/**'];

export default defineConfig({
  test: {
    // Two cores must do: the control plane takes one of them whenever tests need it.
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['**/*.test.{ts,tsx}'],
          exclude: [...NEVER, '**/*.int.test.ts', '**/*.browser.test.ts', 'test/e2e/**', 'test/faults/**'],
          // Their clocks are their own; a machine that is short of time is no fault of the code.
          testTimeout: 20_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['**/*.int.test.ts'],
          exclude: [...NEVER, 'test/e2e/**'],
          globalSetup: [SETUP],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'browser',
          include: ['**/*.browser.test.ts'],
          exclude: [...NEVER, 'test/e2e/**'],
          globalSetup: [SETUP],
          fileParallelism: false,
          testTimeout: 90_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          exclude: NEVER,
          globalSetup: [SETUP],
          // A story has the machine to itself: its deadlines are part of what it claims.
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 180_000,
          sequence: { groupOrder: 3 },
        },
      },
      {
        extends: true,
        test: {
          name: 'faults',
          include: ['test/faults/**/*.test.ts'],
          exclude: [...NEVER, '**/*.int.test.ts'],
          // Each file breaks a control plane and a Postgres of its own, and mostly waits: two of them share the machine well.
          testTimeout: 300_000,
          hookTimeout: 180_000,
          sequence: { groupOrder: 4 },
        },
      },
    ],
  },
});
