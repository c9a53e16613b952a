/**
 * Asks, for each alert of a body, which sources it is an alert of: what `domain/route` decides, fed from the caches, and from Postgres where
 * an alert may be folded elsewhere than it would go today.
 */

import type { Alert, AlertSource, AlertSpec } from '@funnelai/crds/generated/types';
import { type AlertInput, identityOf } from '@funnelai/domain/alert-input';
import { dedupHashOf } from '@funnelai/domain/dedup-identity';
import { alertName } from '@funnelai/domain/fingerprint';
import { labelsFrom } from '@funnelai/domain/labels';
import { type Routes, readRoutes, type Way, wayOf } from '@funnelai/domain/route';
import { faultKey } from '@funnelai/history/fault-key';
import type { Cache } from '@funnelai/kube/cache';
import type { Clock } from '@funnelai/kube/clock';
import { messageOf } from '@funnelai/kube/errors';
import { FOLDED_LOOKED_UP_PER_BODY, FOLDED_PLACES_MS } from '../limits.ts';
import type { WebhookMetrics } from '../metrics.ts';
import { within } from '../server/within.ts';
import type { Folds } from './folds.ts';
import type { LiveBook } from './live-book.ts';
import { inSlices } from './slices.ts';

/** Index of the sources' cache: those that accept, by the source that they accept from. */
export const BY_ORIGIN = 'acceptFrom';

/** Values of a source under BY_ORIGIN. */
export function originsOf({ spec: { acceptFrom } }: AlertSource): string[] {
  return acceptFrom === undefined ? [] : [`${acceptFrom.namespace}/${acceptFrom.name}`];
}

export interface Places extends Way {
  /** Why nobody can say now whether another one has it as well: an end must not pass that one by. */
  doubt?: string;
}
export interface Routing {
  /**
   * Returns who takes each of these alerts of one body that came to `home`. `sees`: in which namespaces it may be known what fires; in all
   * when absent, as for whoever stores.
   */
  of(
    home: AlertSource,
    inputs: readonly AlertInput[],
    sees?: (namespace: string) => boolean,
  ): Promise<(input: AlertInput) => Places>;
}

const staying = (home: AlertSource): Way => ({ places: [home], why: { kind: 'NoRoute' } });

/** Everything stays where it came. */
export const noRouting: Routing = {
  async of(home) {
    const way = staying(home);
    return () => way;
  },
};

export interface RoutingDeps {
  sources: Pick<Cache<AlertSource>, 'byIndex'>;
  alerts: Pick<Cache<Alert>, 'get'>;
  live: Pick<LiveBook, 'overflowsOf'>;
  /** Absent without a database: then nothing is folded. */
  folds: Pick<Folds, 'places'> | undefined;
  clock: Clock;
  metrics: Pick<WebhookMetrics, 'limitReached'>;
}

type State = AlertSpec['state'];
type StateAt = (source: AlertSource) => State | undefined;
/** What is asked about the alerts of one body. */
interface Asked {
  home: AlertSource;
  acceptors: readonly AlertSource[];
  inputs: readonly AlertInput[];
  fingerprintAt(source: AlertSource, input: AlertInput): string;
  wayOf(input: AlertInput, stateAt: StateAt): Way;
}
/** What Postgres has said about them. */
interface Folded {
  stateAt(source: AlertSource, input: AlertInput): State | undefined;
  doubtOf(input: AlertInput): string | undefined;
}
const NOTHING_FOLDED: Folded = { stateAt: () => undefined, doubtOf: () => undefined };

