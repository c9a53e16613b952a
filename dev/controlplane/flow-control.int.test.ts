/** Who waits for whom: the API server itself tells in which level it has put a request. */
import { createKubectl } from '@funnelai/test/harness/kubectl';
import { userOf } from '@funnelai/test/harness/users';
import { Agent, request } from 'undici';
import { afterAll, expect, inject, it } from 'vitest';

const agent = new Agent({ connect: { rejectUnauthorized: false } });
afterAll(() => agent.close());

const kubectl = () => createKubectl({ assets: inject('assets'), kubeconfig: inject('kubeconfig') });

/** Name of the FlowSchema that took the request, whatever was answered. */
async function schemaOf(context: Parameters<typeof userOf>[0], method: 'GET' | 'POST' | 'PATCH', path: string) {
  const server = await kubectl().run(['config', 'view', '--minify', '-o', 'jsonpath={.clusters[0].cluster.server}']);
  const answer = await request(server + path, {
    method,
    headers: { authorization: `Bearer ${userOf(context).token}`, 'content-type': 'application/merge-patch+json' },
    ...(method === 'GET' ? {} : { body: '{}' }),
    dispatcher: agent,
  });
  await answer.body.dump();
  const uid = answer.headers['x-kubernetes-pf-flowschema-uid'];
  const { items } = JSON.parse(await kubectl().run(['get', 'flowschemas', '-o', 'json'])) as {
    items: { metadata: { name: string; uid: string } }[];
  };
  return items.find(({ metadata }) => metadata.uid === uid)?.metadata.name;
}

const OURS = '/apis/funnelai.dev/v1alpha1/namespaces/default';

it('writes of alerts wait neither for people, nor for the operator, nor for its Lease, and none of them for the writes of alerts', async () => {
  const lease = '/apis/coordination.k8s.io/v1/namespaces/funnel-system/leases/funnelai-operator';
  expect(await schemaOf('webhook', 'POST', `${OURS}/alerts`)).toBe('funnelai-alerts');
  expect(await schemaOf('webhook', 'GET', `${OURS}/alerts`)).toBe('funnelai-machines');
  expect(await schemaOf('operator', 'PATCH', `${OURS}/incidents/none/status`)).toBe('funnelai-machines');
  expect(await schemaOf('operator', 'GET', lease)).toBe('funnelai-leases');
  expect(await schemaOf('ana', 'PATCH', `${OURS}/incidents/none`)).toBe('funnelai-people');
  expect(await schemaOf('ana', 'GET', `${OURS}/incidents`)).toBe('funnelai-people');
});
