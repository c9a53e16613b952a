/** What vitest's JSON report says, as two numbers. A file that could not even be loaded counts as one failure. */

interface Report {
  numPassedTests?: number;
  numFailedTests?: number;
  testResults?: { status?: string; assertionResults?: { status?: string }[] }[];
}

export interface Count {
  passed: number;
  failed: number;
}

/** `exitCode` is vitest's own: an error outside every test (an unhandled rejection, a failed set-up) must not read as success. */
export function countResults(report: unknown, exitCode: number): Count {
  const { numPassedTests = 0, testResults = [] } = (report ?? {}) as Report;
  let failed = 0;
  for (const { status, assertionResults = [] } of testResults) {
    const inFile = assertionResults.filter((result) => result.status === 'failed').length;
    failed += inFile > 0 ? inFile : status === 'failed' ? 1 : 0;
  }
  if (failed === 0 && (exitCode !== 0 || numPassedTests === 0)) failed = 1;
  return { passed: numPassedTests, failed };
}
