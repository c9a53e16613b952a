/** `npm run bench [name…]`: runs the benchmarks one after the other on one stage and prints each figure beside what was asked of it. */
import { decisions } from './decisions.ts';
import { footprint } from './footprint.ts';
import { inbox } from './inbox.ts';
import { intake } from './intake.ts';
import { latency } from './latency.ts';
import { mirrorRate } from './mirror.ts';
import { type Figure, report } from './report.ts';
import { cache, events, reconciles } from './runtime.ts';
import { type Bench, openStage } from './stage.ts';
import { storm } from './storm.ts';

const BENCHMARKS: Record<string, (bench: Bench) => Promise<Figure[]>> = {
  intake,
  inbox,
  latency,
  footprint,
  decisions,
  cache,
  events,
  reconciles,
  mirror: (stage) => mirrorRate(stage.databaseUrl),
  storm,
};
const CONDITIONS = ['API server, etcd (fsync on), Postgres (fsync on), webhook, operator and load on this one machine'];

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in BENCHMARKS));
if (unknown.length > 0) {
  console.error(`no benchmark named ${unknown.join(', ')}; there are ${Object.keys(BENCHMARKS).join(', ')}`);
  process.exit(2);
}
const stage = await openStage();
const figures: Figure[] = [];
try {
  for (const [name, run] of Object.entries(BENCHMARKS)) {
    if (asked.length > 0 && !asked.includes(name)) continue;
    console.log(`${name} …`);
    figures.push(...(await run(stage)));
  }
} finally {
  await stage.stop();
}
console.log(`\n${report(figures, CONDITIONS)}`);
process.exitCode = figures.every((figure) => figure.met) ? 0 : 1;
