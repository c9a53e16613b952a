import { expect, it } from 'vitest';
import { countResults } from './results.ts';

const file = (status: string, ...results: string[]) => ({
  status,
  assertionResults: results.map((result) => ({ status: result })),
});

it('counts tests that passed and failed', () => {
  expect(
    countResults(
      { numPassedTests: 3, testResults: [file('failed', 'passed', 'failed'), file('passed', 'passed', 'passed')] },
      1,
    ),
  ).toEqual({ passed: 3, failed: 1 });
});

it('counts a file that could not be loaded', () => {
  expect(
    countResults({ numPassedTests: 2, testResults: [file('failed'), file('passed', 'passed', 'passed')] }, 1),
  ).toEqual({ passed: 2, failed: 1 });
});

it('counts an error outside every test, a missing report and a run of nothing', () => {
  expect(countResults({ numPassedTests: 2, testResults: [file('passed', 'passed', 'passed')] }, 1)).toEqual({
    passed: 2,
    failed: 1,
  });
  expect(countResults(undefined, 1)).toEqual({ passed: 0, failed: 1 });
  expect(countResults({ numPassedTests: 0, testResults: [] }, 0)).toEqual({ passed: 0, failed: 1 });
});
