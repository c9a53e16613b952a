/**
 * Keeps Postgres a true mirror of incidents and alerts, and lets a deleted Incident go only once Postgres has all of it. Works
 * beside the other controllers and never holds them: with Postgres away it waits, everything else goes on. Who may write is
 * Postgres' word (`fence`): one that is told no stops, and asks again only after it has led for longer than any Lease lasts.
 */
import type { Alert, Incident } from '@funnelai/crds/generated/types';
import type { KubeObject } from '@funnelai/crds/meta';
import type { MirroredKind } from '@funnelai/history/compare';
import { HistoryFenced, HistoryRefused } from '@funnelai/history/errors';
import type { IncidentResult, Mirror } from '@funnelai/history/mirror';
import type { Controller, Deps } from '../controller.ts';
import { createBatcher } from './batcher.ts';
import { compareVersions, isVanished } from './decide.ts';
import { entryAfter, type MirrorBook } from './facts.ts';
import { createGoneObjects, type GoneObjects } from './gone.ts';
import type { KeptEvents } from './kept-events.ts';
import { comparePass, type Side, sideOf } from './pass.ts';
import { createReleaser } from './release.ts';
import { createMirrorTerm, type MirrorTermOptions } from './term.ts';
import { createVerdicts } from './verdicts.ts';

const KINDS: readonly MirroredKind[] = ['Incident', 'Alert'];
const INCIDENT_BATCH = 100;
const ALERT_BATCH = 200;
const INCIDENT_GATHER_MS = 20;
/** Long enough that an alert's birth and its answer are one row written once. */
const ALERT_GATHER_MS = 250;
const BASE_DELAY_MS = 500;
const MAX_DELAY_MS = 15_000;
/** Both sides are compared so often; what was refused is offered again then. */
const PASS_MS = 600_000;
const PASS_RETRY_MS = 15_000;
/** So often it is asked whether Postgres is there, and which: when nothing happens nobody else would notice. */
const LOOK_MS = 10_000;
/** For what waits and what is in hand. Of the three seconds in which a stop is to be followed a standby needs two to look at the Lease again. */
const STOP_DRAIN_MS = 500;

export interface MirrorDeps extends Deps {
  openMirror: () => Mirror;
  book: MirrorBook;
  /** What was said and is to be kept. */
  said: Pick<KeptEvents, 'take' | 'giveBack'>;
  leadsSince: MirrorTermOptions['leadsSince'];
  /** How long history keeps what left the cluster; absent: for ever. */
  keepHistoryMs?: number | undefined;
  /** How often Postgres is looked for; 10 s when absent. */
  historyLookMs?: number | undefined;
}

/** `writes` is the term's own mirror, for who must have an object in history before going on: a second one would fence this one off. */
export interface MirrorController extends Controller {
  writes: Pick<Mirror, 'putAlerts' | 'putIncidents'>;
}

