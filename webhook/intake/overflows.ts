/**
 * Writes the overflow Alerts: makes one when its first alert is folded, brings its count up to date at most once in ten seconds,
 * resolves or expires it with the last of its alerts. Any replica may do it for all: what is written follows from what Postgres has, and is
 * bound to the version that was read.
 */
import { createHash } from 'node:crypto';
import type { Alert, AlertSpec } from '@funnelai/crds/generated/types';
import { ALERTS, API_VERSION } from '@funnelai/crds/meta';
import { alertName } from '@funnelai/domain/fingerprint';
import {
  commonLabels,
  countedOverflow,
  FOLDED_WRITE_MS,
  type FoldCount,
  newOverflow,
  REST_OF_SOURCE,
} from '@funnelai/domain/folding';
import { msBetween } from '@funnelai/domain/instants';
import { type Labels, labelsFrom, labelValue } from '@funnelai/domain/labels';
import type { Cache } from '@funnelai/kube/cache';
import type { KubeClient } from '@funnelai/kube/client';
import type { Clock } from '@funnelai/kube/clock';
import {
  isAlreadyExists,
  isConflict,
  isNamespaceTerminating,
  isNotFound,
  KubeError,
  messageOf,
} from '@funnelai/kube/errors';
import type { Log } from '@funnelai/kube/log';
import { createSeldom } from '@funnelai/kube/seldom';
import { OVERFLOW_TICK_MS } from '../limits.ts';
import type { Folds } from './folds.ts';
import type { KeyedLock } from './keyed-lock.ts';
import type { LiveBook } from './live-book.ts';
import { mergePatchOf } from './merge-patch.ts';

export interface Overflows {
  /** An alert was folded: its overflow Alert is there and fires, or it is logged why not. Never throws. */
  ensure(o: {
    namespace: string;
    name: string;
    /** One of its alerts. */
    sample: AlertSpec;
    /** It was not counted as firing before. */
    isNews: boolean;
  }): Promise<void>;
  start(): void;
  stop(): Promise<void>;
}

export interface OverflowDeps {
  client: KubeClient;
  alerts: Cache<Alert>;
  /** Looks in this one alone for what is missing; in all when absent. */
  namespace?: string | undefined;
  live: LiveBook;
  folds: Folds | undefined;
  lock: KeyedLock;
  clock: Clock;
  log: Log;
}

const FIELD_MANAGER = 'funnelai-webhook';
const ATTEMPTS = 4;
/** Those that are missing are looked for in every fifth round. */
const ROUNDS_PER_SEARCH = 5;

type Key = { namespace: string; name: string };
interface Writing {
  /** False when there is nothing to do for what is there: then Postgres is not asked. */
  isNeeded(held: AlertSpec | undefined): boolean;
  isNews: boolean;
  /** From what is there to what is to be there; undefined when that is the same. */
  decide(held: AlertSpec | undefined, counted: FoldCount): AlertSpec | undefined;
}

