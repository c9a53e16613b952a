/** What a process of ours says of itself at /metrics. */
import type { OurProcess } from './processes.ts';

/** Resolves the value of one series, with its labels as they stand there; undefined where there is none. */
export async function metricOf(process: Pick<OurProcess, 'metricsUrl'>, series: string): Promise<number | undefined> {
  return (await seriesOf(process)).find(([name]) => name === series)?.[1];
}

/** Resolves the sum of all series of that name, whatever their labels; 0 where there is none. */
export async function sumOf(process: Pick<OurProcess, 'metricsUrl'>, name: string): Promise<number> {
  return (await seriesOf(process)).reduce(
    (sum, [series, value]) => (series.startsWith(`${name}{`) ? sum + value : sum),
    0,
  );
}

async function seriesOf({ metricsUrl }: Pick<OurProcess, 'metricsUrl'>): Promise<[series: string, value: number][]> {
  const text = await (await fetch(metricsUrl)).text();
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]);
}
