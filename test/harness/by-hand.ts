/** One who works incidents by hand, act by act, for stories that need to know just what was done: keeps what the oracle has to hear. */
import type { Incident, IncidentSpec } from '@funnelai/crds/generated/types';
import { API_VERSION, CHANGES_ANNOTATION, INCIDENTS } from '@funnelai/crds/meta';
import type { KubeClient } from '@funnelai/kube/client';
import { systemClock } from '@funnelai/kube/clock';
import type { Act, Told } from './oracle.ts';

type Change = Pick<Act, 'kind' | 'to'>;

const BIRTH: Change[] = [
  { kind: 'Phase', to: 'Detection' },
  { kind: 'Severity', to: 'Low' },
  { kind: 'Priority', to: 'P4' },
];

export interface ByHand {
  /** True once the API server would take an incident: a fresh one needs a moment until it knows our kinds and policies. */
  mayDeclare(): Promise<boolean>;
  /** Resolves its uid. */
  declare(name: string, title?: string): Promise<string>;
  move(name: string, phase: IncidentSpec['phase']): Promise<void>;
  rate(name: string, severity: IncidentSpec['severity']): Promise<void>;
  /** Resolves once the deletion is accepted. */
  remove(name: string): Promise<void>;
  told(): Told;
}

/** @param by the user behind `client`, as admission names it. */
export function byHand({ client, namespace, by }: { client: KubeClient; namespace: string; by: string }): ByHand {
  const acts: Act[] = [];
  const deleted: string[] = [];
  async function did(changes: Change[], make: () => Promise<Incident>): Promise<string> {
    const beganMs = systemClock.now().epochMilliseconds;
    const { metadata } = await make();
    const answeredMs = systemClock.now().epochMilliseconds;
    const of = { uid: metadata.uid ?? '', incident: metadata.name, by, beganMs, answeredMs };
    acts.push(...changes.map((change) => ({ ...of, ...change })));
    return of.uid;
  }
  const patch = (name: string, spec: Partial<IncidentSpec>) => () =>
    client.mergePatch<Incident>(INCIDENTS, { namespace, name }, { spec });
  const incident = (name: string, title: string): Incident => ({
    apiVersion: API_VERSION,
    kind: 'Incident',
    metadata: { namespace, name },
    spec: { title, severity: 'Low', phase: 'Detection' },
  });
  return {
    async mayDeclare() {
      const { metadata } = await client.create<Incident>(INCIDENTS, incident('may-i', 'May I?'), { dryRun: true });
      return metadata.annotations?.[CHANGES_ANNOTATION] !== undefined;
    },
    declare: (name, title = 'Checkout answers 5xx') =>
      did(BIRTH, () => client.create(INCIDENTS, incident(name, title))),
    async move(name, phase) {
      await did([{ kind: 'Phase', to: phase }], patch(name, { phase }));
    },
    async rate(name, severity) {
      await did([{ kind: 'Severity', to: severity }], patch(name, { severity }));
    },
    async remove(name) {
      const { metadata } = await client.get<Incident>(INCIDENTS, { namespace, name });
      await client.delete(INCIDENTS, { namespace, name });
      deleted.push(metadata.uid ?? '');
    },
    told: () => ({ faults: [], acts, deleted }),
  };
}
