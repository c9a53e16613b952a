/**
 * The promise behind everything: whenever the operator dies, between whichever two writes, there is one open incident for a
 * group, every alert of the group is in it, and what happened is numbered without gap or double.
 */
import type { Alert, Incident } from '@funnelai/crds/generated/types';
import { ALERTS, INCIDENTS } from '@funnelai/crds/meta';
import { systemClock } from '@funnelai/kube/clock';
import { describe, expect, it } from 'vitest';
import { crashingPods, NAMESPACE } from './testing/builders.ts';
import { eventually } from './testing/eventually.ts';
import { FakeApi } from './testing/fake-api.ts';
import { mortal } from './testing/mortal-client.ts';
import { runOperator } from './testing/run.ts';

const SEEDS = 200;
const AT_ONCE = 40;
const OPERATOR = 'system:serviceaccount:funnel-system:funnelai-operator';

/** mulberry32: the same story for the same seed. */
function dice(seed: number): (sides: number) => number {
  let state = seed + 0x6d2b79f5;
  return (sides) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % sides;
  };
}

async function story(seed: number): Promise<{ incidents: Incident[]; alerts: Alert[]; deaths: number }> {
  const roll = dice(seed);
  const api = new FakeApi(systemClock);
  const webhook = api.client('webhook');
  const alerts = crashingPods(2 + roll(4));
  const early = roll(alerts.length + 1);
  for (const alert of alerts.slice(0, early)) await webhook.create(ALERTS, alert);

  let deaths = 0;
  const lives = 1 + roll(2);
  for (let life = 0; life < lives; life += 1) {
    // Opening, first answers, numbering: the first writes are those between which a death hurts.
    const victim = mortal(api.client(OPERATOR), {
      atWrite: 1 + roll(alerts.length + 3),
      when: roll(2) === 0 ? 'before' : 'after',
    });
    const operator = runOperator({ client: victim.client });
    if (life === 0) for (const alert of alerts.slice(early)) await webhook.create(ALERTS, alert);
    await Promise.race([victim.died, systemClock.sleep(400)]);
    if (victim.dead()) deaths += 1;
    await operator.stop();
  }
  const operator = runOperator({ client: api.client(OPERATOR) });
  const settled = () => {
    const answered = api.all<Alert>(ALERTS).every(({ status }) => status?.incidentRef !== undefined);
    const numbered = api.all<Incident>(INCIDENTS).every(({ status }) => status?.phase !== undefined);
    return answered && numbered && api.all<Incident>(INCIDENTS).length > 0;
  };
  await eventually(`seed ${seed}: every alert is answered and every incident numbered`, settled, 20_000);
  await operator.stop();
  return { incidents: api.all(INCIDENTS), alerts: api.all(ALERTS), deaths };
}

describe('an operator that dies', () => {
  it(`leaves one incident with every alert in it and its changes in order, over ${SEEDS} seeds`, {
    timeout: 120_000,
  }, async () => {
    let deaths = 0;
    for (let first = 0; first < SEEDS; first += AT_ONCE) {
      const seeds = Array.from({ length: AT_ONCE }, (_, i) => first + i);
      const ends = await Promise.all(seeds.map(async (seed) => ({ seed, ...(await story(seed)) })));
      for (const end of ends) {
        deaths += end.deaths;
        const [incident, ...others] = end.incidents;
        expect(others, `seed ${end.seed}: more than one incident`).toEqual([]);
        expect(incident?.spec.phase, `seed ${end.seed}`).toBe('Detection');
        const refs = new Set(end.alerts.map(({ status }) => status?.incidentRef?.name));
        expect([...refs], `seed ${end.seed}: alerts elsewhere`).toEqual([incident?.metadata.name]);
        expect(incident?.metadata.namespace).toBe(NAMESPACE);
        const numbers = incident?.status?.changes?.map(({ sequence }) => sequence) ?? [];
        expect(numbers.length, `seed ${end.seed}: the birth is not on record`).toBeGreaterThan(0);
        expect(numbers, `seed ${end.seed}: a gap or a double`).toEqual(numbers.map((_, i) => i + 1));
        expect(incident?.status?.changeSequence).toBe(numbers.length);
      }
    }
    // A test of deaths in which nobody dies proves nothing.
    expect(deaths).toBeGreaterThan(SEEDS / 2);
  });
});

describe('two operators that both believe to lead', () => {
  it('open one incident for a group all the same, and number its birth once', { timeout: 60_000 }, async () => {
    const api = new FakeApi(systemClock);
    const webhook = api.client('webhook');
    const operators = [runOperator({ client: api.client(OPERATOR) }), runOperator({ client: api.client(OPERATOR) })];
    await eventually('both lead', () => operators.every((operator) => operator.leading()));
    const groups = ['pay', 'shop', 'auth', 'search', 'cart', 'mail'];
    for (const of of groups) for (const alert of crashingPods(4, { of })) await webhook.create(ALERTS, alert);
    await eventually('every alert is answered and every incident numbered', () => {
      const answered = api.all<Alert>(ALERTS).every(({ status }) => status?.incidentRef !== undefined);
      const incidents = api.all<Incident>(INCIDENTS);
      return (
        answered && incidents.length >= groups.length && incidents.every(({ status }) => status?.phase !== undefined)
      );
    });
    await Promise.all(operators.map((operator) => operator.stop()));
    const incidents = api.all<Incident>(INCIDENTS);
    expect(incidents).toHaveLength(groups.length);
    for (const { status } of incidents) {
      expect(status?.changes?.map(({ kind }) => kind)).toEqual(['Phase', 'Severity', 'Priority']);
      expect(status?.changeSequence).toBe(3);
    }
    for (const alert of api.all<Alert>(ALERTS)) {
      const mates = api
        .all<Alert>(ALERTS)
        .filter(({ spec }) => spec.labels?.namespace === alert.spec.labels?.namespace)
        .map(({ status }) => status?.incidentRef?.name);
      expect(new Set(mates).size).toBe(1);
    }
  });
});
