/** Puts our kinds, rights and policies into a cluster and waits until the API server acts on them. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  ALERT_SOURCES,
  ALERTS,
  API_VERSION,
  CHANGES_ANNOTATION,
  CORRELATION_RULES,
  GROUP,
  INCIDENTS,
} from '@funnelai/crds/meta';
import { type KubectlTarget, kubectl } from '../kubectl.ts';
import type { Say } from '../process/say.ts';
import { until } from '../process/until.ts';

const CONFIG = fileURLToPath(new URL('../../config/', import.meta.url));
/** Kinds, rights and policies; below Kubernetes 1.36 all of it but the policy that writes. */
export const CONFIG_DEFAULT = join(CONFIG, 'default');
const APPLY_MS = 45_000;
const ACTIVE_MS = 30_000;
const KINDS = [ALERT_SOURCES, ALERTS, CORRELATION_RULES, INCIDENTS];

/** Folders of config/ for this cluster: all of it, or without the policy that writes where the API server has none (before 1.36). */
async function configFor(target: KubectlTarget): Promise<{ folders: string[]; recordsChanges: boolean }> {
  const served = await kubectl(target, ['get', '--raw', '/apis/admissionregistration.k8s.io/v1']);
  const recordsChanges = served.includes('"mutatingadmissionpolicies"');
  const names = recordsChanges ? ['default'] : ['crd', 'rbac', 'admission/history-guard', 'flowcontrol'];
  return { folders: names.map((name) => join(CONFIG, name)), recordsChanges };
}

/** Resolves false when there is no config/ to apply. */
export async function applyConfig(target: KubectlTarget, say: Say): Promise<boolean> {
  if (!existsSync(join(CONFIG_DEFAULT, 'kustomization.yaml'))) {
    say('config/default is not there: the cluster stays without our kinds');
    return false;
  }
  const { folders, recordsChanges } = await configFor(target);
  if (!recordsChanges) {
    say(
      '  this API server has no MutatingAdmissionPolicy v1 (Kubernetes 1.36): who changed what is taken from field managers, unverified',
    );
  }
  for (const folder of folders) {
    // A namespace or kind that the same manifests make may need a moment before what lies in it is accepted.
    await until(
      `${folder} to be applied`,
      APPLY_MS,
      async () => {
        await kubectl(target, [
          'apply',
          '--server-side',
          '--force-conflicts',
          '--field-manager=funnelai-start',
          '-k',
          folder,
        ]);
        return true;
      },
      { everyMs: 500 },
    );
  }
  const crds = KINDS.map(({ plural }) => `crd/${plural}.${GROUP}`);
  await kubectl(target, ['wait', '--for=condition=Established', '--timeout=30s', ...crds]);
  await until('the API server to serve our kinds', ACTIVE_MS, async () => {
    const served = await kubectl(target, ['get', '--raw', `/apis/${API_VERSION}`]);
    return KINDS.every(({ plural }) => served.includes(`"${plural}"`));
  });
  if (recordsChanges)
    await until('the admission policy to act', ACTIVE_MS, () => isRecording(target), { everyMs: 200 });
  return true;
}

/** A policy acts some moments after it was accepted. An incident opened before that would lack the record of its birth. */
async function isRecording(target: KubectlTarget): Promise<boolean> {
  const probe = {
    apiVersion: API_VERSION,
    kind: INCIDENTS.kind,
    metadata: { name: `probe-${randomBytes(4).toString('hex')}`, namespace: 'default' },
    spec: { title: 'Is the policy in force?', severity: 'Info', phase: 'Detection' },
  };
  const answer = await kubectl(target, ['create', '--dry-run=server', '-o', 'json', '-f', '-'], JSON.stringify(probe));
  return answer.includes(`"${CHANGES_ANNOTATION}"`);
}
