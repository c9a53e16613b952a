import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';

interface Rights {
  kind: string;
  rules?: { apiGroups: string[]; resources: string[]; verbs: string[] }[];
}

const rulesIn = (path: string, kind: string) =>
  parseAllDocuments(readFileSync(new URL(`../../config/${path}`, import.meta.url), 'utf8'))
    .map((document) => document.toJS() as Rights)
    .filter((object) => object.kind === kind)
    .flatMap(({ rules = [] }) => rules.map((rule) => JSON.stringify(rule)))
    .sort();

it('gives the operator of one namespace the same rights there as that of a whole cluster has everywhere', () => {
  const everywhere = [...rulesIn('rbac/operator.yaml', 'ClusterRole'), ...rulesIn('rbac/operator.yaml', 'Role')];
  expect(rulesIn('namespaced/operator.yaml', 'Role')).toEqual(everywhere.sort());
  expect(rulesIn('namespaced/operator.yaml', 'ClusterRole')).toEqual([]);
});

it('gives the webhook of one namespace the same rights there as that of a whole cluster, but for the list of namespaces', () => {
  const listing = JSON.stringify({ apiGroups: [''], resources: ['namespaces'], verbs: ['get', 'list', 'watch'] });
  const itself = JSON.stringify({ apiGroups: [''], resources: ['namespaces'], verbs: ['get'] });
  const everywhere = rulesIn('rbac/webhook.yaml', 'ClusterRole');
  expect(everywhere).toContain(listing);
  expect(rulesIn('namespaced/webhook.yaml', 'Role')).toEqual(
    everywhere.map((rule) => (rule === listing ? itself : rule)).sort(),
  );
  expect(rulesIn('namespaced/webhook.yaml', 'ClusterRole')).toEqual([]);
});
