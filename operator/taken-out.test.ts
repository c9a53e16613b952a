/** Merges that were a mistake: what is taken out again has its alerts, its count of them, and what comes for its group. */
import type { Alert, Incident } from '@funnelai/crds/generated/types';
import { ALERTS, INCIDENTS } from '@funnelai/crds/meta';
import type { JsonPatchOp } from '@funnelai/kube/client';
import { FakeClock } from '@funnelai/kube/test-clock';
import { beforeEach, describe, expect, it } from 'vitest';
import { anIncident, crashingPods, NAMESPACE } from './testing/builders.ts';
import { eventually } from './testing/eventually.ts';
import { FakeApi } from './testing/fake-api.ts';
import { type Running, runOperator } from './testing/run.ts';

const OPERATOR = 'system:serviceaccount:funnel-system:funnelai-operator';
const COUNTED_MS = 15_000;

let clock: FakeClock;
let api: FakeApi;
let operator: Running | undefined;

/** An operator works for a while, and is away again. */
async function work(act: () => Promise<unknown> = async () => undefined): Promise<void> {
  operator = runOperator({ client: api.client(OPERATOR), clock });
  await eventually('the operator leads', () => operator?.leading());
  await act();
  await clock.advance(COUNTED_MS);
  await clock.advance(COUNTED_MS);
  await operator.stop();
}
const send = (count: number, of: string) =>
  Promise.all(crashingPods(count, { of }).map((alert) => api.client('webhook').create(ALERTS, alert)));
const incidents = () => api.all<Incident>(INCIDENTS);
const counts = (name: string) => incidents().find(({ metadata }) => metadata.name === name)?.status?.alerts;
const cleared = (name: string) => {
  const found = incidents().find(({ metadata }) => metadata.name === name);
  return found?.status?.conditions?.find(({ type }) => type === 'AlertsCleared');
};
function inIncident(name: string): string[] {
  const inIt = api.all<Alert>(ALERTS).filter(({ status }) => status?.incidentRef?.name === name);
  return inIt.map(({ spec }) => spec.labels?.namespace ?? '').sort();
}
function write(name: string, ops: JsonPatchOp[]): Promise<unknown> {
  return api.client('ana').jsonPatch(INCIDENTS, { namespace: NAMESPACE, name }, ops);
}
const merge = (name: string, into: string) =>
  write(name, [
    { op: 'add', path: '/spec/phase', value: 'Closed' },
    { op: 'add', path: '/spec/mergedInto', value: { name: into } },
  ]);
const takeOut = (name: string) =>
  write(name, [
    { op: 'add', path: '/spec/phase', value: 'Response' },
    { op: 'remove', path: '/spec/mergedInto' },
  ]);

/** Names of the incidents of two outages, of three alerts and of one. */
let pay: string;
let shop: string;

beforeEach(async () => {
  clock = new FakeClock('2026-03-01T10:00:02Z');
  api = new FakeApi(clock);
  await work(async () => {
    await send(3, 'pay');
    await send(1, 'shop');
  });
  const of = (value: string) =>
    incidents().find(({ spec }) => spec.origin?.groupKey.includes(`"${value}"`))?.metadata.name ?? '';
  [pay, shop] = [of('pay'), of('shop')];
});

