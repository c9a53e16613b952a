/** What is said of a source about routes: whether its own lead anywhere, and whether anyone routes to one that accepts. Pure. */
import type { AlertSource } from '@funnelai/crds/generated/types';
import { acceptorIn, accepts, readRoutes } from '@funnelai/domain/route';
import type { Verdicts } from './decide.ts';

/** Namespaces that one message names. */
const NAMED = 8;

/**
 * `sources` are all that the operator sees.
 * @param served the one namespace that it works in; absent when it works in all.
 */
export function routesOf(source: AlertSource, sources: Iterable<AlertSource>, served?: string): Verdicts {
  const { acceptFrom, routes } = source.spec;
  if (served !== undefined) {
    const message = `this operator works in namespace ${served} alone and does not see sources of others; a webhook for all namespaces routes all the same, one with --namespace does not`;
    const verdict = { status: 'Unknown', reason: 'OneNamespace', message } as const;
    if (acceptFrom !== undefined && acceptFrom.namespace !== served) return { Ready: verdict };
    if (routes?.some(({ namespace }) => namespace !== served)) return { Routed: verdict };
  }
  if (acceptFrom !== undefined) return { Ready: acceptance(source, acceptFrom, [...sources]) };
  return routes === undefined || routes.length === 0 ? {} : routing(source, [...sources]);
}

function acceptance(
  source: AlertSource,
  from: { namespace: string; name: string },
  sources: readonly AlertSource[],
): NonNullable<Verdicts['Ready']> {
  const { namespace = '', name } = source.metadata;
  const origin = sources.find(({ metadata }) => metadata.namespace === from.namespace && metadata.name === from.name);
  const notReady = (reason: string, message: string) => ({ status: 'False', reason, message }) as const;
  if (origin === undefined)
    return notReady(
      'SourceNotFound',
      `expected an AlertSource ${from.name} in namespace ${from.namespace}, found none; create it, or correct acceptFrom`,
    );
  const first = acceptorIn(
    sources.filter((other) => accepts(other, origin)),
    namespace,
  );
  if (first !== undefined && first.metadata.name !== name)
    return notReady(
      'AcceptedElsewhere',
      `AlertSource ${first.metadata.name} of this namespace accepts from ${from.namespace}/${from.name}, too, and has the alerts; delete one of them`,
    );
  if (!(origin.spec.routes ?? []).some((route) => route.namespace === namespace))
    return notReady(
      'NotRouted',
      `AlertSource ${from.namespace}/${from.name} has no route into namespace ${namespace}; its owner must add one`,
    );
  return {
    status: 'True',
    reason: 'Accepting',
    message: `what AlertSource ${from.namespace}/${from.name} routes to this namespace is accepted`,
  };
}

function routing(source: AlertSource, sources: readonly AlertSource[]): Verdicts {
  const { namespace = '', name } = source.metadata;
  const { routes, faults } = readRoutes(source.spec.routes);
  const [fault] = faults;
  if (fault !== undefined) {
    const more = faults.length === 1 ? '' : ` (and ${faults.length - 1} more)`;
    const message = `spec.${fault.field}: ${fault.message}${more}; that route matches nothing until it is corrected`;
    return {
      Routed: { status: 'False', reason: 'InvalidMatcher', message },
      Stalled: { status: 'True', reason: 'InvalidMatcher', message },
    };
  }
  const acceptors = sources.filter((other) => accepts(other, source));
  const closed = [...new Set(routes.map((route) => route.namespace))].filter(
    (target) => acceptorIn(acceptors, target) === undefined,
  );
  if (closed.length > 0) {
    const named = `${closed.slice(0, NAMED).join(', ')}${closed.length > NAMED ? ` and ${closed.length - NAMED} more` : ''}`;
    return {
      Routed: {
        status: 'False',
        reason: 'NotAccepted',
        message: `alerts for ${closed.length === 1 ? 'namespace' : 'namespaces'} ${named} stay here: no AlertSource there says acceptFrom {namespace: ${namespace}, name: ${name}}`,
      },
    };
  }
  return { Routed: { status: 'True', reason: 'Accepted', message: 'every route leads to a source that accepts' } };
}

/** Sources whose status may change when `changed` does: those that it routes to, and those that route to it. */
export function concernedBy(changed: AlertSource, sources: Iterable<AlertSource>): AlertSource[] {
  const { namespace } = changed.metadata;
  return [...sources].filter(
    (other) =>
      accepts(other, changed) ||
      (changed.spec.acceptFrom !== undefined &&
        (accepts(changed, other) || (other.metadata.namespace === namespace && other.spec.acceptFrom !== undefined))),
  );
}
