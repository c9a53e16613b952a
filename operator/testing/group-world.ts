/**
 * Two groups of alerts, people, and an operator that comes and goes, on an API server that may be slow. Notes whenever the operator opens
 * an incident, or brings one back, beside one of its group that is open.
 */
import type { Alert, AlertSpec, Incident, IncidentSpec, Phase } from '@funnelai/crds/generated/types';
import { ALERTS, INCIDENTS } from '@funnelai/crds/meta';
import { isOpen } from '@funnelai/domain/lifecycle';
import type { JsonPatchOp, KubeClient } from '@funnelai/kube/client';
import { isConflict } from '@funnelai/kube/errors';
import { FakeClock } from '@funnelai/kube/test-clock';
import { anAlert, aRule, NAMESPACE } from './builders.ts';
import { eventually } from './eventually.ts';
import { FakeApi } from './fake-api.ts';
import { type Running, runOperator } from './run.ts';

const OPERATOR = 'system:serviceaccount:funnel-system:funnelai-operator';
const SECOND_MS = 1_000;

const groupOf = ({ spec: { origin } }: Incident) => origin && `${origin.ruleRef?.name ?? ''} ${origin.groupKey}`;
const isLiveOpen = ({ metadata, spec }: Incident) => isOpen(spec.phase) && metadata.deletionTimestamp === undefined;
/** Each number is another pod; those of one namespace are a group. */
const podOf = (pod: number, o: Partial<AlertSpec> = {}) =>
  anAlert({ labels: { alertname: 'PodCrashes', namespace: pod < 2 ? 'pay' : 'shop', pod: `p${pod}` }, ...o });

export type GroupWorld = ReturnType<typeof groupWorld>;
export function groupWorld() {
  const clock = new FakeClock('2026-03-01T10:00:02Z');
  const api = new FakeApi(clock);
  const incidents = () => api.all<Incident>(INCIDENTS);
  /** What the operator opened beside one that was open. */
  const faults: string[] = [];
  /** What people put back to work after it had ended. */
  const backAtWork = new Set<string | undefined>();
  /** How long a write of the operator is under way. */
  let latencyMs = 0;
  let operator: Running | undefined;

  async function checked<T>(write: () => Promise<T>): Promise<T> {
    if (latencyMs > 0) await clock.sleep(latencyMs);
    const before = new Set(
      incidents()
        .filter(isLiveOpen)
        .map(({ metadata }) => metadata.uid),
    );
    const answer = await write();
    const open = incidents().filter(isLiveOpen);
    for (const incident of open.filter(({ metadata }) => !before.has(metadata.uid))) {
      backAtWork.delete(incident.metadata.uid);
      const others = open.filter(
        (other) => other !== incident && groupOf(other) === groupOf(incident) && !backAtWork.has(other.metadata.uid),
      );
      if (groupOf(incident) !== undefined && others.length > 0)
        faults.push(`${incident.metadata.name} (${incident.spec.phaseReason}) beside ${others[0]?.metadata.name}`);
    }
    return answer;
  }
  const plain = api.client(OPERATOR);
  const client: KubeClient = {
    ...plain,
    create: (r, object, o) => checked(() => plain.create(r, object, o)),
    jsonPatch: (r, key, ops, o) => checked(() => plain.jsonPatch(r, key, ops, o)),
  };

  async function report(pod: number, spec: Partial<AlertSpec>): Promise<void> {
    const { metadata, ...alert } = podOf(pod, { receivedAt: clock.now().toString(), ...spec });
    for (;;) {
      const stored = api.all<Alert>(ALERTS).find((one) => one.metadata.name === metadata.name);
      try {
        if (stored === undefined) await api.client('webhook').create(ALERTS, { ...alert, metadata });
        else await api.client('webhook').replace(ALERTS, { ...stored, spec: alert.spec });
        return;
      } catch (error) {
        if (!isConflict(error)) throw error;
      }
    }
  }
  const patch = ({ spec, metadata: { name, uid } }: Incident, ops: JsonPatchOp[]) => {
    const opens = ops.some((op) => 'value' in op && op.path === '/spec/phase' && isOpen(op.value as Phase));
    if (opens && !isOpen(spec.phase)) backAtWork.add(uid);
    return api.client('ana').jsonPatch<Incident>(INCIDENTS, { namespace: NAMESPACE, name }, ops);
  };
  const write = (incident: Incident, spec: Partial<IncidentSpec>) =>
    patch(
      incident,
      Object.entries(spec).map(([field, value]) => ({ op: 'add', path: `/spec/${field}`, value })),
    );
  async function pass(ms: number): Promise<void> {
    for (let i = 0; i < 4; i += 1) await clock.advance(ms / 4);
  }
  async function lead(): Promise<void> {
    operator ??= runOperator({ client, clock });
    await eventually('the operator leads', () => operator?.leading() === true);
    await pass(SECOND_MS);
  }
  async function away(): Promise<void> {
    let isOver = false;
    const stopped = operator?.stop().finally(() => {
      isOver = true;
    });
    operator = undefined;
    for (let i = 0; stopped !== undefined && !isOver && i < 200; i += 1) await clock.advance(SECOND_MS / 2);
    await stopped;
  }
  const slow = (ms: number) => {
    latencyMs = ms;
  };
  const phases = () => incidents().map(({ spec }) => spec.phase);
  const first = (): Incident => {
    const [incident] = incidents();
    if (incident === undefined) throw new Error('no incident');
    return incident;
  };
  return { clock, api, incidents, phases, first, faults, report, patch, write, pass, lead, away, slow };
}
/** For the one of the two groups: nothing comes back by it. */
export const shopRule = () =>
  aRule('shop', {
    match: ['namespace="shop"'],
    groupBy: [{ label: 'namespace' }],
    reopenWithin: '0s',
    resolve: { after: '30s' },
  });
export const now = ({ clock }: Pick<GroupWorld, 'clock'>) => clock.now().toString();
