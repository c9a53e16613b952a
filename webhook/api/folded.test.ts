import type { Alert } from '@funnelai/crds/generated/types';
import type { FoldedAlert } from '@funnelai/history/folded';
import type { FoldedFilter } from '@funnelai/history/folded-filter';
import { describe, expect, it } from 'vitest';
import { anAlert } from '../testing/builders.ts';
import type { ApiContext } from './context.ts';
import { foldedBehind } from './folded.ts';
import type { Answer } from './history-reader.ts';

const asOf = '2026-01-01T12:10:00Z';
const overflow = (spec: Partial<Alert['spec']> = {}): Alert =>
  anAlert({
    name: 'over',
    spec: { startsAt: '2026-01-01T12:00:00Z', folded: { count: 2, firing: 2, asOf }, ...spec },
    status: { incidentRef: { name: 'a-amber-falcon' }, explanation: 'the built-in rule; joined a-amber-falcon' },
  });
const one: FoldedAlert = {
  namespace: 'demo',
  source: 'prom',
  fingerprint: 'f',
  name: 'prom-1',
  overflow: 'over',
  spec: anAlert().spec,
  foldedAt: asOf,
};
function anApi(answer: Answer<{ items: FoldedAlert[]; total: number }>) {
  const asked: FoldedFilter[] = [];
  const folded = async (filter: FoldedFilter) => {
    asked.push(filter);
    return answer;
  };
  return { asked, api: { history: { folded } } as unknown as Pick<ApiContext, 'history'> };
}

describe('the alerts behind an overflow Alert', () => {
  it('are where it is, under the names that they would have, and marked', async () => {
    const { api, asked } = anApi({ available: true, value: { items: [one], total: 2 } });
    const { items, folded } = await foldedBehind(api, [anAlert(), overflow()], { words: ['x'] });
    expect(items).toMatchObject([{ name: 'prom-1', foldedInto: 'over', incident: 'a-amber-falcon' }]);
    expect(folded).toEqual({ total: 2 });
    expect(asked[0]).toMatchObject({
      words: ['x'],
      overflows: [{ namespace: 'demo', overflow: 'over', since: '2026-01-01T12:00:00Z' }],
    });
  });

  it('that is over are those of its episode', async () => {
    const { api, asked } = anApi({ available: true, value: { items: [], total: 0 } });
    await foldedBehind(api, [overflow({ state: 'Resolved', endsAt: asOf })]);
    expect(asked[0]?.overflows).toMatchObject([{ until: asOf }]);
  });

  it('are said to be unseen while Postgres is away, and not asked for where nothing is folded', async () => {
    const away = anApi({ available: false, reason: 'Postgres does not answer', isOff: false });
    expect(await foldedBehind(away.api, [overflow()])).toEqual({
      items: [],
      folded: { total: 0, unavailable: 'Postgres does not answer' },
    });
    expect(await foldedBehind(away.api, [anAlert()])).toEqual({ items: [] });
    expect(away.asked).toHaveLength(1);
  });
});
