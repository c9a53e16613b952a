/**
 * Makes the incidents anew that a lost cluster had and Postgres remembers. Promises that a second run, or one after a run that died,
 * restores nothing twice and finishes what was begun, and that what could not be restored is named with the reason.
 */
import type { Incident } from '@funnelai/crds/generated/types';
import { INCIDENTS } from '@funnelai/crds/meta';
import { CHANGES_SHOWN } from '@funnelai/domain/change-ring';
import { isBeingRestored } from '@funnelai/domain/incident-decide';
import type { Restorable } from '@funnelai/history/restorable';
import type { KubeClient } from '@funnelai/kube/client';
import type { Clock } from '@funnelai/kube/clock';
import { isAlreadyExists, isConflict, isNotFound, KubeError, messageOf } from '@funnelai/kube/errors';
import type { Log } from '@funnelai/kube/log';
import { keyOf } from '@funnelai/kube/paths';
import { putStatus } from '@funnelai/kube/status';
import { restoredIncident, restoredStatus } from './restored.ts';

const FIELD_MANAGER = 'funnelai-restore';
/** How many of an incident's changes its status shows. */
export const RESTORED_CHANGES = CHANGES_SHOWN;
const MAX_ATTEMPTS = 5;

export interface RestoreReport {
  /** "namespace/name" of those made now. */
  restored: string[];
  /** Of those that a run before had made, or that were never lost. */
  there: string[];
  failed: { incident: string; because: string }[];
}

/** One after the other: the first refusals say what is wrong before a thousand more come. */
export async function restore(o: {
  client: KubeClient;
  clock: Clock;
  log: Log;
  restorable: Iterable<Restorable> | AsyncIterable<Restorable>;
  /** Only say what would be done. */
  dryRun?: boolean;
  signal: AbortSignal;
}): Promise<RestoreReport> {
  const report: RestoreReport = { restored: [], there: [], failed: [] };
  for await (const one of o.restorable) {
    o.signal.throwIfAborted();
    const incident = keyOf(one.incident);
    try {
      report[await restoreOne(o, one)].push(incident);
    } catch (error) {
      // Of an API server that does not answer the next one would hear no more.
      if (error instanceof KubeError && error.transient && !isConflict(error)) throw error;
      report.failed.push({ incident, because: messageOf(error) });
    }
  }
  return report;
}

async function restoreOne(
  o: { client: KubeClient; clock: Clock; log: Log; dryRun?: boolean },
  one: Restorable,
): Promise<'restored' | 'there'> {
  const { client } = o;
  const wanted = restoredIncident(one);
  let made: Incident;
  try {
    made = await client.create<Incident>(INCIDENTS, wanted, { fieldManager: FIELD_MANAGER, dryRun: o.dryRun });
  } catch (error) {
    if (!isAlreadyExists(error)) throw missingNamespace(error, wanted) ?? error;
    const { namespace = '', name } = wanted.metadata;
    const there = await client.get<Incident>(INCIDENTS, { namespace, name });
    const isSame = there.spec.restoredFrom?.uid === one.originUid || there.metadata.uid === one.incident.metadata.uid;
    if (!isSame) {
      throw new Error(
        `the name is taken by another incident, made at ${there.metadata.creationTimestamp}; once that one is gone, run it again`,
        { cause: error },
      );
    }
    // A run before may have died between the create and the status.
    if (isBeingRestored(there) && !o.dryRun) await carryOn(o, one, there);
    return 'there';
  }
  if (!o.dryRun) await carryOn(o, one, made);
  return 'restored';
}

/** Writes the status that the operator goes on from; it leaves the incident alone until then. */
async function carryOn(o: { client: KubeClient; clock: Clock }, one: Restorable, made: Incident): Promise<void> {
  let incident = made;
  for (let attempt = 1; ; attempt += 1) {
    const status = restoredStatus(one, incident, o.clock.now());
    if (status === undefined) return;
    try {
      await putStatus<Incident>(o.client, INCIDENTS, incident, status);
      return;
    } catch (error) {
      if (!isConflict(error) || attempt >= MAX_ATTEMPTS) throw error;
      const { namespace = '', name } = incident.metadata;
      incident = await o.client.get<Incident>(INCIDENTS, { namespace, name });
      if (!isBeingRestored(incident)) return;
    }
  }
}

function missingNamespace(error: unknown, { metadata }: Incident): Error | undefined {
  if (!isNotFound(error) || !messageOf(error).includes('namespaces')) return undefined;
  return new Error(`namespace ${metadata.namespace} is not there; make it first`, { cause: error });
}
