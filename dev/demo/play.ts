/**
 * Plays the demo outage on the first start, beside everything else: alerts through the public intake, moves through the API
 * as ana and bo. A start that was stopped in the middle is taken up where it was; one that was played is never repeated.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { DEMO_LABEL } from '@funnelai/crds/meta';
import { type KubectlTarget, kubectl } from '../kubectl.ts';
import { messageOf } from '../process/fault.ts';
import type { Say } from '../process/say.ts';
import { until } from '../process/until.ts';
import { createDemoApi, type DemoApi, type DemoIncident, type Edit, NAMESPACE, pause, SOURCE } from './api.ts';
import { type DemoAlert, type Story, tellStory } from './story.ts';

const INSTALL = fileURLToPath(new URL('./install.yaml', import.meta.url));
/** Not in the demo's own namespace: whoever deletes that has seen enough. */
const MARKER = { name: 'funnelai-demo', namespace: 'funnel-system' };
const SEEN_MS = 60_000;
/** Longer than the grain of a time in the admission log, so that the timeline reads in order. */
const BETWEEN_MOVES_MS = 1_200;
const ORDER = ['Detection', 'Response', 'Mitigation', 'Resolution', 'Closed'];

export interface Demo {
  source: { namespace: string; name: string; format: string; url: string; token: string };
  /** The incident for the line to copy: the one that nobody has taken, while there is one. */
  movable: Promise<{ name: string; phase: string } | undefined>;
  /** Resolves when all of it was played. */
  played: Promise<void>;
  stop(): void;
}

export interface DemoOptions {
  target: KubectlTarget;
  url: string;
  tokens: { ana: string; bo: string; demoSource: string };
  say: Say;
  /** When the play counts as begun; now, unless its two minutes are to lie behind already. */
  begunAt?: number;
}

/** Sets the stage, starts the play and resolves while it goes on. Undefined when its source was removed after an earlier play. */
export async function playDemo(o: DemoOptions): Promise<Demo | undefined> {
  let progress = await readMarker(o.target);
  if (!progress) {
    await kubectl(
      o.target,
      ['apply', '--server-side', '--force-conflicts', '-f', '-'],
      readFileSync(INSTALL, 'utf8').replaceAll('DEMO_TOKEN', o.tokens.demoSource),
    );
    progress = { base: o.begunAt ?? Date.now(), stage: 'playing' };
    await writeMarker(o.target, progress);
  } else if (!(await hasSource(o.target))) {
    return undefined;
  }
  const { base, stage } = progress;
  const aborted = new AbortController();
  const api = createDemoApi({ ...o, signal: aborted.signal });
  const story = tellStory(base);
  const source = {
    namespace: NAMESPACE,
    name: SOURCE,
    format: 'Alertmanager',
    url: `${o.url}/alerts/${NAMESPACE}/${SOURCE}`,
    token: o.tokens.demoSource,
  };

  const played = stage === 'done' ? Promise.resolve() : play(o, api, story, base, aborted.signal);
  const movable = opened(api, 'workloads', 1, aborted.signal).catch(() => undefined);
  return { source, movable, played, stop: () => aborted.abort(new Error('the demo was stopped')) };
}

async function play(o: DemoOptions, api: DemoApi, story: Story, base: number, signal: AbortSignal): Promise<void> {
  try {
    await api.send(story.workloads);
    await api.send(story.unrelated);
    await Promise.all([
      grow(api, story, signal),
      (async () => {
        await workOnEdge(api, story, signal);
        await workOnDatabases(api, story, signal);
      })(),
    ]);
    await writeMarker(o.target, { base, stage: 'done' });
  } catch (error) {
    if (!signal.aborted)
      o.say(`  the demo broke off: ${messageOf(error)}; everything else works on, the next start takes it up`);
  }
}

async function grow(api: DemoApi, story: Story, signal: AbortSignal): Promise<void> {
  const [first, ...comings] = story.flap;
  if ((await api.episodeOf(first)) === 0) await api.send([first]);
  // What went and came back before anyone has looked was never seen to flap.
  await until('the operator to judge it', SEEN_MS, async () => (await api.episodeOf(first)) > 0, {
    everyMs: 200,
    signal,
  });
  const due = ({ endsAt, startsAt }: DemoAlert) => Date.parse(endsAt ?? startsAt);
  for (const one of [...story.growth, ...comings].sort((a, b) => due(a) - due(b))) {
    if (due(one) > Date.now()) await pause(due(one) - Date.now(), signal);
    if (comings.includes(one) && (await api.episodeOf(one)) > 1) continue;
    // Taken up late, what is missing comes at once; what was stored already is a repeat and changes nothing.
    await api.send([one]);
  }
}

