/** The proof that what refusals.test.ts holds alerts against is what the API server itself holds them against. */

import type { Alert, AlertSpec } from '@funnelai/crds/generated/types';
import { ALERTS, API_VERSION } from '@funnelai/crds/meta';
import { toAlertSpec } from '@funnelai/domain/alert-input';
import { alertName } from '@funnelai/domain/fingerprint';
import { createKubeClient, type KubeClient } from '@funnelai/kube/client';
import { loadConnection } from '@funnelai/kube/config';
import { messageOf } from '@funnelai/kube/errors';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { anyInput, anySource, HANDED_OVER } from '../testing/any-input.ts';
import { anAlert } from '../testing/builders.ts';
import { refusalsOf, refusedSpecs } from '../testing/refusals.ts';
import { aTeam, type Team } from '../testing/world.ts';

const stage = { assets: inject('assets'), kubeconfig: inject('kubeconfig') };
let team: Team;
let client: KubeClient;
beforeAll(async () => {
  team = await aTeam(stage);
  const connection = await loadConnection({ kubeconfigPath: stage.kubeconfig, context: 'webhook' });
  client = createKubeClient(connection, { userAgent: 'funnelai-webhook' });
});
afterAll(() => client.close());

/** The API server's words; undefined when it takes it. Nothing is stored. */
async function refusal(spec: AlertSpec): Promise<string | undefined> {
  const metadata = { namespace: team.namespace, name: alertName(spec.sourceRef.name, spec.fingerprint) };
  try {
    await client.create<Alert>(ALERTS, { apiVersion: API_VERSION, kind: 'Alert', metadata, spec }, { dryRun: true });
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

it('is taken by the API server, whatever a receiver handed over', async () => {
  const handedOver = fc.sample(fc.tuple(anyInput, anySource), { numRuns: 150, seed: 20_260_301 });
  const specs = handedOver.map(([input, source]) => toAlertSpec(input, source, HANDED_OVER).spec);
  expect((await Promise.all(specs.map(refusal))).filter((why) => why !== undefined)).toEqual([]);
});

it('is refused by it where the bounds and rules of the file refuse it', async () => {
  const good = anAlert().spec;
  expect([await refusal(good), refusalsOf(good)]).toEqual([undefined, []]);
  for (const [change] of refusedSpecs(good))
    expect([change, await refusal({ ...good, ...change })]).not.toContain(undefined);
});
