/** What a benchmark found, as lines for the terminal: each figure beside what was asked of it. */
import { cpus, totalmem } from 'node:os';

export interface Figure {
  name: string;
  /** As printed, with its unit. */
  value: string;
  /** As the issue words it. */
  asked: string;
  met: boolean;
  detail?: string;
}

/** A Markdown table with the conditions above it, to be kept in RESULTS.md. */
export function report(figures: Figure[], conditions: string[]): string {
  const machine = `${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`;
  const rows = figures.map(
    (f) => `| ${f.name} | ${f.value} | ${f.asked} | ${f.met ? 'yes' : '**no**'} | ${f.detail ?? ''} |`,
  );
  return [
    `Machine: ${machine}. ${conditions.join('. ')}.`,
    '',
    '| figure | measured | asked | met | detail |',
    '|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}
