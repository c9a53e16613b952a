/** Writes `status` when it changed, and never less than the whole. Which status is right is the controller's. */
import type { Condition, KubeObject, Resource } from '@funnelai/crds/meta';
import type { Temporal } from 'temporal-polyfill';
import type { CallOptions } from './calls.ts';
import type { KubeClient } from './client.ts';
import type { Lane } from './lanes.ts';
import { sameJson } from './same-json.ts';

export interface StatusOptions extends CallOptions {
  fieldManager?: string | undefined;
  lane?: Lane | undefined;
}

/**
 * Brings the status of `object`, as it was read, to `status`, whole. Returns the answer; undefined, without a request, when nothing differs.
 * Throws a Conflict when the object has changed since it was read, or another one has taken its name.
 *
 * A PUT that carries nothing but the status: of an update of `/status` the API server takes nothing else, and it costs it a quarter
 * less than a patch, for which it has to encode the stored object and decode it again.
 */
export async function putStatus<T extends KubeObject & { status?: unknown }>(
  client: Pick<KubeClient, 'replace'>,
  resource: Resource,
  object: T,
  status: NonNullable<T['status']>,
  o: StatusOptions = {},
): Promise<T | undefined> {
  if (sameJson(object.status ?? {}, status)) return undefined;
  const { apiVersion, kind } = object;
  const { namespace, name, uid, resourceVersion } = object.metadata;
  const body = { apiVersion, kind, metadata: { namespace, name, uid, resourceVersion }, status };
  return client.replace<T>(resource, body as T, { ...o, subresource: 'status' });
}

export type ConditionInput = Omit<Condition, 'lastTransitionTime'>;

/** The list with that condition in it, at its old place if it had one. `lastTransitionTime` moves only when `status` does. The input list is left alone. */
export function setCondition(
  list: Condition[] | undefined,
  condition: ConditionInput,
  now: Temporal.Instant | string,
): Condition[] {
  const held = list?.find((c) => c.type === condition.type);
  const at = typeof now === 'string' ? now : now.toString({ smallestUnit: 'second' });
  const next: Condition = {
    type: condition.type,
    status: condition.status,
    reason: condition.reason,
    message: condition.message,
    lastTransitionTime: held?.status === condition.status ? held.lastTransitionTime : at,
  };
  const generation = condition.observedGeneration ?? held?.observedGeneration;
  if (generation !== undefined) next.observedGeneration = generation;
  return held ? (list ?? []).map((c) => (c === held ? next : c)) : [...(list ?? []), next];
}
