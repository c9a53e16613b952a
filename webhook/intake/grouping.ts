/** The alerts of one body, by fault: the same fault once, with all that the body says of it, at each source that takes it. */
import type { Alert, AlertSource } from '@funnelai/crds/generated/types';
import { DEMO_LABEL } from '@funnelai/crds/meta';
import { type AlertInput, toAlertSpec } from '@funnelai/domain/alert-input';
import { alertName } from '@funnelai/domain/fingerprint';
import { faultKey } from '@funnelai/history/fault-key';
import type { Cache } from '@funnelai/kube/cache';
import type { Clock } from '@funnelai/kube/clock';
import type { Log } from '@funnelai/kube/log';
import type { Received } from '../receivers/receiver.ts';
import { type Report, receivedAfter, receivedAs, reportOf } from './report.ts';
import type { Places, Routing } from './routing.ts';
import { inSlices } from './slices.ts';
import type { StoreRequest } from './store.ts';
import { createWarningList, type Warnings } from './warnings.ts';

export interface Group {
  /** The source whose alert it is. */
  place: AlertSource;
  /** How the first that the body says of it goes there. */
  way: Places;
  /** Whoever asks may know what the source of that place says. */
  isSeen: boolean;
  request: StoreRequest;
  /** What its reports were made of. */
  inputs: [AlertInput, ...AlertInput[]];
  indices: number[];
  /** It fires in another place as well, which is told of it, too, and not counted twice. */
  isSecond: boolean;
  /** Why nobody can say who else has to be told of its end: then nobody is, and it has to be sent again. */
  doubt?: string;
}

/** What whoever asks may know of other namespaces. */
export interface Sight {
  /** What fires there. */
  alerts(namespace: string): boolean;
  /** What its AlertSources say. */
  sources(namespace: string): boolean;
}
/** As whoever stores, and a sender by its own token. */
export const ALL_SEEN: Sight = { alerts: () => true, sources: () => true };

/**
 * The same fault may stand in a body several times, under labels that the source ignores, or as a flap: what stands later was said
 * later. In slices: a body of ten thousand would hold up the probes for a second.
 * @param deps `alerts`: what is known of an alert when a report of it comes. `sight`: all when absent; what may not be seen is made ready as at home.
 */
export async function groupByFault(
  source: AlertSource,
  received: readonly Received[],
  deps: {
    clock: Pick<Clock, 'monotonicMs'>;
    receipt: Pick<Clock, 'now'>;
    routing: Routing;
    log?: Pick<Log, 'debug'>;
    alerts?: Pick<Cache<Alert>, 'get'>;
    sight?: Sight;
  },
): Promise<{ groups: Group[]; warnings: Warnings | undefined }> {
  const pause = inSlices(deps.clock);
  const { sight = ALL_SEEN } = deps;
  const receivedAt = deps.receipt.now();
  const groups = new Map<string, Group>();
  const wayOf = await deps.routing.of(
    source,
    received.map(({ input }) => input),
    sight.alerts,
  );
  const warnings = createWarningList();
  /** What stands later in the body stays later there, too. */
  const keptOf = ({ reports }: StoreRequest, [first, ...more]: Group['inputs']) => {
    const here = (input: AlertInput, i: number) => {
      const kept = toAlertSpec(input, source, receivedAt);
      const at = reports[i]?.spec.receivedAt ?? kept.spec.receivedAt;
      return reportOf(input, kept, receivedAs(kept.spec, at));
    };
    return requestFor(source, [here(first, 0), ...more.map((input, i) => here(input, i + 1))]);
  };
  for (const { index, input } of received) {
    await pause();
    const way = wayOf(input);
    const { doubt } = way;
    for (const [rank, place] of way.places.entries()) {
      const { namespace = '', name } = place.metadata;
      const isSeen = place === source || sight.sources(namespace);
      const maker = isSeen ? place : source;
      const made = toAlertSpec(input, maker, receivedAt, source);
      const { fingerprint } = made.spec;
      const key = faultKey({ namespace, source: name, fingerprint });
      const group = groups.get(key);
      const before =
        group === undefined
          ? deps.alerts?.get(namespace, alertName(name, fingerprint))?.spec
          : group.request.reports.at(-1)?.spec;
      const spec = receivedAfter(made.spec, before);
      if (made.notes.length > 0)
        deps.log?.debug({ source: source.metadata.name, notes: made.notes }, 'alert was fitted to its bounds');
      warnings.add(index, made.odd);
      const request = requestFor(maker, [reportOf(input, made, spec)]);
      if (group === undefined) {
        const inputs: Group['inputs'] = [input];
        const fresh: Group = { place, way, isSeen, request, inputs, indices: [index], isSecond: rank > 0 };
        if (place !== source) request.keep = () => keptOf(request, inputs);
        groups.set(key, doubt === undefined ? fresh : { ...fresh, doubt });
      } else {
        if (doubt !== undefined) group.doubt = doubt;
        group.request.reports = [...group.request.reports, ...request.reports];
        group.inputs.push(input);
        group.indices.push(index);
        group.isSecond &&= rank > 0;
      }
    }
  }
  return { groups: [...groups.values()], warnings: warnings.all() };
}

/** What asks the store for the alert of a fault. */
function requestFor({ metadata }: AlertSource, reports: readonly [Report, ...Report[]]): StoreRequest {
  return {
    namespace: metadata.namespace ?? '',
    source: metadata.name,
    fingerprint: reports[0].spec.fingerprint,
    reports,
    demo: metadata.labels?.[DEMO_LABEL] === 'true',
  };
}
