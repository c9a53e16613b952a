/** The cluster of an installation: an embedded one that is started here, or one that a person named and said yes to. */
import { rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { CONFIG_DEFAULT } from '../controlplane/apply-config.ts';
import { findAssets } from '../controlplane/assets.ts';
import { createControlPlane } from '../controlplane/control-plane.ts';
import { manifestsIn } from '../controlplane/manifests.ts';
import type { KubectlTarget } from '../kubectl.ts';
import { patiently, type Say } from '../process/say.ts';
import type { Supervisor } from '../supervise/supervisor.ts';
import type { StartFlags } from './flags.ts';
import { confirm, kubectlOnPath, lookUpContext, withoutSecret } from './named-cluster.ts';
import { controlPlaneParts } from './parts.ts';
import { type ClaimPort, PORTS } from './ports.ts';
import { keepTokens, usersOf } from './settings.ts';

export interface Cluster {
  target: KubectlTarget;
  /** Kubeconfig and contexts that operator and webhook act with. */
  kubeconfig: string;
  contexts: { operator: string; webhook: string };
  /** Tokens of the embedded cluster's people; absent where people are the named cluster's own. */
  people?: { admin: string; ana: string; bo: string; demoSource: string };
}

export interface ClusterOptions {
  directory: string;
  flags: StartFlags;
  say: Say;
}

const ON_THIS_MACHINE = 'on this machine';

export async function startEmbeddedCluster(
  { directory, flags, say }: ClusterOptions,
  supervisor: Supervisor,
  port: ClaimPort,
): Promise<Cluster> {
  const assets = await findAssets({ say, ...(flags.assetsUrl ? { assetsUrl: flags.assetsUrl } : {}) });
  const tokens = keepTokens(directory);
  const controlPlane = createControlPlane({
    assets,
    directory: join(directory, 'control-plane'),
    logs: join(directory, 'logs'),
    ports: {
      apiserver: await port('API server', PORTS.apiserver),
      etcd: await port('etcd', PORTS.etcd),
      etcdPeer: await port('etcd peers', PORTS.etcdPeer),
    },
    fsync: true,
    users: usersOf(tokens),
  });
  const parts = controlPlaneParts(controlPlane);
  await patiently(say, 'starting the control plane', 'etcd and kube-apiserver', async () => {
    await supervisor.add(parts.etcd);
    await supervisor.add(parts.apiserver);
    await supervisor.add(parts.controllerManager);
  });
  const program = linkTo(join(assets, 'kubectl'), join(directory, 'kubectl'));
  const kubeconfig = linkTo(controlPlane.kubeconfig, join(directory, 'kubeconfig'));
  return {
    target: {
      program,
      kubeconfig,
      context: 'admin',
      cache: join(directory, 'kubectl-cache'),
      namespace: flags.namespace ?? (playsDemo(flags) ? 'demo' : 'default'),
    },
    kubeconfig,
    contexts: { operator: 'operator', webhook: 'webhook' },
    people: { admin: tokens.admin, ana: tokens.ana, bo: tokens.bo, demoSource: tokens['demo-source'] },
  };
}

/** Nothing made up ever goes into a cluster or a database that a person named. */
export const playsDemo = (flags: StartFlags): boolean => !flags.empty && !flags.cluster && !flags.databaseUrl;

/** A short path for the lines to copy. */
function linkTo(target: string, link: string): string {
  rmSync(link, { force: true });
  symlinkSync(target, link);
  return link;
}

/**
 * Asks for a yes to whatever was named. Undefined when no cluster was. Throws a Fault when the answer is another one; before
 * it, neither cluster nor database sees even a read.
 */
export async function enterWhatIsNamed({ directory, flags, say }: ClusterOptions): Promise<Cluster | undefined> {
  const { cluster, databaseUrl } = flags;
  const database = databaseUrl
    ? `  database:  ${withoutSecret(databaseUrl)}; tables for history will be made in it`
    : '  database:  a private Postgres on this machine';
  if (!cluster) {
    if (!databaseUrl) return undefined;
    const namespace = flags.namespace ?? 'default';
    const embedded = [`  server:    an embedded one, ${ON_THIS_MACHINE}`, `  context:   its own`];
    await confirm([...embedded, `  namespace: ${namespace}`, database], flags.yes, say);
    return undefined;
  }
  const { context, kubeconfig } = cluster;
  const named = lookUpContext(kubeconfig, context);
  const namespace = flags.namespace ?? named.namespace;
  await confirm(
    [
      `  server:    ${named.server}`,
      `  context:   ${context} (user ${named.user}), from ${kubeconfig}`,
      `  namespace: ${namespace}`,
      database,
      `  operator and webhook will run ${ON_THIS_MACHINE} with the rights of that context; these will be applied:`,
      ...manifestsIn(CONFIG_DEFAULT).map((line) => `    ${line}`),
    ],
    flags.yes,
    say,
  );
  const target = {
    program: (await kubectlOnPath()) ?? (await ownKubectl(flags, say)),
    kubeconfig,
    context,
    cache: join(directory, 'kubectl-cache'),
    namespace,
  };
  return { target, kubeconfig, contexts: { operator: context, webhook: context } };
}

async function ownKubectl({ assetsUrl }: StartFlags, say: Say): Promise<string> {
  return join(await findAssets({ say, ...(assetsUrl ? { assetsUrl } : {}) }), 'kubectl');
}