async function workOnEdge(api: DemoApi, story: Story, signal: AbortSignal): Promise<void> {
  const work = workOn(api, 'edge', signal);
  if (await work.isPast('Resolution')) return;
  await api.send(story.edge);
  await opened(api, 'edge', story.edge.length, signal);
  await work.move('bo', 'Response', 'Status page says customers see errors, I am looking');
  await work.move('ana', 'Mitigation', 'Traffic goes to the second load balancer');
  await api.send(story.edgeResolved);
  const because = {
    field: 'resolution',
    from: null,
    to: { reason: 'Fixed', cause: 'An expired certificate on the first load balancer' },
  } as const;
  await work.move('bo', 'Resolution', 'Certificate renewed on lb-1, probes are green', [because]);
  await work.move('ana', 'Closed', 'All probes but one are green, and that one has to catch up');
  await api.send(story.lateResolve);
}

async function workOnDatabases(api: DemoApi, story: Story, signal: AbortSignal): Promise<void> {
  const work = workOn(api, 'databases', signal);
  if (await work.isPast('Mitigation')) return;
  await api.send(story.databases);
  await opened(api, 'databases', story.databases.length, signal);
  await work.move('ana', 'Response', 'orders-db-0 is gone, checking its replicas');
  await work.move('bo', 'Mitigation', 'Failed over to orders-db-1, orders go through again');
  await api.send(story.recovered);
}

interface Work {
  /** True once the incident stands in `phase` or later: an earlier start has been here. */
  isPast(phase: string): Promise<boolean>;
  move(as: 'ana' | 'bo', to: string, reason: string, also?: Edit[]): Promise<void>;
}

function workOn(api: DemoApi, rule: string, signal: AbortSignal): Work {
  const find = async () => (await api.incidents()).find((incident) => incident.rule === rule);
  return {
    async isPast(phase) {
      const incident = await find();
      return incident !== undefined && ORDER.indexOf(incident.phase) >= ORDER.indexOf(phase);
    },
    async move(as, to, reason, also = []) {
      const incident = await find();
      if (!incident || ORDER.indexOf(incident.phase) >= ORDER.indexOf(to)) return;
      await api.edit(as, incident.name, [{ field: 'phase', from: incident.phase, to }, ...also], reason);
      await until(`${incident.name} to be in ${to}`, SEEN_MS, async () => (await find())?.phase === to, {
        everyMs: 200,
        signal,
      });
      await pause(BETWEEN_MOVES_MS, signal);
    },
  };
}

/** The incident of a rule, once it holds that many alerts. */
function opened(api: DemoApi, rule: string, alerts: number, signal: AbortSignal): Promise<DemoIncident> {
  return until(
    `the demo's incident of the rule ${rule}`,
    SEEN_MS,
    async () => (await api.incidents()).find((incident) => incident.rule === rule && incident.alerts.total >= alerts),
    { everyMs: 250, signal },
  );
}

interface Marker {
  base: number;
  stage: 'playing' | 'done';
}

async function readMarker(target: KubectlTarget): Promise<Marker | undefined> {
  const text = await kubectl(target, [
    'get',
    'configmap',
    MARKER.name,
    '-n',
    MARKER.namespace,
    '--ignore-not-found',
    '-o',
    'json',
  ]);
  if (text.trim() === '') return undefined;
  const { data } = JSON.parse(text) as { data?: { base?: string; stage?: string } };
  return { base: Date.parse(data?.base ?? ''), stage: data?.stage === 'done' ? 'done' : 'playing' };
}

async function writeMarker(target: KubectlTarget, { base, stage }: Marker): Promise<void> {
  const marker = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { ...MARKER, labels: { [DEMO_LABEL]: 'true' } },
    data: { base: new Date(base).toISOString(), stage },
  };
  await kubectl(target, ['apply', '--server-side', '--force-conflicts', '-f', '-'], JSON.stringify(marker));
}

async function hasSource(target: KubectlTarget): Promise<boolean> {
  return (
    (
      await kubectl(target, [
        'get',
        'alertsources.funnelai.dev',
        SOURCE,
        '-n',
        NAMESPACE,
        '--ignore-not-found',
        '-o',
        'name',
      ])
    ).trim() !== ''
  );
}
