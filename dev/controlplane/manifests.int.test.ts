import { createKubectl } from '@funnelai/test/harness/kubectl';
import { expect, inject, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { CONFIG_DEFAULT } from './apply-config.ts';
import { manifestsIn } from './manifests.ts';

it('shows exactly what kustomize would apply', async () => {
  const kubectl = createKubectl({ assets: inject('assets'), kubeconfig: inject('kubeconfig') });
  const built = parseAllDocuments(await kubectl.run(['kustomize', CONFIG_DEFAULT])).map((document) => {
    const { kind, metadata } = document.toJS() as { kind: string; metadata: { name: string; namespace?: string } };
    return `${kind} ${metadata.namespace ? `${metadata.namespace}/` : ''}${metadata.name}`;
  });
  expect(built.length).toBeGreaterThan(10);
  expect(manifestsIn(CONFIG_DEFAULT).sort()).toEqual(built.sort());
});
