/**
 * One running installation from its first line in the terminal to its last: starts the parts in order, tells where they
 * are, and ends them all whichever way it ends.
 */
import { join } from 'node:path';
import { applyConfig } from '../controlplane/apply-config.ts';
import { type Demo, playDemo } from '../demo/play.ts';
import { writeAtomically } from '../process/atomic-file.ts';
import { pointersIn } from '../process/environment.ts';
import { Fault, messageOf } from '../process/fault.ts';
import { complain, patiently, type Say, seconds } from '../process/say.ts';
import { createSupervisor } from '../supervise/supervisor.ts';
import { buildUi } from '../ui-build.ts';
import { sayLines, sayReady, writeCard } from './announce.ts';
import { enterWhatIsNamed, playsDemo, startEmbeddedCluster } from './cluster.ts';
import { enterDataDirectory, wipeDataDirectory } from './data-directory.ts';
import { checkNamedDatabase, startPrivatePostgres } from './database.ts';
import type { StartFlags } from './flags.ts';
import { takeLock } from './lock.ts';
import { ourParts, STOP_ORDER } from './parts.ts';
import { createPortClaims, PORTS } from './ports.ts';
import { type RunFile, removeRunFile, writeRunFile } from './run-file.ts';
import { offerSignIn, type SignIn } from './sign-in.ts';

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
  /** Whether there is anything to stop: not before the lock was had and what was named was said yes to. */
  let entered = false;

  const supervisor = createSupervisor({
    say,
    onChange: () => publish(),
    onFatal: (reason) => {
      complain(`npm start: ${reason}`);
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
      if (entered) say(`stopped in ${seconds(performance.now() - stopped)}; what is stored stays in ${directory}`);
      finish(code);
    })();
  }

  const ifGoingOn = () => {
    if (ending) throw new Stopped();
  };

  async function begin(): Promise<void> {
    enterDataDirectory(directory);
    const lock = takeLock(directory);
    closers.push(() => lock.release());
    removeRunFile(directory);
    closers.push(() => removeRunFile(directory));
    sayWhatIsIgnored(say);

    // Before anything is made or wiped: a no must change nothing.
    const named = await enterWhatIsNamed(o);
    ifGoingOn();
    if (flags.databaseUrl !== undefined) await checkNamedDatabase(flags.databaseUrl, say);
    ifGoingOn();
    entered = true;
    if (flags.fresh) {
      wipeDataDirectory(directory);
      say(`  --fresh: everything stored in ${directory} was wiped`);
    }

    const { claim: port, release } = createPortClaims(say);
    closers.push(release);
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
    writeCard(paths.welcomeFile, []);
    const signIn: SignIn | undefined =
      cluster.people && offerSignIn(paths.signInFile, cluster.people.admin, () => publish());
    if (signIn) closers.push(() => signIn.stop());
    const signInUrl = () => (signIn ? `${url}${signIn.path()}` : undefined);
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
    await patiently(say, 'starting operator and webhook', 'until their caches are full', () =>
      Promise.all([supervisor.add(parts.operator), supervisor.add(parts.webhook)]),
    );
    ifGoingOn();

    const demo: Demo | undefined =
      playsDemo(flags) && cluster.people
        ? await playDemo({ target: cluster.target, url, tokens: cluster.people, say })
        : undefined;
    if (demo) closers.push(() => demo.stop());
    ifGoingOn();
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
        signInUrl: signInUrl() ?? null,
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
    const link = signInUrl();
    sayReady(say, {
      tookMs: Date.now() - began,
      url,
      ...(link ? { signInUrl: link } : {}),
      kubeconfig: cluster.kubeconfig,
      directory,
    });
    // With --namespace the lines are about that one, whatever the demo plays in its own.
    const shown = demo?.source.namespace === cluster.target.namespace ? demo : undefined;
    const lines = await sayLines(say, {
      cluster,
      flags,
      ...(shown ? { source: shown.source, incident: shown.movable } : {}),
    });
    ifGoingOn();
    writeCard(paths.welcomeFile, lines);
  }

  function fail(error: unknown): void {
    if (ending || error instanceof Stopped) return;
    complain(error instanceof Fault ? `npm start: ${messageOf(error)}` : error);
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

function sayWhatIsIgnored(say: Say): void {
  const found = pointersIn(process.env).filter((name) => !name.startsWith('KUBEBUILDER_'));
  if (found.length > 0) {
    say(
      `  ignored: ${found.join(', ')} of your environment; a real cluster or database is named by --context or --database-url only`,
    );
  }
}
