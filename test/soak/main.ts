/**
 * The soak: a small steady load for an hour (or `--minutes N`) while parts die at random. Ends with 0 when every promise was kept, no watch
 * missed an event, and no process grew; prints a report, and writes it to `--report FILE`.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { systemClock } from '@funnelai/kube/clock';
import { SILENCE_MS } from '@funnelai/kube/reflector';
import { type Stage, startStage } from '../faults/stage.ts';
import { createDice, type Dice } from '../harness/dice.ts';
import { verdict } from '../harness/oracle-reader.ts';
import type { OurProcess } from '../harness/processes.ts';
import { growth, type Sample, sample } from './samples.ts';

const MINUTE_MS = 60_000;
const SAMPLE_MS = 5_000;
/** Six senders, so that an alert comes about every five seconds. */
const PACE = { senderPauseMs: 20_000, personPauseMs: 8_000 };
const CONVERGED_MS = 30_000;
/** After each round the oracle judges, and a new namespace begins. */
const ROUND_MS = 10 * MINUTE_MS;
const DEATH_EVERY_MS = { least: 30_000, spread: 60_000 };

interface Life {
  name: string;
  samples: Sample[];
}

interface Report {
  minutes: number;
  seed: number;
  rounds: {
    namespace: string;
    faults: number;
    acts: number;
    failures: number;
    convergedMs: number;
    broken: string[];
  }[];
  deaths: Map<string, number>;
  lives: Life[];
}

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    report: { type: 'string' },
  },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed);
if (!(minutes > 0) || !Number.isInteger(seed)) {
  process.stderr.write(
    `--minutes: expected a number above 0, --seed: a whole number; found ${values.minutes}, ${values.seed}\n`,
  );
  process.exit(64);
}

const say = (line: string) =>
  process.stdout.write(`${systemClock.now().toString({ smallestUnit: 'second' })} ${line}\n`);

const SILENT = 'watches silent';
/** How much later than that at most the watchdog looks. */
const NOTICED_MS = 15_000;

/** Deaths by name; those of our own two are rarer, so that they live long enough to be seen growing. */
function deathsOf(stage: Stage): Record<string, () => Promise<void>> {
  const reset = () => {
    stage.operatorApi.cut();
    stage.webhookApi.cut();
  };
  return {
    'Postgres killed': () => stage.killPart('postgres'),
    'API server killed': () => stage.killPart('apiserver'),
    'etcd killed': () => stage.killPart('etcd'),
    'connections to Postgres cut': async () => stage.postgres.cut(),
    'connections to Postgres half open': async () => stage.postgres.halfOpen(),
    'connections to the API server cut': async () => reset(),
    [SILENT]: async () => {
      for (const watch of [...stage.operatorApi.watches('alerts'), ...stage.webhookApi.watches('incidents')])
        watch.mute();
    },
  };
}

async function round(stage: Stage, o: { seed: number; dice: Dice; untilMs: number; report: Report }): Promise<void> {
  const namespace = await stage.aNamespace();
  const load = stage.load(namespace, o.seed, PACE);
  const deaths = deathsOf(stage);
  // A silent watch is a fault until it is noticed, and it is noticed by how long it says nothing.
  let lastsUntilMs = 0;
  while (systemClock.monotonicMs() < o.untilMs) {
    await systemClock.sleep(
      Math.min(
        DEATH_EVERY_MS.least + o.dice.roll(DEATH_EVERY_MS.spread),
        Math.max(1, o.untilMs - systemClock.monotonicMs()),
      ),
    );
    const name = o.dice.pick(Object.keys(deaths));
    say(name);
    o.report.deaths.set(name, (o.report.deaths.get(name) ?? 0) + 1);
    await deaths[name]?.();
    if (name === SILENT) lastsUntilMs = systemClock.monotonicMs() + SILENCE_MS + NOTICED_MS;
  }
  const told = await load.finish();
  await systemClock.sleep(Math.max(1, lastsUntilMs - systemClock.monotonicMs()));
  const endedMs = systemClock.monotonicMs();
  const broken = await verdict({ ...stage, namespace }, told, CONVERGED_MS);
  const convergedMs = Math.round(systemClock.monotonicMs() - endedMs);
  const { faults, acts } = told;
  o.report.rounds.push({
    namespace,
    faults: faults.length,
    acts: acts.length,
    failures: load.failures(),
    convergedMs,
    broken,
  });
  say(`judged ${namespace}: ${faults.length} faults, ${acts.length} acts, ${broken.length} broken promises`);
}

