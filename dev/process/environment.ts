/** The environment that our children get: the caller's, without anything that could point them at a cluster or database. */

const POINTERS = /^(KUBE.*|KUBERNETES_.*|PG.*|DATABASE_URL|NODE_OPTIONS)$/;

/** The variables of `environment` that could lead a program to a cluster or database that nobody named by a flag. */
export function pointersIn(environment: NodeJS.ProcessEnv): string[] {
  return Object.keys(environment)
    .filter((name) => POINTERS.test(name) && name !== 'NODE_OPTIONS')
    .sort();
}

/** A copy of `environment` without those pointers, with `more` laid over it. */
export function childEnvironment(more: Record<string, string> = {}, environment = process.env): NodeJS.ProcessEnv {
  const kept = Object.entries(environment).filter(([name]) => !POINTERS.test(name));
  return { ...Object.fromEntries(kept), ...more };
}
