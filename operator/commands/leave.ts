/**
 * Takes the history finalizer off every incident, so that an uninstall in whatever order cannot hang on it: each comes off once its
 * last act is numbered and Postgres has all of it; what Postgres does not get in time is given up only by who says so. Promises that
 * no operator leads meanwhile, who would put them back. Deletes nothing.
 */
import type { Incident } from '@funnelai/crds/generated/types';
import { HISTORY_FINALIZER, INCIDENTS, type Resource } from '@funnelai/crds/meta';
import { createRuleBook } from '@funnelai/domain/rule-book';
import type { Mirror } from '@funnelai/history/mirror';
import type { JsonPatchOp, KubeClient } from '@funnelai/kube/client';
import type { Clock } from '@funnelai/kube/clock';
import { isConflict, isForbidden, isInvalid, isNotFound, KubeError, messageOf } from '@funnelai/kube/errors';
import type { Log } from '@funnelai/kube/log';
import { keyOf } from '@funnelai/kube/paths';
import type { Registry } from 'prom-client';
import { createReflectors } from '../caches.ts';
import { type Controller, withOwnWrites } from '../controller.ts';
import { FIELD_MANAGER, whoAmI } from '../identity.ts';
import { createIncidentController } from '../incident/reconcile.ts';
import { createMetrics } from '../metrics.ts';
import { decideRelease } from '../mirror/decide.ts';
import { type BookEntry, createMirrorBook } from '../mirror/facts.ts';
import { createMirrorController } from '../mirror/reconcile.ts';
import { holdLease } from './hold-lease.ts';

const POLL_MS = 200;
const SYNC_MS = 60_000;
/** Finalizers taken off at once. */
const AT_ONCE = 8;
const PAGE = 500;

export interface LeaveOptions {
  client: KubeClient;
  clock: Clock;
  log: Log;
  registry: Registry;
  /** Without it all is given up: only together with `waive`. */
  openMirror?: () => Mirror;
  waive: boolean;
  /** How long history may take. */
  waitMs: number;
  leaseNamespace: string;
  instance: string;
  /** Only this one, with rights in no other. */
  namespace?: string;
  signal: AbortSignal;
}

export interface LeaveReport {
  /** "namespace/name" of those whose history is complete. */
  mirrored: string[];
  /** Of those whose history was given up, with what Postgres lacks. */
  waived: { incident: string; because: string }[];
  /** Of those that still have the finalizer. */
  held: { incident: string; because: string }[];
}

