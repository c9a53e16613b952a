import type { EventRecorder } from '@funnelai/kube/events';
import { FakeClock } from '@funnelai/kube/test-clock';
import { describe, expect, it } from 'vitest';
import { anAlert, anIncident, aRule } from '../testing/builders.ts';
import { EVENTS_HELD, keepEvents } from './kept-events.ts';

function setUp() {
  const told: string[] = [];
  let full = 0;
  const recorder: EventRecorder = { event: (_object, _type, reason) => told.push(reason), flush: async () => {} };
  const events = keepEvents(recorder, { clock: new FakeClock(), onFull: () => (full += 1) });
  return { events, told, full: () => full };
}

describe('what is said of incidents', () => {
  it('is told as ever, and kept where no numbered change tells it', () => {
    const { events, told } = setUp();
    events.event(anIncident(), 'Warning', 'HistoryRefused', 'too long');
    events.event(anIncident(), 'Normal', 'Acknowledged', 'by ana');
    events.event(anIncident(), 'Normal', 'AlertsCleared', 'all have resolved');
    events.event(aRule('broken', {}), 'Warning', 'Stalled', 'line 1');
    const { metadata, ...alert } = anAlert();
    events.event({ ...alert, metadata: { ...metadata, uid: 'a' } }, 'Warning', 'Odd', 'so');
    expect(told).toEqual(['HistoryRefused', 'Acknowledged', 'AlertsCleared', 'Stalled', 'Odd']);
    expect(events.take().map(({ reason }) => reason)).toEqual(['HistoryRefused', 'AlertsCleared', 'Odd']);
    expect(events.take()).toEqual([]);
  });

  it('waits for Postgres up to a bound, in order', () => {
    const { events, full } = setUp();
    events.event(anIncident(), 'Warning', 'First', '');
    const taken = events.take();
    for (let n = 0; n < EVENTS_HELD + 5; n += 1) events.event(anIncident(), 'Warning', 'Later', String(n));
    events.giveBack(taken);
    expect(full()).toBe(5);
    const all = events.take();
    expect(all).toHaveLength(EVENTS_HELD);
    expect(all[0]?.reason).toBe('First');
  });
});