export function createMirrorController(deps: MirrorDeps): MirrorController {
  const { book, caches, client, clock, events, log, metrics } = deps;
  const onFull = () => metrics.bounded('mirror_deleted');
  const goneIncidents = createGoneObjects<Incident>({ clock, onFull });
  const goneAlerts = createGoneObjects<Alert>({ clock, onFull });
  const verdicts = createVerdicts({ metrics, events });
  const common = { clock, log, baseDelayMs: BASE_DELAY_MS, maxDelayMs: MAX_DELAY_MS };
  const incidents = createBatcher({
    ...common,
    name: 'mirror-incidents',
    size: INCIDENT_BATCH,
    gatherMs: INCIDENT_GATHER_MS,
    flush: (uids) => term.use((mirror) => flushIncidents(mirror, uids)),
    onDepth: (depth) => metrics.historyBacklog('Incident', depth),
  });
  const alerts = createBatcher({
    ...common,
    name: 'mirror-alerts',
    size: ALERT_BATCH,
    gatherMs: ALERT_GATHER_MS,
    flush: (uids) => term.use((mirror) => flushAlerts(mirror, uids)),
    onDepth: (depth) => metrics.historyBacklog('Alert', depth),
  });
  const observe = (incident: Incident) => caches.incidents.observe(incident);
  const release = createReleaser({ book, client, clock, log, observe, offer: (uid) => incidents.add(uid) });
  const { openMirror, leadsSince } = deps;
  const term = createMirrorTerm({ openMirror, clock, log, metrics, leadsSince, onOtherEpoch: askAnew });
  let unsubscribe: (() => void)[] = [];
  let cancelPass = () => {};
  let cancelLook = () => {};
  let passing: Promise<void> = Promise.resolve();
  let running = false;

  /** Nothing that was known of rows holds any more, refusals neither. */
  function askAnew(): void {
    book.reset();
    verdicts.forgetAll();
    for (const incident of caches.incidents.list()) incidents.add(incident.metadata.uid ?? '');
    schedulePass(PASS_RETRY_MS);
  }

  /** Whatever is said of an incident comes with a write of it, before or after. */
  async function keepSaid(mirror: Mirror): Promise<void> {
    const events = deps.said.take();
    if (events.length === 0) return;
    try {
      await mirror.putEvents(events);
    } catch (error) {
      // What Postgres will never take must not hold up what it takes.
      if (error instanceof HistoryRefused) {
        log.error({ err: error, events: events.length }, 'what was said of incidents is not kept');
        return;
      }
      deps.said.giveBack(events);
      throw error;
    }
  }

  /** After each comparison a piece: what history is to forget has no hurry, and what fails comes with the next. */
  async function keepMonths(): Promise<void> {
    try {
      const { made, dropped, deleted } = await term.use((mirror) => mirror.keepMonths({ keepMs: deps.keepHistoryMs }));
      metrics.historyPruned(dropped.length, deleted);
      if (made.length + dropped.length + deleted > 0)
        log.info({ made, dropped, deleted }, 'kept the months of history');
    } catch (error) {
      log.warn({ err: error }, 'the months of history were not kept');
    }
  }

  async function flushIncidents(mirror: Mirror, uids: string[]): Promise<string[]> {
    const batch = objectsOf('Incident', uids, caches.incidents, goneIncidents);
    const results = batch.length === 0 ? [] : await mirror.putIncidents(batch);
    const again: string[] = [];
    for (const [i, incident] of batch.entries()) {
      const uid = incident.metadata.uid ?? '';
      const result = results[i];
      if (result === undefined) again.push(uid);
      else settle(incident, result);
    }
    await release(mirror, batch);
    for (const uid of uids) await markGone(mirror, 'Incident', uid, goneIncidents);
    await keepSaid(mirror);
    return again;
  }

  function settle(incident: Incident, result: IncidentResult): void {
    const uid = incident.metadata.uid ?? '';
    verdicts.note('Incident', incident, result);
    book.update(uid, entryAfter(book.of(uid), incident, result, clock.monotonicMs()));
  }

  async function flushAlerts(mirror: Mirror, uids: string[]): Promise<string[]> {
    const batch = objectsOf('Alert', uids, caches.alerts, goneAlerts);
    const results = batch.length === 0 ? [] : await mirror.putAlerts(batch);
    const again: string[] = [];
    for (const [i, alert] of batch.entries()) {
      const result = results[i];
      if (result === undefined) again.push(alert.metadata.uid ?? '');
      else verdicts.note('Alert', alert, result);
    }
    for (const uid of uids) await markGone(mirror, 'Alert', uid, goneAlerts);
    return again;
  }

  function objectsOf<T extends KubeObject>(
    kind: MirroredKind,
    uids: string[],
    cache: { byUid(uid: string): T | undefined },
    gone: GoneObjects<T>,
  ): T[] {
    return uids.flatMap((uid) => {
      const object = cache.byUid(uid) ?? gone.of(uid)?.object;
      return object === undefined || verdicts.isRefused(kind, object) ? [] : [object];
    });
  }

  async function markGone<T extends KubeObject>(
    mirror: Mirror,
    kind: MirroredKind,
    uid: string,
    gone: GoneObjects<T>,
  ): Promise<void> {
    const last = gone.of(uid);
    if (last === undefined) return;
    await mirror.markDeleted(kind, uid, last.at, { vanished: last.vanished });
    gone.forget(uid);
    verdicts.forget(kind, uid);
    if (kind === 'Incident') book.forget(uid);
  }

  function onIncident(incident: Incident, deleted: boolean): void {
    const uid = incident.metadata.uid ?? '';
    if (deleted) goneIncidents.remember(incident, isVanished(incident));
    else goneIncidents.forget(uid);
    const before = book.of(uid);
    const newer = before?.resourceVersion !== incident.metadata.resourceVersion;
    if (newer && before?.waitingSinceMs === undefined) {
      book.update(uid, { ...before, waitingSinceMs: clock.monotonicMs() });
    }
    incidents.add(uid);
  }

  /** After an etcd that was set back, lists are the cluster's word though their versions are lower. */
  function lookBack(event: { type: string; object: KubeObject; old?: KubeObject }): void {
    const before = event.old?.metadata.resourceVersion;
    if (before === undefined || compareVersions(before, event.object.metadata.resourceVersion) <= 0) return;
    if (term.wentBack()) askAnew();
  }

  const sides: Side[] = [
    sideOf('Incident', caches.incidents, goneIncidents, incidents),
    sideOf('Alert', caches.alerts, goneAlerts, alerts),
  ];

  function keepLooking(): void {
    cancelLook = clock.after(deps.historyLookMs ?? LOOK_MS, async () => {
      // What goes wrong is noted by the term.
      await term.use((mirror) => mirror.look()).catch(() => {});
      if (running) keepLooking();
    });
  }

  function schedulePass(ms: number): void {
    cancelPass();
    cancelPass = running ? clock.after(ms, pass) : () => {};
  }

  function pass(): void {
    verdicts.forgetAll();
    schedulePass(PASS_MS);
    passing = passing.then(async () => {
      try {
        await term.use((mirror) =>
          comparePass({
            mirror,
            sides,
            now: () => clock.now(),
            repaired: metrics.historyRepaired,
            goOn: () => running && term.isPresent(mirror),
          }),
        );
        await term.use(keepSaid);
      } catch (error) {
        log.warn({ err: error }, 'cluster and history could not be compared; trying again');
        if (!(error instanceof HistoryFenced)) schedulePass(PASS_RETRY_MS);
        return;
      }
      await keepMonths();
    });
  }

  return {
    writes: {
      putAlerts: (batch) => term.use((mirror) => mirror.putAlerts(batch)),
      putIncidents: (batch) => term.use((mirror) => mirror.putIncidents(batch)),
    },
    name: 'mirror',
    start() {
      running = true;
      metrics.historyLag(() => Math.max(incidents.lagMs(), alerts.lagMs()) / 1_000);
      unsubscribe = [
        caches.incidents.subscribe((event) => {
          lookBack(event);
          onIncident(event.object, event.type === 'deleted');
        }),
        caches.alerts.subscribe((event) => {
          lookBack(event);
          const uid = event.object.metadata.uid ?? '';
          if (event.type === 'deleted') goneAlerts.remember(event.object, false);
          else goneAlerts.forget(uid);
          alerts.add(uid);
        }),
      ];
      // Of each incident it has to be known up to where history goes; alerts that are the same on both sides need no write.
      for (const incident of caches.incidents.list()) incidents.add(incident.metadata.uid ?? '');
      pass();
      keepLooking();
      incidents.start();
      alerts.start();
    },
    async stop() {
      for (const leave of unsubscribe) leave();
      running = false;
      cancelPass();
      cancelLook();
      term.stop();
      // Also for who writes beside the batches.
      clock.after(STOP_DRAIN_MS, () => term.cut());
      await Promise.all([incidents.stop(STOP_DRAIN_MS), alerts.stop(STOP_DRAIN_MS), passing]);
      verdicts.forgetAll();
      // Of a replica that does not write history nothing waits for it, and it knows nothing of Postgres.
      metrics.historyLag(() => 0);
      for (const kind of KINDS) metrics.historyBacklog(kind, 0);
      metrics.historyAvailable(undefined);
    },
    idle: async () => {
      await passing;
      await Promise.all([incidents.idle(), alerts.idle()]);
    },
  };
}
