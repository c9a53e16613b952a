/**
 * After the leave Job, an uninstall ends in whatever order: folder by folder as `kubectl delete -k` does it, or object by object without
 * waiting, as Flux prunes. The Job's own command is run, as a process. On a control plane of its own, which it takes apart.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { applyConfig, CONFIG_DEFAULT } from '@funnelai/dev/controlplane/apply-config';
import { childEnvironment } from '@funnelai/dev/process/environment';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { createDatabase } from '../harness/database.ts';
import { type Environment, startEnvironment } from '../harness/environment.ts';
import { createKubectl, type Kubectl } from '../harness/kubectl.ts';
import { until } from '../harness/wait.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const CONFIG = join(CONFIG_DEFAULT, '..');
/** The API server takes kinds away in rounds that come less and less often: what is claimed is that it ends. */
const SOON_MS = 240_000;
const JOB_MS = 60_000;
const CRDS = ['alerts', 'alertsources', 'correlationrules', 'incidents'].map((plural) => `crd/${plural}.funnelai.dev`);
/** How Flux sorts what it applies, of the kinds that we have; it prunes the other way round, and what is not named here first. */
const FLUX_ORDER = [
  ...['CustomResourceDefinition', 'Namespace', 'ServiceAccount', 'Role', 'ClusterRole', 'RoleBinding'],
  'ClusterRoleBinding',
];

interface Manifest {
  kind: string;
  metadata: { name: string; namespace?: string };
}
interface Job {
  spec: {
    template: {
      spec: {
        serviceAccountName: string;
        containers: { command: string[]; args: string[]; volumeMounts: { name: string; mountPath: string }[] }[];
      };
    };
  };
}

let environment: Environment;
let kubectl: Kubectl;
let database: Awaited<ReturnType<typeof createDatabase>>;

beforeAll(async () => {
  environment = await startEnvironment({ say: () => {} });
  kubectl = createKubectl(environment);
});
afterAll(() => environment?.stop());

let team = 0;
/** Installed, with an incident that nobody has mirrored yet. */
beforeEach(async () => {
  database = await createDatabase(environment.databaseUrl);
  const target = { program: `${environment.assets}/kubectl`, kubeconfig: environment.kubeconfig, context: 'admin' };
  await applyConfig({ ...target, cache: `${environment.kubeconfig}.apply-cache` }, () => {});
  team += 1;
  await kubectl.run(['create', 'namespace', `team-${team}`]);
  const incident = {
    apiVersion: 'funnelai.dev/v1alpha1',
    kind: 'Incident',
    metadata: { namespace: `team-${team}`, name: 'outage' },
    spec: { title: 'Payments hang', severity: 'High', phase: 'Detection' },
  };
  await kubectl.run(['create', '-f', '-'], { input: JSON.stringify(incident) });
});
afterEach(() => database?.drop());

/** The Job's command line as it stands in its manifest, its Secret a folder of ours; as its service account, by a kubeconfig. */
async function leaveAsTheJobDoes(): Promise<string> {
  const job = parse(readFileSync(join(CONFIG, 'leave/job.yaml'), 'utf8')) as Job;
  const { serviceAccountName, containers } = job.spec.template.spec;
  const [container] = containers;
  const mounted = container?.volumeMounts.find(({ name }) => name === 'database')?.mountPath ?? 'nowhere';
  const secret = mkdtempSync(join(tmpdir(), 'funnelai-secret-'));
  writeFileSync(join(secret, 'url'), database.url, { mode: 0o600 });
  const [program, ...args] = [...(container?.command ?? []), ...(container?.args ?? [])];
  expect([program, serviceAccountName]).toEqual(['node', 'funnelai-operator']);
  const here = args.map((arg) => arg.replace(mounted, secret));
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...here, '--kubeconfig', environment.kubeconfig, '--context', 'operator'],
    { cwd: ROOT, env: childEnvironment({}), timeout: JOB_MS },
  );
  return stdout;
}

const isGone = async (...what: string[]) => (await kubectl.try(['get', ...what])).stderr.includes('NotFound');
async function nothingIsLeft(): Promise<void> {
  for (const crd of CRDS) await until(`${crd} to be gone`, SOON_MS, () => isGone(crd));
  await until('the namespace to be gone', SOON_MS, () => isGone('namespace', 'funnel-system'));
  await until('the rights to be gone', SOON_MS, () => isGone('clusterrole', 'funnelai-operator'));
}

// Five of the six orders: to kinds that were made and taken away for the eighth time the API server came after minutes only.
describe('after the leave Job, an uninstall ends', () => {
  it.each([
    ['crd', 'rbac', 'admission'],
    ['crd', 'admission', 'rbac'],
    ['rbac', 'crd', 'admission'],
    ['rbac', 'admission', 'crd'],
    ['admission', 'crd', 'rbac'],
  ])('by kubectl delete -k of %s, then %s, then %s', async (...folders) => {
    expect(await leaveAsTheJobDoes()).toContain('1 incidents let go, with all of their history in Postgres');
    for (const folder of folders) {
      await kubectl.run(['delete', '-k', join(CONFIG, folder), '--timeout=60s'], { timeoutMs: 90_000 });
    }
    await nothingIsLeft();
  });

  it('by deleting each object in the order in which Flux prunes, without waiting for any', async () => {
    expect(await leaveAsTheJobDoes()).toContain('1 incidents let go, with all of their history in Postgres');
    const manifests = parseAllDocuments(await kubectl.run(['kustomize', CONFIG_DEFAULT])).map(
      (document) => document.toJS() as Manifest,
    );
    const pruned = manifests.toSorted((a, b) => rank(b) - rank(a));
    expect([pruned.at(0)?.kind, pruned.at(-1)?.kind]).toEqual([
      expect.stringContaining('AdmissionPolicy'),
      'CustomResourceDefinition',
    ]);
    for (const { kind, metadata } of pruned) {
      const where = metadata.namespace === undefined ? [] : ['-n', metadata.namespace];
      await kubectl.run(['delete', kind, metadata.name, ...where, '--wait=false', '--ignore-not-found']);
    }
    await nothingIsLeft();
  });
});

describe('without it', () => {
  it('all kinds go but that of incidents, which waits; and it ends once the Job has run', {
    timeout: 600_000,
  }, async () => {
    await kubectl.run(['delete', '-k', join(CONFIG, 'crd'), '--wait=false']);
    for (const crd of CRDS.filter((name) => !name.includes('incidents'))) {
      await until(`${crd} to be gone`, SOON_MS, () => isGone(crd));
    }
    await until('the incident to be on its way out', SOON_MS, async () => {
      const found = await kubectl.run(['-n', `team-${team}`, 'get', 'incidents.funnelai.dev', 'outage', '-o', 'json']);
      return found.includes('deletionTimestamp');
    });
    expect(await isGone('crd/incidents.funnelai.dev')).toBe(false);
    expect(await leaveAsTheJobDoes()).toContain('1 incidents let go, with all of their history in Postgres');
    await kubectl.run(['delete', '-k', join(CONFIG, 'rbac'), '--timeout=60s'], { timeoutMs: 90_000 });
    await kubectl.run(['delete', '-k', join(CONFIG, 'admission'), '--timeout=60s'], { timeoutMs: 90_000 });
    await nothingIsLeft();
  });
});

function rank({ kind }: Manifest): number {
  const at = FLUX_ORDER.indexOf(kind);
  return at < 0 ? FLUX_ORDER.length : at;
}
