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
  routes: { namespace: string; matchers: Matcher[] }[];
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
    if (matchers.length === match.length) read.routes.push({ namespace, matchers });
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

/**
 * Returns the sources whose alert this is: where the fault fires already, else where the first route that matches leads, else the
 * one that it came to. They are several only where an earlier report was routed by other rules; then all of them are told.
 */
export function placesFor({ home, routes, acceptors, labels, state, stateAt }: RouteQuestion): AlertSource[] {
  const open = [home, ...acceptors].filter((source) => {
    const held = stateAt(source);
    // A Resolved also ends what has expired; a firing opens a new episode there, and that one goes by the routes of today.
    return state === 'Firing' ? held === 'Firing' : held !== undefined && held !== 'Resolved';
  });
  if (open.length > 0) return open;
  const route = routes.find(({ matchers }) => matchers.every((matcher) => matches(matcher, labels)));
  return [(route && acceptorIn(acceptors, route.namespace)) ?? home];
}
