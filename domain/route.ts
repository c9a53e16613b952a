/**
 * One sender for many teams: which AlertSource takes an alert that came by another. Promises that nothing goes into a namespace
 * whose own source does not accept it, and that an episode stays where it began: rules that were edited meanwhile apply from the
 * next episode on, or the Resolved of a fault would miss the alert that fires. Storing is the webhook's.
 */
import type { AlertSource, AlertSourceSpec, AlertSpec } from '@funnelai/crds/generated/types';
import { byCodeUnit, type Labels } from './labels.ts';
import { type Matcher, matches, parseMatcher } from './matcher.ts';
import { MatcherSyntaxError } from './matcher-syntax.ts';

/** Routes whose matchers can be asked; those that cannot match nothing, and are named. */
export interface Routes {
  routes: { at: number; namespace: string; matchers: Matcher[] }[];
  /** `field` is like `routes[1].match[0]`. */
  faults: { field: string; message: string }[];
}

export function readRoutes(routes: AlertSourceSpec['routes'] = []): Routes {
  const read: Routes = { routes: [], faults: [] };
  for (const [at, { namespace, match }] of routes.entries()) {
    const matchers: Matcher[] = [];
    for (const [i, text] of match.entries()) {
      try {
        matchers.push(parseMatcher(text));
      } catch (error) {
        if (!(error instanceof MatcherSyntaxError)) throw error;
        read.faults.push({ field: `routes[${at}].match[${i}]`, message: error.message });
      }
    }
    if (matchers.length === match.length) read.routes.push({ at, namespace, matchers });
  }
  return read;
}

/** Does `other` say that it takes what `source` routes to it? */
export function accepts(other: AlertSource, source: Pick<AlertSource, 'metadata'>): boolean {
  const from = other.spec.acceptFrom;
  return from?.namespace === source.metadata.namespace && from?.name === source.metadata.name;
}

/** Returns the source of that namespace among `acceptors` that takes the alerts; where several say so, the first by name. */
export function acceptorIn(acceptors: readonly AlertSource[], namespace: string): AlertSource | undefined {
  return acceptors
    .filter(({ metadata }) => metadata.namespace === namespace)
    .sort((a, b) => byCodeUnit(a.metadata.name, b.metadata.name))[0];
}

/** What is asked about one alert. */
export interface RouteQuestion {
  /** The source that the sender posted to. */
  home: AlertSource;
  routes: Routes['routes'];
  /** All sources that accept from it, in whatever namespace. */
  acceptors: readonly AlertSource[];
  /** The sender's labels, and those that `home` adds. */
  labels: Labels;
  state: 'Firing' | 'Resolved';
  /** What is stored of this fault as an alert of that source. */
  stateAt(source: AlertSource): AlertSpec['state'] | undefined;
}

/** Why an alert goes where it goes; `at` is the place of the route in the source's list. */
export type RouteReason =
  | { kind: 'FiresThere' }
  | { kind: 'Routed'; at: number }
  | { kind: 'NotAccepted'; at: number; namespace: string }
  | { kind: 'NoRoute' };

export interface Way {
  /** The first is the one that counts in the answer. */
  places: readonly AlertSource[];
  why: RouteReason;
}

/**
 * Returns the sources whose alert this is: where the fault fires already, else where the first route that matches leads, else the
 * one that it came to. They are several only where an earlier report was routed by other rules; then all of them are told.
 */
export function wayOf({ home, routes, acceptors, labels, state, stateAt }: RouteQuestion): Way {
  const open = [home, ...acceptors].filter((source) => {
    const held = stateAt(source);
    // A Resolved also ends what has expired; a firing opens a new episode there, and that one goes by the routes of today.
    return state === 'Firing' ? held === 'Firing' : held !== undefined && held !== 'Resolved';
  });
  if (open.length > 0) return { places: open, why: { kind: 'FiresThere' } };
  const route = routes.find(({ matchers }) => matchers.every((matcher) => matches(matcher, labels)));
  if (route === undefined) return { places: [home], why: { kind: 'NoRoute' } };
  const { at, namespace } = route;
  const acceptor = acceptorIn(acceptors, namespace);
  if (acceptor === undefined) return { places: [home], why: { kind: 'NotAccepted', at, namespace } };
  return { places: [acceptor], why: { kind: 'Routed', at } };
}

/** Returns the reason for people; undefined where the source has no routes, and nothing is to be explained. */
export function routeReasonText(why: RouteReason, { metadata, spec }: AlertSource): string | undefined {
  switch (why.kind) {
    case 'FiresThere':
      return 'it fires there already, and an episode stays where it began';
    case 'Routed':
      return `routes[${why.at}] leads there`;
    case 'NotAccepted':
      return `it stays, because routes[${why.at}] leads into namespace ${why.namespace}, where no AlertSource accepts from ${metadata.namespace}/${metadata.name}`;
    case 'NoRoute': {
      if (spec.routes === undefined || spec.routes.length === 0) return undefined;
      const unread = readRoutes(spec.routes).faults[0];
      return `it stays, because no route matches it${unread === undefined ? '' : ` (${unread.field} cannot be read)`}`;
    }
  }
}
