/** Writes `status` when it changed, and only what changed. Which status is right is the controller's. */
import type { Condition, KubeObject, Resource } from '@funnelai/crds/meta';
import type { Temporal } from 'temporal-polyfill';
import type { CallOptions } from './calls.ts';
import type { KubeClient } from './client.ts';
import { mergePatchBetween } from './merge-patch.ts';

export interface StatusOptions extends CallOptions {
  /**
   * Refused with a Conflict when the object has changed since it was read; on unless it is set to false. It is also the only guard against
   * an object of the same name made anew: the API server ignores a uid in a patch of `/status`.
   */
  precondition?: boolean | undefined;
  fieldManager?: string | undefined;
}

/**
 * Brings the status of `object`, as it was read, to `status`. Returns the answer; undefined, without a request, when nothing differs. Keys
 * that are gone are removed. Throws a Conflict when another object has taken the name meanwhile.
 */
export async function patchStatus<T extends KubeObject & { status?: unknown }>(
  client: Pick<KubeClient, 'mergePatch'>,
  resource: Resource,
  object: T,
  status: NonNullable<T['status']>,
  o: StatusOptions = {},
): Promise<T | undefined> {
  const change = mergePatchBetween(object.status ?? {}, status);
  if (change === undefined) return undefined;
  const { precondition = true, ...call } = o;
  const { resourceVersion } = object.metadata;
  const patch = {
    ...(precondition && resourceVersion !== undefined ? { metadata: { resourceVersion } } : {}),
    status: change,
  };
  return client.mergePatch<T>(resource, object.metadata, patch, { ...call, subresource: 'status' });
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
