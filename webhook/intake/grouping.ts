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
import type { Routing } from './routing.ts';
import { inSlices } from './slices.ts';
import type { StoreRequest } from './store.ts';
import { createWarningList, type Warnings } from './warnings.ts';

export interface Group {
  /** The source whose alert it is. */
  place: AlertSource;
  request: StoreRequest;
  /** What its reports were made of. */
  inputs: [AlertInput, ...AlertInput[]];
  indices: number[];
  /** It fires in another place as well, which is told of it, too, and not counted twice. */
  isSecond: boolean;
  /** Why nobody can say who else has to be told of its end: then nobody is, and it has to be sent again. */
  doubt?: string;
}

/**
 * The same fault may stand in a body several times, under labels that the source ignores, or as a flap: what stands later was said
 * later. In slices: a body of ten thousand would hold up the probes for a second.
 */
export async function groupByFault(
  source: AlertSource,
  received: readonly Received[],
  deps: { clock: Clock; log: Log; routing: Routing; receipt?: Pick<Clock, 'now'>; alerts?: Pick<Cache<Alert>, 'get'> },
): Promise<{ groups: Group[]; warnings: Warnings | undefined }> {
  const pause = inSlices(deps.clock);
  const receivedAt = (deps.receipt ?? deps.clock).now();
  const groups = new Map<string, Group>();
  const placesOf = await deps.routing.of(
    source,
    received.map(({ input }) => input),
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
    const { places, doubt } = placesOf(input);
    for (const [rank, place] of places.entries()) {
      const made = toAlertSpec(input, place, receivedAt, source);
      const { namespace = '', name } = place.metadata;
      const { fingerprint } = made.spec;
      const key = faultKey({ namespace, source: name, fingerprint });
      const group = groups.get(key);
      const before =
        group === undefined
          ? deps.alerts?.get(namespace, alertName(name, fingerprint))?.spec
          : group.request.reports.at(-1)?.spec;
      const spec = receivedAfter(made.spec, before);
      if (made.notes.length > 0)
        deps.log.debug({ source: source.metadata.name, notes: made.notes }, 'alert was fitted to its bounds');
      warnings.add(index, made.odd);
      const request = requestFor(place, [reportOf(input, made, spec)]);
      if (group === undefined) {
        const inputs: Group['inputs'] = [input];
        const fresh: Group = { place, request, inputs, indices: [index], isSecond: rank > 0 };
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
export function requestFor({ metadata }: AlertSource, reports: readonly [Report, ...Report[]]): StoreRequest {
  return {
    namespace: metadata.namespace ?? '',
    source: metadata.name,
    fingerprint: reports[0].spec.fingerprint,
    reports,
    demo: metadata.labels?.[DEMO_LABEL] === 'true',
  };
}
