/** Asks, for each alert of a body, which sources it is an alert of: what `domain/route` decides, fed from the caches. */
import type { Alert, AlertSource, AlertSpec } from '@funnelai/crds/generated/types';
import { type AlertInput, identityOf } from '@funnelai/domain/alert-input';
import { alertName } from '@funnelai/domain/fingerprint';
import { labelsFrom } from '@funnelai/domain/labels';
import { type Routes, readRoutes, type Way, wayOf } from '@funnelai/domain/route';
import type { Cache } from '@funnelai/kube/cache';

/** Index of the sources' cache: those that accept, by the source that they accept from. */
export const BY_ORIGIN = 'acceptFrom';

/** Values of a source under BY_ORIGIN. */
export function originsOf({ spec: { acceptFrom } }: AlertSource): string[] {
  return acceptFrom === undefined ? [] : [`${acceptFrom.namespace}/${acceptFrom.name}`];
}

export interface Routing {
  /**
   * Returns who takes each alert of one body that came to `home`. `sees`: in which namespaces it may be known what fires; in all when
   * absent, as for whoever stores.
   */
  of(home: AlertSource, sees?: (namespace: string) => boolean): (input: AlertInput) => Way;
}

const staying = (home: AlertSource): Way => ({ places: [home], why: { kind: 'NoRoute' } });

/** Everything stays where it came. */
export const noRouting: Routing = {
  of(home) {
    const way = staying(home);
    return () => way;
  },
};

export function createRouting(deps: { sources: Cache<AlertSource>; alerts: Cache<Alert> }): Routing {
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

  function stateAt(source: AlertSource, input: AlertInput): AlertSpec['state'] | undefined {
    const { fingerprint } = identityOf(input, source);
    const held = deps.alerts.get(source.metadata.namespace ?? '', alertName(source.metadata.name, fingerprint));
    return held?.spec.fingerprint === fingerprint ? held.spec.state : undefined;
  }

  return {
    of(home, sees = () => true) {
      const { namespace = '', name } = home.metadata;
      const acceptors = deps.sources.byIndex(BY_ORIGIN, `${namespace}/${name}`);
      const routes = routesOf(home);
      if (acceptors.length === 0 && routes.length === 0) return noRouting.of(home);
      return (input) =>
        wayOf({
          home,
          routes,
          acceptors,
          labels: labelsFrom([
            ...Object.entries(home.spec.labels ?? {}),
            ...Object.entries(input.labels).filter(([, value]) => value !== ''),
          ]),
          state: input.state,
          stateAt: (source) => (sees(source.metadata.namespace ?? '') ? stateAt(source, input) : undefined),
        });
    },
  };
}
