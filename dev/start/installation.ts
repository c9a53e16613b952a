/**
 * One running installation from its first line in the terminal to its last: starts the parts in order, tells where they
 * are, and ends them all whichever way it ends.
 */
import { existsSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { applyConfig, CONFIG_DEFAULT, manifestsIn } from '../controlplane/apply-config.ts';
import { findAssets } from '../controlplane/assets.ts';
import { createControlPlane } from '../controlplane/control-plane.ts';
import { type Demo, playDemo } from '../demo/play.ts';
import { type KubectlTarget, kubectl } from '../kubectl.ts';
import { findPostgres } from '../postgres/binaries.ts';
import { createPostgres, makeDataDirectory, wipePostgres } from '../postgres/server.ts';
import { writeAtomically } from '../process/atomic-file.ts';
import { pointersIn } from '../process/environment.ts';
import { Fault, messageOf } from '../process/fault.ts';
import { nextFreePort } from '../process/ports.ts';
import { patiently, type Say, seconds } from '../process/say.ts';
import { createSupervisor, type Supervisor } from '../supervise/supervisor.ts';
import { buildUi } from '../ui-build.ts';
import type { StartFlags } from './flags.ts';
import { takeLock } from './lock.ts';
import { confirm, kubectlOnPath, lookUpContext, withoutSecret } from './named-cluster.ts';
import { controlPlaneParts, ourParts, postgresPart, STOP_ORDER } from './parts.ts';
import { type RunFile, removeRunFile, writeRunFile } from './run-file.ts';
import { keepTokens, usersOf } from './settings.ts';
import { offerSignIn, type SignIn } from './sign-in.ts';
import { welcomeLines } from './welcome.ts';

export interface InstallationOptions {
  root: string;
  /** Where everything that is stored lies. */
  directory: string;
  flags: StartFlags;
  say: Say;
}

export interface Installation {
  /** Ends everything; the reason is said. Idempotent. */
  stop(reason: string): void;
  /** The exit code, once nothing of it runs any more. */
  readonly ended: Promise<number>;
}

const PORTS = {
  apiserver: 16_443,
  etcd: 12_379,
  etcdPeer: 12_380,
  postgres: 15_432,
  operatorHealth: 18_484,
  webhookMetrics: 18_485,
};

/** The cluster that is used: an embedded one, or the one that was named. */
interface Cluster {
  target: KubectlTarget;
  /** Kubeconfig and contexts that operator and webhook act with. */
  kubeconfig: string;
  contexts: { operator: string; webhook: string };
  people?: { admin: string; ana: string; bo: string; demoSource: string };
}

export function runInstallation(o: InstallationOptions): Installation {
  const { directory, say, flags } = o;
  const began = Number(process.env.FUNNELAI_BEGAN) || Date.now();
  let ending: { code: number } | undefined;
  let finish: (code: number) => void = () => undefined;
  const ended = new Promise<number>((resolve) => {
    finish = resolve;
  });
  const closers: (() => void)[] = [];
  let publish: () => void = () => undefined;

  const supervisor = createSupervisor({
    say,
    onChange: () => publish(),
    onFatal: (reason) => {
      console.error(`npm start: ${reason}`);
      end(1);
    },
  });

  function end(code: number): void {
    if (ending) return;
    ending = { code };
    const stopped = performance.now();
    void (async () => {
      await patiently(say, 'stopping', 'every part writes down what it still holds', () => supervisor.stop(STOP_ORDER));
      for (const close of closers.reverse()) close();
      say(`stopped in ${seconds(performance.now() - stopped)}; what is stored stays in ${directory}`);
      finish(code);
    })();
  }

  const ifGoingOn = () => {
    if (ending) throw new Stopped();
  };

  async function begin(): Promise<void> {
    makeDataDirectory(directory);
    const lock = takeLock(directory);
    closers.push(() => lock.release());
    removeRunFile(directory);
    closers.push(() => removeRunFile(directory));
    if (flags.fresh) wipe(directory, say);
    sayWhatIsIgnored(say);

    // Before anything else is made: a no must leave nothing behind.
    const named = flags.cluster && (await enterNamedCluster(o, flags.cluster));
    if (!flags.cluster && flags.databaseUrl) await confirmDatabase(o, flags.databaseUrl);
    ifGoingOn();

    const reserved = new Set<number>();
    const port = (name: string, wanted: number) => claimPort(name, wanted, reserved, say);
    const web = await port('pages and intake', flags.port);
    const ui = buildUi(o.root, say);
    // Awaited below, but told at once.
    ui.catch(fail);

    const postgres =
      flags.databaseUrl === undefined
        ? startPrivatePostgres(o, supervisor, await port('Postgres', PORTS.postgres))
        : undefined;
    postgres?.catch(fail);
    const cluster = named ?? (await startEmbeddedCluster(o, supervisor, port));
    ifGoingOn();
    await patiently(say, 'applying config/default', 'kinds, rights and admission policies', () =>
      applyConfig(cluster.target, say),
    );
    const databaseUrl = flags.databaseUrl ?? (await postgres) ?? '';
    ifGoingOn();

    const url = `http://127.0.0.1:${web}`;
    const paths = {
      databaseUrlFile: join(directory, 'database-url'),
      signInFile: join(directory, 'sign-in.json'),
      welcomeFile: join(directory, 'welcome.json'),
    };
    writeAtomically(paths.databaseUrlFile, databaseUrl);
    writeAtomically(paths.welcomeFile, '{"lines":[]}\n');
    const signIn: SignIn | undefined =
      cluster.people && offerSignIn(paths.signInFile, cluster.people.admin, () => publish());
    if (signIn) closers.push(() => signIn.stop());
    const parts = ourParts({
      root: o.root,
      logs: join(directory, 'logs'),
      kubeconfig: cluster.kubeconfig,
      contexts: cluster.contexts,
      ports: {
        web,
        operatorHealth: await port('operator health', PORTS.operatorHealth),
        webhookMetrics: await port('webhook metrics', PORTS.webhookMetrics),
      },
      uiDirectory: await ui,
      ...paths,
    });
    await patiently(say, 'starting operator and webhook', 'ready once their caches have synced', () =>
      Promise.all([supervisor.add(parts.operator), supervisor.add(parts.webhook)]),
    );
    ifGoingOn();

    const withDemo = cluster.people !== undefined && !flags.empty;
    const demo: Demo | undefined =
      withDemo && cluster.people
        ? await playDemo({ target: cluster.target, url, tokens: cluster.people, say })
        : undefined;
    if (demo) closers.push(() => demo.stop());
    const facts: Omit<RunFile, 'signInUrl' | 'processes'> = {
      url,
      token: cluster.people?.admin ?? null,
      kubeconfig: cluster.kubeconfig,
      databaseUrl,
      sources: demo ? [demo.source] : [],
    };
    publish = () => {
      const pid = (name: string) => supervisor.pids()[name] ?? null;
      writeRunFile(directory, {
        ...facts,
        signInUrl: signIn ? `${url}${signIn.path()}` : null,
        processes: {
          etcd: pid('etcd'),
          apiserver: pid('apiserver'),
          controllerManager: pid('controllerManager'),
          postgres: pid('postgres'),
          operator: pid('operator'),
          webhook: pid('webhook'),
        },
      });
    };
    publish();
    lock.announce(url);
    say('');
    say(`ready in ${seconds(Date.now() - began)}`);
    say(`  address      ${url}`);
    say(
      `  sign in      ${signIn ? `${url}${signIn.path()}   (once; another stands in run.json after that)` : `${url}/sign-in with a token of that cluster`}`,
    );
    say(`  kubeconfig   ${cluster.kubeconfig}`);
    say(`  for scripts  ${join(directory, 'run.json')}`);
    say(`  logs         ${join(directory, 'logs')}`);
    say('');

    const namespace = flags.namespace ?? cluster.target.namespace ?? 'default';
    const incident = demo ? await demo.movable : await anyIncident(cluster.target, namespace);
    ifGoingOn();
    const lines = welcomeLines({
      kubeconfig: cluster.kubeconfig,
      ...(flags.cluster ? { context: flags.cluster.context } : {}),
      kubectl: cluster.target.program,
      namespace,
      ...(incident ? { incident } : {}),
      ...(demo ? { source: demo.source } : {}),
    });
    writeAtomically(paths.welcomeFile, `${JSON.stringify({ lines })}\n`);
    for (const { label, command } of lines) say(`  ${label}:\n    ${command}`);
    say('\nCtrl-C stops everything.');
  }

  function fail(error: unknown): void {
    if (ending || error instanceof Stopped) return;
    console.error(error instanceof Fault ? `npm start: ${messageOf(error)}` : error);
    end(1);
  }

  begin().catch(fail);

  return {
    ended,
    stop(reason) {
      if (ending) return;
      say(`\n${reason}: stopping`);
      end(0);
    },
  };
}

/** Thrown where the way goes on no further because the end has begun. */
class Stopped extends Error {}

function wipe(directory: string, say: Say): void {
  wipePostgres(directory);
  for (const entry of readdirSync(directory)) {
    if (!entry.startsWith('lock')) rmSync(join(directory, entry), { recursive: true, force: true });
  }
  say(`  --fresh: everything stored in ${directory} was wiped`);
}

function sayWhatIsIgnored(say: Say): void {
  const found = pointersIn(process.env).filter((name) => !name.startsWith('KUBEBUILDER_'));
  if (found.length > 0) {
    say(
      `  ignored: ${found.join(', ')} of your environment; a real cluster or database is named by --context or --database-url only`,
    );
  }
}

async function claimPort(name: string, wanted: number, reserved: Set<number>, say: Say): Promise<number> {
  const found = await nextFreePort(wanted, reserved);
  if (found !== wanted) say(`  port ${wanted} (${name}) is taken: using ${found}`);
  return found;
}

type ClaimPort = (name: string, wanted: number) => Promise<number>;

async function startEmbeddedCluster(o: InstallationOptions, supervisor: Supervisor, port: ClaimPort): Promise<Cluster> {
  const { directory, say, flags } = o;
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
  const people = { admin: tokens.admin, ana: tokens.ana, bo: tokens.bo, demoSource: tokens['demo-source'] };
  return {
    target: {
      program,
      kubeconfig,
      context: 'admin',
      cache: join(directory, 'kubectl-cache'),
      namespace: flags.empty ? 'default' : 'demo',
    },
    kubeconfig,
    contexts: { operator: 'operator', webhook: 'webhook' },
    people,
  };
}

/** A short path for the lines to copy. */
function linkTo(target: string, link: string): string {
  rmSync(link, { force: true });
  symlinkSync(target, link);
  return link;
}

async function enterNamedCluster(
  o: InstallationOptions,
  { context, kubeconfig }: NonNullable<StartFlags['cluster']>,
): Promise<Cluster> {
  const { directory, say, flags } = o;
  const named = lookUpContext(kubeconfig, context);
  const program =
    (await kubectlOnPath()) ??
    join(await findAssets({ say, ...(flags.assetsUrl ? { assetsUrl: flags.assetsUrl } : {}) }), 'kubectl');
  const target = {
    program,
    kubeconfig,
    context,
    cache: join(directory, 'kubectl-cache'),
    namespace: flags.namespace ?? named.namespace,
  };
  // Asked of the files alone: before the yes, the cluster sees not even a read.
  const manifests = await manifestsIn(target, CONFIG_DEFAULT);
  await confirm(
    [
      `  server:    ${named.server}`,
      `  context:   ${context} (user ${named.user}), from ${kubeconfig}`,
      `  namespace: ${target.namespace}`,
      `  database:  ${flags.databaseUrl ? withoutSecret(flags.databaseUrl) : 'a private Postgres on this machine'}`,
      '  operator and webhook will run on this machine with the rights of that context; these will be applied:',
      ...manifests.map((line) => `    ${line}`),
    ],
    flags.yes,
    say,
  );
  return { target, kubeconfig, contexts: { operator: context, webhook: context } };
}

function confirmDatabase({ say, flags }: InstallationOptions, databaseUrl: string): Promise<void> {
  return confirm(
    [`  database: ${withoutSecret(databaseUrl)}`, '  tables for history will be made in it'],
    flags.yes,
    say,
  );
}

async function startPrivatePostgres(o: InstallationOptions, supervisor: Supervisor, port: number): Promise<string> {
  const { directory, say } = o;
  const binaries = await findPostgres(say);
  return patiently(say, 'starting Postgres', 'it keeps the history', async () => {
    const server = await createPostgres({ binaries, directory, logs: join(directory, 'logs'), port, fsync: true });
    if (server.place.moved) {
      say(
        `  Postgres runs as ${server.place.account}, who may not enter ${directory}: its data is in ${server.place.directory} (--fresh wipes it there)`,
      );
    }
    await supervisor.add(postgresPart(server));
    return server.url;
  });
}

async function anyIncident(
  target: KubectlTarget,
  namespace: string,
): Promise<{ name: string; phase: string } | undefined> {
  try {
    const columns = 'jsonpath={range .items[*]}{.metadata.name} {.spec.phase}{"\\n"}{end}';
    const lines = (await kubectl(target, ['get', 'incidents.funnelai.dev', '-n', namespace, '-o', columns]))
      .trim()
      .split('\n');
    const rows = lines.map((line) => line.split(' ')).map(([name = '', phase = '']) => ({ name, phase }));
    return rows.find(({ phase }) => phase === 'Detection') ?? rows.find(({ name }) => name !== '');
  } catch {
    // Only a line to copy is lost.
    return undefined;
  }
}

/** What an earlier start has written, for tests and tools. */
export function readRunFile(directory: string): RunFile | undefined {
  const path = join(directory, 'run.json');
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as RunFile) : undefined;
}
