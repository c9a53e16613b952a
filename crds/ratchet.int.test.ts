/** A rule that came later than an object: the object stays editable, what is made or changed has to keep the rule. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { eventually, kubectl, makeNamespace, mustKubectl } from './testing/api-server.ts';

/** The kind under another name, for no other test knows of that one. */
const GROUP = 'ratchet.funnelai.dev';
const OURS = new URL('./alertsources.yaml', import.meta.url);

interface Node {
  [key: string]: unknown;
}
const isNode = (value: unknown): value is Node => value !== null && typeof value === 'object';

/** As it was before anyone thought of a rule. */
function withoutRules(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutRules);
  if (!isNode(value)) return value;
  const kept = Object.entries(value).filter(([key]) => key !== 'x-kubernetes-validations');
  return Object.fromEntries(kept.map(([key, child]) => [key, withoutRules(child)]));
}
function definition(): Node {
  const { spec, ...rest } = parse(readFileSync(OURS, 'utf8')) as { spec: Node };
  const names = { plural: 'alertsources', singular: 'alertsource', kind: 'AlertSource', listKind: 'AlertSourceList' };
  return { ...rest, metadata: { name: `alertsources.${GROUP}` }, spec: { ...spec, group: GROUP, names } };
}
const apply = (manifest: unknown) => mustKubectl('admin', ['apply', '--server-side', '-f', '-'], manifest);

let namespace: string;
const aSource = (name: string, spec: Node) => ({
  apiVersion: `${GROUP}/v1alpha1`,
  kind: 'AlertSource',
  metadata: { namespace, name },
  spec: { format: 'Alertmanager', auth: { none: {} }, ...spec },
});
const TWICE = { severity: { map: { P1: 'Critical', p1: 'Low' } }, dedup: { labels: ['replica'] } };
const edit = (patch: Node) =>
  kubectl('admin', [
    ...['-n', namespace, 'patch', `alertsources.${GROUP}`, 'old', '--type=merge', '--dry-run=server'],
    ...['-p', JSON.stringify({ spec: patch })],
  ]);

beforeAll(async () => {
  namespace = await makeNamespace('ratchet');
  await apply(withoutRules(definition()));
  await eventually(
    () => kubectl('admin', ['create', '-f', '-'], aSource('old', TWICE)),
    ({ ok }) => ok,
  );
  await apply(definition());
  await eventually(
    () => kubectl('admin', ['create', '--dry-run=server', '-f', '-'], aSource('new', TWICE)),
    ({ ok }) => !ok,
  );
});
afterAll(async () => {
  await kubectl('admin', ['delete', 'crd', `alertsources.${GROUP}`, '--wait=false']);
});

it('lets all be edited of a source that was there before but what the rule is about', async () => {
  for (const patch of [{ labels: { cluster: 'eu-1' } }, { severity: { default: 'High' } }]) {
    const answer = await edit(patch);
    expect(answer.ok, answer.stderr).toBe(true);
  }
  expect((await edit({ severity: { map: { p2: 'High' } } })).stderr).toContain('expected each word once');
  expect((await edit({ dedup: { ignore: ['pod', 'replica'] } })).stderr).toContain('spec.dedup.labels');
  const mended = await edit({ severity: { map: { p1: null } }, dedup: { labels: ['pod'] } });
  expect(mended.ok, mended.stderr).toBe(true);
});