/** Follows the process that has the part now; each start is a life of its own. */
async function follow(
  name: string,
  of: () => OurProcess | undefined,
  lives: Life[],
  signal: AbortSignal,
): Promise<void> {
  let pid = 0;
  let life: Life | undefined;
  while (!signal.aborted) {
    const process = of();
    if (process !== undefined) {
      if (process.pid !== pid) {
        pid = process.pid;
        life = { name: `${name} ${pid}`, samples: [] };
        lives.push(life);
      }
      // One that is just dying or starting answers nothing; the next sample will tell.
      const one = await sample(process, systemClock.monotonicMs()).catch(() => undefined);
      if (one !== undefined) life?.samples.push(one);
    }
    await systemClock.sleep(SAMPLE_MS, signal).catch(() => undefined);
  }
}

function faultsOf(report: Report): string[] {
  return [
    ...report.rounds.flatMap(({ namespace, broken }) => broken.map((what) => `${namespace}: ${what}`)),
    ...report.lives.flatMap(({ name, samples }) => [
      ...growth(name, samples),
      ...(samples.some(({ missed }) => missed > 0) ? [`${name}: missed ${samples.at(-1)?.missed} events`] : []),
      ...(samples.some(({ listenerWarnings }) => listenerWarnings > 0) ? [`${name}: listeners pile up`] : []),
    ]),
  ];
}

function words(report: Report): string {
  const rounds = report.rounds.map(
    (r) => `| ${r.faults} | ${r.acts} | ${r.failures} | ${(r.convergedMs / 1_000).toFixed(1)} s | ${r.broken.length} |`,
  );
  const lives = report.lives
    .filter(({ samples }) => samples.length > 1)
    .map(({ name, samples }) => {
      const [first, last] = [samples[0], samples.at(-1)];
      const most = Math.max(...samples.map(({ rssMiB }) => rssMiB));
      const alive = Math.round(((last?.atMs ?? 0) - (first?.atMs ?? 0)) / 1_000);
      return `| ${name} | ${alive} s | ${first?.rssMiB} → ${last?.rssMiB} (${most}) | ${first?.sockets} → ${last?.sockets} | ${first?.handles} → ${last?.handles} | ${last?.missed} |`;
    });
  const found = faultsOf(report);
  return [
    `Soak of ${report.minutes} minutes, seed ${report.seed}: ${found.length === 0 ? 'every promise kept' : `${found.length} faults`}.`,
    '',
    '| faults sent | acts of people | sends that had to be repeated | converged | broken promises |',
    '|---|---|---|---|---|',
    ...rounds,
    '',
    `What was done to it: ${[...report.deaths].map(([name, times]) => `${name} ${times}×`).join(', ')}.`,
    '',
    '| process | lived | RSS MiB, first → last (most) | sockets | handles | missed events |',
    '|---|---|---|---|---|---|',
    ...lives,
    ...(found.length === 0 ? [] : ['', ...found.map((line) => `- ${line}`)]),
    '',
  ].join('\n');
}

const report: Report = { minutes, seed, rounds: [], deaths: new Map(), lives: [] };
say(`soaking for ${minutes} minutes; starting a control plane, Postgres, operator and webhook`);
const stage = await startStage();
const ending = new AbortController();
const followers = [
  follow('operator', () => stage.operators.at(-1), report.lives, ending.signal),
  follow('webhook', () => stage.webhook, report.lives, ending.signal),
];
try {
  const dice = createDice(seed);
  const endMs = systemClock.monotonicMs() + minutes * MINUTE_MS;
  for (let number = 0; systemClock.monotonicMs() < endMs; number += 1) {
    if (number > 0 && number % 3 === 0) {
      say('operator and webhook killed');
      await stage.killOperator();
      await stage.killWebhook();
    }
    const untilMs = Math.min(endMs, systemClock.monotonicMs() + ROUND_MS);
    await round(stage, { seed: seed * 100 + number, dice, untilMs, report });
  }
} finally {
  ending.abort();
  await Promise.all(followers);
  await stage.stop();
}
const text = words(report);
process.stdout.write(`\n${text}`);
if (values.report !== undefined) writeFileSync(values.report, text);
process.exit(faultsOf(report).length === 0 ? 0 : 1);
