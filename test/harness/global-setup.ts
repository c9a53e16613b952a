/**
 * Starts one control plane and one Postgres for the whole run of tests and tells every test file where they are. Tests
 * share them: each takes a namespace and a database of its own.
 */
import type { TestProject } from 'vitest/node';
import { type Environment, startEnvironment } from './environment.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Path of a kubeconfig with one context for each user of users.ts; the administrator's is the current one. */
    kubeconfig: string;
    /** Directory with kubectl, etcd, kube-apiserver and kube-controller-manager. */
    assets: string;
    /** URL of the server's owner; make a database of your own from it (database.ts). */
    databaseUrl: string;
    etcdUrl: string;
  }
}

/** Projects are set up one by one, each with modules of its own: what they share hangs on the process. */
interface Shared {
  environment?: Promise<Environment>;
  users: number;
}
const KEY = Symbol.for('funnelai.test.environment');
const place = globalThis as { [KEY]?: Shared };
place[KEY] ??= { users: 0 };
const shared: Shared = place[KEY];

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  shared.users++;
  shared.environment ??= startEnvironment({ say: (line) => console.log(line) });
  const environment = await shared.environment;
  project.provide('kubeconfig', environment.kubeconfig);
  project.provide('assets', environment.assets);
  project.provide('databaseUrl', environment.databaseUrl);
  project.provide('etcdUrl', environment.etcdUrl);
  return async () => {
    shared.users--;
    if (shared.users === 0) await environment.stop();
  };
}
