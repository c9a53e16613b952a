/**
 * The ground itself moves: etcd is put back to an older snapshot, namespaces and kinds go away, leaders are deposed in the middle of a
 * write, objects come back under the same name. Nothing that etcd still knows is lost in history, and numbers stay without a hole.
 */
import { cpSync, rmSync } from 'node:fs';
import type { Incident } from '@funnelai/crds/generated/types';
import { INCIDENTS } from '@funnelai/crds/meta';
import { systemClock } from '@funnelai/kube/clock';
import { KubeError } from '@funnelai/kube/errors';
import { LEASES, type Lease } from '@funnelai/kube/leader';
import { LEASE_NAME } from '@funnelai/operator/manager';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { byHand } from '../harness/by-hand.ts';
import { matching } from '../harness/fault-proxy.ts';
import { read, verdict } from '../harness/oracle-reader.ts';
import { until } from '../harness/wait.ts';
import { busy, CONVERGED_MS, type Stage, startStage } from './stage.ts';

const LEASE = { namespace: 'funnel-system', name: LEASE_NAME };
const FAILOVER_MS = { afterKill: 20_000, afterStop: 3_000 };
const DECLARED = {
  apiVersion: 'funnelai.dev/v1alpha1',
  kind: 'Incident',
  spec: { severity: 'Low', phase: 'Detection' },
};

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterEach(() => {
  stage?.operatorApi.heal();
  stage?.postgres.set();
});
afterAll(() => stage?.stop());

const holder = async () => (await stage.client.get<Lease>(LEASES, LEASE)).spec?.holderIdentity ?? '';
const kubectl = (...args: string[]) => stage.kubectl.run(args);
const patching = (name: string, namespace: string, spec: object) => [
  ...['patch', 'incidents.funnelai.dev', name, '-n', namespace, '--type=merge', '-p', JSON.stringify({ spec })],
];

describe('two operators', () => {
  it('take over within twenty seconds of a kill -9, within three of a stop, and lose nothing', async () => {
    const first = stage.operators[0];
    const second = await stage.anOperator();
    await stage.underLoad(41, async () => {
      const before = await holder();
      const killedMs = systemClock.monotonicMs();
      await first?.kill();
      await until('the second to lead', FAILOVER_MS.afterKill, async () => (await holder()) !== before);
      console.log(`failover after kill -9: ${Math.round(systemClock.monotonicMs() - killedMs)} ms`);
      const third = await stage.anOperator();
      const led = await holder();
      await busy(1_000);
      const stoppedMs = systemClock.monotonicMs();
      await second.stop();
      await until('the third to lead', FAILOVER_MS.afterStop, async () => {
        const now = await holder();
        return now !== '' && now !== led;
      });
      console.log(`failover after a stop: ${Math.round(systemClock.monotonicMs() - stoppedMs)} ms`);
      expect(third.running.exit).toBeUndefined();
    });
  });

  it('do not both write when the lease is taken from one in the middle of its writes', async () => {
    await stage.anOperator();
    await stage.underLoad(42, async () => {
      // What is under way arrives seconds after another has taken over.
      const late = stage.operatorApi.fault((asked) => matching('incidents')(asked) && asked.method !== 'GET', {
        delayMs: 2_500,
      });
      await busy(600);
      // Its holder renews it every two seconds, perhaps just now.
      await until('the lease to be stolen', CONVERGED_MS, async () => {
        const lease = await stage.client.get<Lease>(LEASES, LEASE);
        const spec = { ...lease.spec, holderIdentity: 'a-thief', leaseDurationSeconds: 2 };
        return stage.client.replace<Lease>(LEASES, { ...lease, spec }).catch((error: unknown) => {
          if (error instanceof KubeError && error.status === 409) return false;
          throw error;
        });
      });
      await busy(3_000);
      late.clear();
    });
  });

  it('find a new leader when the lease is deleted', () =>
    stage.underLoad(43, async () => {
      await stage.client.delete(LEASES, LEASE);
      await until('a new lease', CONVERGED_MS, async () => (await holder()) !== '');
    }));
});

describe('an incident that is deleted and declared again under its name while nobody watches', () => {
  it('is two incidents in history, each with its own story', async () => {
    const namespace = await stage.aNamespace();
    const hand = byHand({ client: stage.client, namespace, by: 'admin' });
    const first = await hand.declare('twice', 'the first');
    await until('its birth to be recorded', CONVERGED_MS, async () => {
      const { rows } = await read({ ...stage, namespace });
      return rows.changes.some(({ incident_uid }) => incident_uid === first);
    });
    await hand.remove('twice');
    await until('it to be let go', CONVERGED_MS, async () => {
      const { incidents } = await read({ ...stage, namespace });
      return incidents.length === 0;
    });
    for (const watch of stage.operatorApi.watches('incidents')) watch.lines(() => []);
    const second = await hand.declare('twice', 'the second');
    await hand.move('twice', 'Response');
    stage.operatorApi.cut();
    expect(await verdict({ ...stage, namespace }, hand.told(), CONVERGED_MS)).toEqual([]);
    const { rows } = await read({ ...stage, namespace });
    expect(rows.incidents.map(({ uid, deleted_at }) => [uid, deleted_at !== null]).sort()).toEqual(
      [
        [first, true],
        [second, false],
      ].sort(),
    );
  });
});

