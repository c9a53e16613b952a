/** What a process of ours says of itself at /metrics. */
import type { OurProcess } from './processes.ts';

/** Resolves the value of one series, with its labels as they stand there; undefined where there is none. */
export async function metricOf(
  { metricsUrl }: Pick<OurProcess, 'metricsUrl'>,
  series: string,
): Promise<number | undefined> {
  const text = await (await fetch(metricsUrl)).text();
  const line = text.split('\n').find((one) => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}