describe('an incident that was merged by mistake', () => {
  it('has its alerts again once it is taken out, and has counted each of them once', async () => {
    await work(() => merge(pay, shop));
    expect(inIncident(shop)).toEqual(['pay', 'pay', 'pay', 'shop']);
    expect(cleared(pay)).toMatchObject({
      reason: 'AlertsGone',
      message: expect.stringContaining('in another incident'),
    });
    await work(() => takeOut(pay));
    expect(cleared(pay)).toMatchObject({ reason: 'AlertsFiring' });
    expect([inIncident(pay), inIncident(shop)]).toEqual([['pay', 'pay', 'pay'], ['shop']]);
    expect(counts(pay)).toMatchObject({ firing: 3, total: 3 });
    expect(counts(shop)).toMatchObject({ firing: 1 });
    const [back] = api.all<Alert>(ALERTS).filter(({ status }) => status?.incidentRef?.name === pay);
    expect(back?.status).toMatchObject({ episode: 1, conditions: [{ reason: 'Returned' }] });
    expect(back?.status?.explanation).toMatch(new RegExp(`; back in ${pay}, which was taken out of ${shop} again$`));
  });

  it('has also those that came for its group meanwhile, and is found though nobody worked when it was taken out', async () => {
    await work(() => merge(pay, shop));
    await work(async () => {
      const [, , , late] = crashingPods(4, { of: 'pay' });
      if (late) await api.client('webhook').create(ALERTS, late);
    });
    expect(inIncident(shop)).toHaveLength(5);
    await takeOut(pay);
    await work();
    expect([inIncident(pay), inIncident(shop)]).toEqual([['pay', 'pay', 'pay', 'pay'], ['shop']]);
  });

  it('has them back from the end of a chain, and loses them again when it is merged again', async () => {
    await api.client('ana').create(INCIDENTS, anIncident({ name: 'declared', phase: 'Response' }));
    await work(() => merge(pay, shop));
    await work(() => merge(shop, 'declared'));
    expect(inIncident('declared')).toHaveLength(4);
    await work(() => takeOut(pay));
    expect([inIncident(pay), inIncident('declared')]).toEqual([['pay', 'pay', 'pay'], ['shop']]);
    await work(() => merge(pay, 'declared'));
    expect(inIncident('declared')).toHaveLength(4);
  });

  it('has counted each of them once however often it is merged and taken out, as has the one that had them meanwhile', async () => {
    for (let round = 1; round <= 2; round += 1) {
      await work(() => merge(pay, shop));
      expect(counts(shop)).toMatchObject({ firing: 4, total: 4 });
      expect(counts(pay)).toMatchObject({ firing: 0, total: 3, elsewhere: 3 });
      await work(() => takeOut(pay));
      expect(counts(pay)).toMatchObject({ firing: 3, total: 3 });
      expect(counts(pay)).not.toHaveProperty('elsewhere');
      expect(counts(shop)).toMatchObject({ firing: 1, total: 4, elsewhere: 3 });
    }
  });

  it('has counted each of them once at the end of a chain, and so has the middle of it', async () => {
    await api.client('ana').create(INCIDENTS, anIncident({ name: 'declared', phase: 'Response' }));
    await work(() => merge(pay, shop));
    await work(() => merge(shop, 'declared'));
    for (let round = 1; round <= 2; round += 1) {
      expect(counts('declared')).toMatchObject({ firing: 4, total: 4 });
      expect(counts(shop)).toMatchObject({ firing: 0, total: 4, elsewhere: 4 });
      await work(() => takeOut(pay));
      await work(() => merge(pay, shop));
    }
  });

  it('counts those that came for its group meanwhile, and those that are gone, once they are back', async () => {
    await work(() => merge(pay, shop));
    const [first, , , late] = crashingPods(4, { of: 'pay' });
    await work(async () => {
      if (late) await api.client('webhook').create(ALERTS, late);
      if (first) await api.client('ana').delete(ALERTS, { namespace: NAMESPACE, name: first.metadata.name });
    });
    expect(counts(pay)).toMatchObject({ total: 3, elsewhere: 2 });
    expect(counts(shop)).toMatchObject({ firing: 4, total: 5 });
    await work(() => takeOut(pay));
    expect(counts(pay)).toMatchObject({ firing: 3, total: 4 });
    expect(counts(shop)).toMatchObject({ firing: 1, total: 5, elsewhere: 3 });
  });

  it('leaves them where they are when it is taken out and ended at once', async () => {
    await work(() => merge(pay, shop));
    await takeOut(pay);
    await write(pay, [{ op: 'add', path: '/spec/phase', value: 'Resolution' }]);
    await work();
    expect(inIncident(shop)).toHaveLength(4);
  });
});