/** @throws Error when an operator leads. What the API server forbids is in the report, and holds up no other. */
export async function leave(o: LeaveOptions): Promise<LeaveReport> {
  const { client, clock, log, signal } = o;
  const report: LeaveReport = { mirrored: [], waived: [], held: [] };
  const served = (resource: Resource) => isServed(client, resource, o.namespace);
  if (!(await served(INCIDENTS))) return report;
  const identity = await whoAmI(client);
  const lease = await holdLease({ ...o, namespace: o.leaseNamespace });
  const reflectors = createReflectors({ client, clock, log, metrics: o.registry, namespace: o.namespace });
  const { caches } = reflectors;
  const rules = createRuleBook(caches.rules);
  const book = createMirrorBook(o.openMirror !== undefined);
  const metrics = createMetrics(o.registry);
  // Who leaves tells nobody: there may be no namespace left to say it in.
  const events = { event: () => {}, flush: async () => {} };
  const said = { take: () => [], giveBack: () => {} };
  const plain = { client, clock, log, caches, rules, identity, events, metrics, registry: o.registry };
  const deps = withOwnWrites(plain, { kinds: reflectors.kinds, stop: signal });
  /** What the API server says of those that it does not let go, by incident. */
  const forbidden = new Map<string, string>();
  const controllers: Controller[] = [
    createIncidentController({ ...deps, book, numbersOnly: true }),
    ...(o.openMirror === undefined
      ? []
      : [createMirrorController({ ...deps, book, openMirror: o.openMirror, said, leadsSince: () => false })]),
  ];
  try {
    reflectors.start();
    // Whoever deleted all kinds at once has taken those away that nothing holds; only incidents are left, and are what this is about.
    const others = reflectors.kinds.map(({ resource }) => resource).filter((resource) => resource !== INCIDENTS);
    const areServed = await Promise.all(others.map(served));
    const gone = others.filter((_, i) => !areServed[i]);
    await reflectors.waitForSync(AbortSignal.any([signal, AbortSignal.timeout(SYNC_MS)]), gone);
    for (const controller of controllers) controller.start();
    const giveUpAt = clock.monotonicMs() + (o.openMirror === undefined ? 0 : o.waitMs);
    const seen = new Set<string>();
    for (;;) {
      signal.throwIfAborted();
      if (lease.isLost())
        throw new Error(`another process took the Lease meanwhile; stop every operator, then run it again`);
      const held = [...caches.incidents.list()].filter(hasFinalizer);
      for (const incident of held) seen.add(keyOf(incident));
      const isOver = clock.monotonicMs() >= giveUpAt;
      const decided = held.map((incident) => decide(incident, book.of(incident.metadata.uid ?? '')));
      const going = decided.filter(
        ({ incident, because }) => !forbidden.has(keyOf(incident)) && (because === undefined || (isOver && o.waive)),
      );
      for (let i = 0; i < going.length; i += AT_ONCE) {
        await Promise.all(going.slice(i, i + AT_ONCE).map((one) => release(one)));
      }
      if (held.length === 0 && (await noneIsLeft(client, o.namespace))) return complete(seen);
      const isHopeless = held.every((incident) => forbidden.has(keyOf(incident)));
      if ((isOver || isHopeless) && going.length === 0 && held.length > 0) {
        report.held = decided.map(({ incident, because }) => ({
          incident: keyOf(incident),
          because: forbidden.get(keyOf(incident)) ?? because ?? 'it was made just now',
        }));
        return complete(seen);
      }
      await clock.sleep(POLL_MS, signal);
    }
  } finally {
    await Promise.all(controllers.map((controller) => controller.stop()));
    rules.stop();
    await reflectors.stop();
    await lease.release();
  }

  async function release({ incident, because }: Decided): Promise<void> {
    const { namespace = '', name } = incident.metadata;
    try {
      caches.incidents.observe(
        await client.jsonPatch<Incident>(INCIDENTS, { namespace, name }, removal(incident), {
          fieldManager: FIELD_MANAGER,
        }),
      );
    } catch (error) {
      if (isForbidden(error)) forbidden.set(keyOf(incident), messageOf(error));
      // It changed in between and is decided anew; or it is gone already.
      else if (!isConflict(error) && !isInvalid(error) && !isNotFound(error)) throw error;
      return;
    }
    if (because !== undefined) report.waived.push({ incident: keyOf(incident), because });
  }

  /** Those that are being deleted are let go by the mirror itself, as ever. */
  function complete(seen: ReadonlySet<string>): LeaveReport {
    const others = new Set([...report.waived, ...report.held].map(({ incident }) => incident));
    report.mirrored = [...seen].filter((incident) => !others.has(incident));
    return report;
  }
}

interface Decided {
  incident: Incident;
  /** What history lacks; undefined when it has all. */
  because?: string;
}

/** As if it were being deleted: then the same proof is asked for. */
function decide(incident: Incident, facts: BookEntry | undefined): Decided {
  const { deletionTimestamp = 'now' } = incident.metadata;
  const verdict = decideRelease({ ...incident, metadata: { ...incident.metadata, deletionTimestamp } }, facts);
  return verdict.kind === 'hold' ? { incident, because: facts?.refused ?? verdict.because } : { incident };
}

const hasFinalizer = ({ metadata }: Incident): boolean => metadata.finalizers?.includes(HISTORY_FINALIZER) ?? false;

function removal({ metadata }: Incident): JsonPatchOp[] {
  const at = metadata.finalizers?.indexOf(HISTORY_FINALIZER) ?? -1;
  return [
    { op: 'test', path: '/metadata/uid', value: metadata.uid },
    { op: 'test', path: '/metadata/resourceVersion', value: metadata.resourceVersion },
    { op: 'test', path: `/metadata/finalizers/${at}`, value: HISTORY_FINALIZER },
    { op: 'remove', path: `/metadata/finalizers/${at}` },
  ];
}

/** The kinds may be gone already: without incidents nothing can hold on to anything. */
async function isServed(client: KubeClient, resource: Resource, namespace: string | undefined): Promise<boolean> {
  try {
    await client.list(resource, { namespace, limit: 1 });
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

/** Asked of the API server itself: a cache may be a moment behind. The last finalizer may have been all that kept the kind itself. */
async function noneIsLeft(client: KubeClient, namespace: string | undefined): Promise<boolean> {
  let token: string | undefined;
  try {
    do {
      const page = await client.list<Incident>(INCIDENTS, { namespace, limit: PAGE, continue: token });
      if (page.items.some(hasFinalizer)) return false;
      token = page.metadata.continue;
    } while (token !== undefined && token !== '');
  } catch (error) {
    if (isNotFound(error)) return true;
    // Asked again in a moment.
    if (error instanceof KubeError && error.transient) return false;
    throw error;
  }
  return true;
}