describe('a namespace', () => {
  it('that is deleted under load ends while the operator lives, and history has its incidents', async () => {
    const namespace = await stage.aNamespace();
    const work = stage.load(namespace, 44);
    await until('incidents and people', CONVERGED_MS, async () => work.acts() >= 3);
    await kubectl('delete', 'namespace', namespace, '--wait=false');
    void work.finish().catch(() => undefined);
    await until('the namespace to be gone', 3 * CONVERGED_MS, async () => {
      const { code } = await stage.kubectl.try(['get', 'namespace', namespace]);
      return code !== 0;
    });
    const { rows } = await until('history to know that all has left', CONVERGED_MS, async () => {
      const seen = await read({ ...stage, namespace });
      return seen.rows.incidents.every(({ deleted_at }) => deleted_at !== null) && seen;
    });
    expect(rows.incidents.length).toBeGreaterThan(0);
    for (const { uid, change_sequence } of rows.incidents) {
      expect(rows.changes.filter(({ incident_uid }) => incident_uid === uid).length).toBe(change_sequence);
    }
  });
});

describe('etcd, put back to an older snapshot', () => {
  it('leaves history without a hole: what was recorded since stays, what comes is numbered after it', async () => {
    const { environment } = stage;
    const data = environment.controlPlane.etcdDirectory;
    const copy = `${data}-snapshot`;
    const stopCluster = async () => {
      await environment.parts.apiserver.kill();
      await environment.parts.etcd.stop();
    };
    const startCluster = async () => {
      await environment.restart('etcd');
      await environment.restart('apiserver');
      if (environment.parts.controllerManager.exit !== undefined) await environment.restart('controllerManager');
    };
    const { namespace } = await stage.underLoad(45, async () => {
      await stopCluster();
      cpSync(data, copy, { recursive: true });
      await startCluster();
      await busy(2_000);
    });
    // The oldest: it was there when the snapshot was made.
    const { incidents } = await read({ ...stage, namespace });
    const bornAt = ({ metadata }: Incident) => Date.parse(metadata.creationTimestamp ?? '');
    const victim = incidents.toSorted((a, b) => bornAt(a) - bornAt(b))[0]?.metadata.name ?? '';
    // After the snapshot: a person acts, and history has it.
    for (const severity of ['Medium', 'Info', 'Low']) {
      await kubectl(...patching(victim, namespace, { severity }));
    }
    await stage.client.create<Incident>(INCIDENTS, {
      ...DECLARED,
      metadata: { namespace, name: 'born-after' },
      spec: { ...DECLARED.spec, title: 'born after the snapshot' },
    } as Incident);
    const before = await until('history to have it all', CONVERGED_MS, async () => {
      const seen = await read({ ...stage, namespace });
      const live = seen.incidents.find(({ metadata }) => metadata.name === victim);
      const kept = seen.rows.changes.filter(({ incident_uid }) => incident_uid === live?.metadata.uid);
      const isBorn = seen.rows.incidents.some(({ name }) => name === 'born-after');
      return isBorn && kept.filter(({ to_value }) => to_value === 'Info').length > 0 && seen;
    });
    await stopCluster();
    rmSync(data, { recursive: true });
    cpSync(copy, data, { recursive: true });
    await startCluster();
    // A fresh API server takes a moment until it can admit our kinds.
    await until('the API server to take an act', CONVERGED_MS, async () => {
      const { code } = await stage.kubectl.try(patching(victim, namespace, { owner: { name: 'someone-new' } }));
      return code === 0;
    });
    await until('the new act to be recorded after the old ones', CONVERGED_MS, async () => {
      const seen = await read({ ...stage, namespace });
      const live = seen.incidents.find(({ metadata }) => metadata.name === victim);
      const own = seen.rows.changes.filter(({ incident_uid }) => incident_uid === live?.metadata.uid);
      const numbers = own.map(({ sequence }) => sequence).sort((a, b) => a - b);
      const gone = seen.rows.incidents.find(({ name }) => name === 'born-after');
      return (
        own.some(({ to_value }) => to_value === 'someone-new') &&
        numbers.every((number, i) => number === i + 1) &&
        live?.status?.changeSequence === numbers.length &&
        gone !== undefined &&
        gone.deleted_at !== null
      );
    });
    const after = await read({ ...stage, namespace });
    for (const row of before.rows.changes) expect(after.rows.changes).toContainEqual(row);
  });
});

it('all that the incidents of these stories count is there in the end', () => stage.allCounted());
