/** The six parts, each with how it is started and what it needs. Wires; decides nothing. */
import { join } from 'node:path';
import { SMALL_HEAP_ARGS, SMALL_HEAP_ENVIRONMENT } from '@funnelai/kube/memory';
import { type ControlPlane, readiness } from '../controlplane/control-plane.ts';
import type { PostgresServer } from '../postgres/server.ts';
import { launch } from '../process/child.ts';
import type { Part } from '../supervise/supervisor.ts';

/** Stopped in this order: nobody loses what it still needs to end well. */
export const STOP_ORDER = [['webhook', 'operator'], ['controllerManager'], ['apiserver'], ['etcd', 'postgres']];

export function controlPlaneParts(
  controlPlane: ControlPlane,
): Record<'etcd' | 'apiserver' | 'controllerManager', Part> {
  return {
    etcd: { name: 'etcd', start: () => controlPlane.startEtcd() },
    apiserver: { name: 'apiserver', needs: ['etcd'], start: () => controlPlane.startApiserver() },
    controllerManager: {
      name: 'controllerManager',
      needs: ['apiserver'],
      start: () => controlPlane.startControllerManager(),
    },
  };
}

export function postgresPart(server: PostgresServer): Part {
  return { name: 'postgres', start: () => server.start() };
}

export interface OurOptions {
  root: string;
  logs: string;
  kubeconfig: string;
  contexts: { operator: string; webhook: string };
  databaseUrlFile: string;
  ports: { web: number; operatorHealth: number; webhookMetrics: number };
  uiDirectory: string;
  signInFile: string;
  welcomeFile: string;
}

export function ourParts(o: OurOptions): Record<'operator' | 'webhook', Part> {
  const start = (name: 'operator' | 'webhook', readyUrl: string, args: string[]) => async () => {
    const running = await launch({
      name,
      command: process.execPath,
      args: [
        ...SMALL_HEAP_ARGS,
        join(o.root, name, 'main.ts'),
        ...['--kubeconfig', o.kubeconfig],
        ...['--context', o.contexts[name]],
        ...['--database-url-file', o.databaseUrlFile],
        ...args,
      ],
      cwd: o.root,
      env: { NODE_ENV: 'production', ...SMALL_HEAP_ENVIRONMENT },
      logPath: join(o.logs, `${name}.log`),
    });
    await readiness(running, async () => (await fetch(readyUrl, { signal: AbortSignal.timeout(2_000) })).ok);
    return running;
  };
  const needs = ['apiserver'];
  const health = o.ports.operatorHealth;
  return {
    operator: {
      name: 'operator',
      needs,
      start: start('operator', `http://127.0.0.1:${health}/readyz`, [
        '--health-port',
        String(health),
        '--lease-namespace',
        'funnel-system',
      ]),
    },
    webhook: {
      name: 'webhook',
      needs,
      start: start('webhook', `http://127.0.0.1:${o.ports.web}/readyz`, [
        ...['--host', '127.0.0.1'],
        ...['--port', String(o.ports.web)],
        ...['--metrics-port', String(o.ports.webhookMetrics)],
        ...['--ui-dir', o.uiDirectory],
        ...['--sign-in-file', o.signInFile],
        ...['--welcome-file', o.welcomeFile],
      ]),
    },
  };
}