export function createRouting(deps: RoutingDeps): Routing {
  const { live, folds, clock, metrics } = deps;
  /** Of each source as it is now: an edited one is another object. */
  const compiled = new WeakMap<AlertSource, Routes['routes']>();

  function routesOf(home: AlertSource): Routes['routes'] {
    const known = compiled.get(home);
    if (known !== undefined) return known;
    // What does not compile is named by the operator, in the condition Routed.
    const { routes } = readRoutes(home.spec.routes);
    compiled.set(home, routes);
    return routes;
  }

  function liveAt({ fingerprintAt }: Asked, source: AlertSource, input: AlertInput): State | undefined {
    const fingerprint = fingerprintAt(source, input);
    const held = deps.alerts.get(source.metadata.namespace ?? '', alertName(source.metadata.name, fingerprint));
    return held?.spec.fingerprint === fingerprint ? held.spec.state : undefined;
  }

  /**
   * Fingerprints under which an alert may be folded in another place than the one where it goes anyhow, by alert. In the midst of a storm
   * there are none, as nearly all of it is folded where the routes of today lead.
   */
  async function doubtful(asked: Asked): Promise<Map<AlertInput, string[]>> {
    const { home, acceptors, inputs, fingerprintAt } = asked;
    const folding = [home, ...acceptors].filter((source) => live.overflowsOf(keyOf(source)) > 0);
    const found = new Map<AlertInput, string[]>();
    if (folding.length === 0) return found;
    const pause = inSlices(clock);
    let count = 0;
    for (const input of inputs) {
      await pause();
      const [today] = asked.wayOf(input, () => undefined).places;
      const at = (source: AlertSource) => liveAt(asked, source, input);
      // An Alert that fires goes on where it is; only its end has to be told wherever else it may be.
      if (input.state === 'Firing' && [home, ...acceptors].some((source) => at(source) === 'Firing')) continue;
      const stays = asked.wayOf(input, at).places;
      if ([...folding, ...stays].every((source) => source === today)) continue;
      const away = folding.filter((source) => at(source) === undefined);
      const fingerprints = [...new Set(away.map((source) => fingerprintAt(source, input)))];
      count += fingerprints.length;
      if (count > FOLDED_LOOKED_UP_PER_BODY) {
        metrics.limitReached('FOLDED_LOOKED_UP_PER_BODY');
        break;
      }
      if (fingerprints.length > 0) found.set(input, fingerprints);
    }
    return found;
  }

  async function foldedOf(asked: Asked): Promise<Folded> {
    if (folds === undefined) return NOTHING_FOLDED;
    const doubts = await doubtful(asked);
    const fingerprints = [...new Set([...doubts.values()].flat())];
    if (fingerprints.length === 0) return NOTHING_FOLDED;
    try {
      const answers = Promise.all(fingerprints.map((fingerprint) => folds.places(fingerprint)));
      const places = (await within(clock, IN_TIME, answers)).flat();
      const states = new Map(places.map((one) => [faultKey(one), one.state]));
      return {
        stateAt: (source, input) => states.get(`${keyOf(source)}/${asked.fingerprintAt(source, input)}`),
        doubtOf: () => undefined,
      };
    } catch (error) {
      const why = `whether this alert is folded in another namespace cannot be known: Postgres is away: ${messageOf(error)}`;
      return { stateAt: () => undefined, doubtOf: (input) => (doubts.has(input) ? why : undefined) };
    }
  }

  return {
    async of(home, inputs, sees = () => true) {
      const acceptors = deps.sources.byIndex(BY_ORIGIN, keyOf(home));
      const routes = routesOf(home);
      if (acceptors.length === 0 && routes.length === 0) return noRouting.of(home, inputs);
      const asked: Asked = {
        home,
        acceptors,
        inputs,
        fingerprintAt: rememberingFingerprints(),
        wayOf: (input, stateAt) =>
          wayOf({
            home,
            routes,
            acceptors,
            labels: labelsOf(home, input),
            state: input.state,
            stateAt: (source) => (sees(source.metadata.namespace ?? '') ? stateAt(source) : undefined),
          }),
      };
      const folded = await foldedOf(asked);
      return (input) => {
        const way = asked.wayOf(input, (source) => liveAt(asked, source, input) ?? folded.stateAt(source, input));
        // What fires goes by the routes of today then; its end will be told wherever it fires.
        const doubt = input.state === 'Resolved' ? folded.doubtOf(input) : undefined;
        return { ...way, ...(doubt !== undefined && { doubt }) };
      };
    },
  };
}

const IN_TIME = { ms: FOLDED_PLACES_MS, why: `no answer within ${FOLDED_PLACES_MS / 1000} s` };
const keyOf = ({ metadata }: AlertSource): string => `${metadata.namespace ?? ''}/${metadata.name}`;

const labelsOf = (home: AlertSource, { labels }: AlertInput) =>
  labelsFrom([
    ...Object.entries(home.spec.labels ?? {}),
    ...Object.entries(labels).filter(([, value]) => value !== ''),
  ]);

/** Hundreds of sources that accept from one tell faults apart alike: each alert is hashed once for all of them. */
function rememberingFingerprints(): Asked['fingerprintAt'] {
  const known = new Map<AlertInput, Map<string, string>>();
  return (source, input) => {
    const own = known.get(input) ?? new Map<string, string>();
    known.set(input, own);
    const rules = dedupHashOf(source.spec.dedup);
    const fingerprint = own.get(rules) ?? identityOf(input, source).fingerprint;
    own.set(rules, fingerprint);
    return fingerprint;
  };
}
