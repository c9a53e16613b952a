/** Keeps the status of each CorrelationRule true. Reads and writes nothing else. */
import type { CorrelationRule } from '@funnelai/crds/generated/types';
import { CORRELATION_RULES } from '@funnelai/crds/meta';
import { keyOf, splitKey } from '@funnelai/kube/paths';
import { putStatus } from '@funnelai/kube/status';
import type { Controller, Deps } from '../controller.ts';
import { createQueue } from '../queue.ts';
import { ruleStatus } from './decide.ts';

const WORKERS = 2;

export function createRuleController(deps: Deps): Controller {
  const { caches, client, clock, metrics } = deps;
  const broken = new Set<string>();
  const queue = createQueue(deps, { name: 'rule', workers: WORKERS, reads: [CORRELATION_RULES], reconcile });
  let unsubscribe = () => {};

  async function reconcile(key: string): Promise<undefined> {
    const { namespace, name } = splitKey(key);
    const rule = caches.rules.get(namespace, name);
    if (rule === undefined || rule.metadata.deletionTimestamp !== undefined) {
      note(key, false);
      return undefined;
    }
    const decided = ruleStatus(rule, clock.now());
    note(key, decided.broken);
    const written = await putStatus<CorrelationRule>(client, CORRELATION_RULES, rule, decided.status);
    if (written !== undefined) caches.rules.observe(written);
    return undefined;
  }

  function note(key: string, isBroken: boolean): void {
    if (isBroken) broken.add(key);
    else broken.delete(key);
    metrics.brokenRules(broken.size);
  }

  return {
    name: 'rule',
    start() {
      unsubscribe = caches.rules.subscribe(({ object }) => queue.add(keyOf(object)));
      for (const rule of caches.rules.list()) queue.add(keyOf(rule), 'routine');
      queue.start();
    },
    async stop() {
      unsubscribe();
      await queue.stop();
    },
    idle: () => queue.idle(),
  };
}