export function createOverflows(deps: OverflowDeps): Overflows {
  const { client, alerts, live, folds, lock, clock, log } = deps;
  /** By overflow Alert, what the labels of its alerts had in common since its last write. */
  const seen = new Map<string, Labels>();
  let cancel = () => {};
  let working: Promise<void> = Promise.resolve();
  let round = 0;
  const seldom = createSeldom(clock);

  async function write(key: Key, { isNeeded, isNews, decide }: Writing): Promise<void> {
    await lock.run(`overflow/${key.namespace}/${key.name}`, async () => {
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        const held = attempt === 0 ? alerts.get(key.namespace, key.name) : await read(key);
        if (held?.metadata.deletionTimestamp !== undefined || folds === undefined || !isNeeded(held?.spec)) return;
        const isBirth = held === undefined || (isNews && held.spec.state === 'Resolved');
        const since = isBirth ? clock.now().toString() : held.spec.startsAt;
        const [counted] = await folds.counts([{ namespace: key.namespace, overflow: key.name, since }]);
        const next = counted && decide(held?.spec, counted);
        if (next === undefined) return;
        try {
          alerts.observe(await put(key, held, next));
          seen.delete(textOf(key));
          return;
        } catch (error) {
          if (isNamespaceGone(error)) return folds.abandon({ namespace: key.namespace, overflow: key.name });
          if (!isAlreadyExists(error) && !isConflict(error) && !isNotFound(error)) throw error;
        }
      }
    });
  }

  /** What one namespace refuses, by a quota say, holds up no other. */
  async function writeSafely(key: Key, writing: Writing): Promise<void> {
    try {
      await write(key, writing);
    } catch (error) {
      const why = messageOf(error);
      const word = seldom.say(why);
      if (word) log.warn({ ...key, ...word, why }, 'an overflow Alert is not written; it will be with the next count');
    }
  }

  function put(key: Key, held: Alert | undefined, next: AlertSpec): Promise<Alert> {
    const options = { fieldManager: FIELD_MANAGER };
    if (held === undefined)
      return client.create<Alert>(
        ALERTS,
        { apiVersion: API_VERSION, kind: 'Alert', metadata: key, spec: next },
        options,
      );
    const { uid, resourceVersion } = held.metadata;
    const patch = { metadata: { uid, resourceVersion }, spec: mergePatchOf(held.spec, next) };
    return client.mergePatch<Alert>(ALERTS, key, patch, options);
  }

  async function read(key: Key): Promise<Alert | undefined> {
    try {
      return await client.get<Alert>(ALERTS, key);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** One whose alerts fire: made where it is missing, fired again where it has resolved. */
  function birth({ namespace, name }: Key, o: { isNews: boolean; sample: AlertSpec }): Writing {
    return {
      isNews: o.isNews,
      isNeeded: (held) => held === undefined || (o.isNews && held.state !== 'Firing'),
      decide(held, counted) {
        if (held !== undefined) return count(namespace, name, held, counted, o.isNews);
        const { sample } = o;
        const kind = kindNamed(name, sample.sourceRef.name, live.kindOf(namespace, sample));
        return counted.firing === 0 ? undefined : newOverflow({ sample, kind, counted, now: clock.now() });
      },
    };
  }

  function count(namespace: string, name: string, held: AlertSpec, counted: FoldCount, isNews: boolean) {
    const common = seen.get(textOf({ namespace, name }));
    const labels = common && commonLabels(held, common, live.rulesOf(namespace));
    const now = clock.now();
    const sinceMs = sinceCount(held, now.toString());
    return countedOverflow(held, { counted, labels, isNews, now, sinceMs });
  }

  /** Counts those that were counted long enough ago, and now and then looks for such as should be there and are not. */
  async function tick(): Promise<void> {
    if (folds === undefined || !alerts.synced || !alerts.fresh()) return;
    round += 1;
    const now = clock.now().toString();
    const due = live.overflows().filter(({ spec }) => (sinceCount(spec, now) ?? FOLDED_WRITE_MS) >= FOLDED_WRITE_MS);
    await countAll(due);
    if (round % ROUNDS_PER_SEARCH !== 1) return;
    for (const { namespace, overflow: name, spec: sample } of await folds.firing(deps.namespace)) {
      if (alerts.get(namespace, name) !== undefined) continue;
      await writeSafely({ namespace, name }, birth({ namespace, name }, { isNews: false, sample }));
    }
  }

  /** One question to Postgres for all of them; only those whose count has changed are written. */
  async function countAll(overflows: readonly Alert[]): Promise<void> {
    if (folds === undefined || overflows.length === 0) return;
    const asked = overflows.map(({ metadata, spec }) => ({
      namespace: metadata.namespace ?? '',
      overflow: metadata.name,
      since: spec.startsAt,
    }));
    for (const { namespace, overflow: name, ...counted } of await folds.counts(asked)) {
      const held = alerts.get(namespace, name);
      if (held === undefined || count(namespace, name, held.spec, counted, false) === undefined) continue;
      await writeSafely(
        { namespace, name },
        {
          isNews: false,
          isNeeded: (spec) => spec !== undefined,
          decide: (spec, now) => spec && count(namespace, name, spec, now, false),
        },
      );
    }
  }

  function arm(): void {
    cancel = clock.after(OVERFLOW_TICK_MS, () => {
      working = tick()
        .catch((error: unknown) => log.warn({ why: messageOf(error) }, 'folded alerts could not be counted'))
        .then(arm);
    });
  }

  return {
    async ensure({ namespace, name, isNews, sample }) {
      const key = { namespace, name };
      if (isNews) note(seen, textOf(key), sample.labels ?? {});
      const writing = birth(key, { isNews, sample });
      if (!writing.isNeeded(alerts.get(namespace, name)?.spec)) return;
      await writeSafely(key, writing);
    },
    start: arm,
    async stop() {
      await working;
      cancel();
    },
  };
}

/** Undefined when nobody can say: a count that lies ahead was made under another clock, and holds nothing back. */
function sinceCount({ folded }: AlertSpec, now: string): number | undefined {
  const sinceMs = msBetween(folded?.asOf, now);
  return sinceMs !== undefined && sinceMs >= 0 ? sinceMs : undefined;
}

const isNamespaceGone = (error: unknown): boolean =>
  isNamespaceTerminating(error) ||
  (error instanceof KubeError && isNotFound(error) && error.details?.kind === 'namespaces');

const textOf = ({ namespace, name }: Key): string => `${namespace}/${name}`;

/** The fingerprint that belongs to the name; one of its own where the rules have changed since, so that it is of no present kind. */
function kindNamed(name: string, source: string, kind: string): string {
  const known = [kind, REST_OF_SOURCE].find((one) => alertName(source, one) === name);
  return known ?? createHash('sha256').update(`overflow ${name}`).digest('hex');
}

function note(seen: Map<string, Labels>, key: string, labels: Labels): void {
  const before = seen.get(key);
  const common =
    before === undefined
      ? labels
      : labelsFrom(Object.entries(before).filter(([name, value]) => labelValue(labels, name) === value));
  seen.set(key, common);
}
