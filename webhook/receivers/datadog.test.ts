import { describe, expect, it } from 'vitest';
import { readDatadog } from './datadog.ts';
import type { Fault } from './values.ts';

const event = (o: object = {}) => ({
  alert_id: '1234567',
  alert_transition: 'Triggered',
  alert_title: 'Load is high',
  alert_scope: 'host:web-1,role:shop',
  alert_priority: 'P2',
  date: '1772373730000',
  org_id: '11023',
  ...o,
});
function read(raw: Record<string, unknown>) {
  const faults: Fault[] = [];
  const outcome = readDatadog(raw, faults);
  return { faults, ignored: undefined, input: undefined, ...outcome };
}
const input = (o: object = {}) => read(event(o)).input;

describe('a monitor', () => {
  it('is one fault for each scope, whatever the order of its tags', () => {
    expect(input({ alert_scope: 'role:shop, host:web-1' })?.dedupKey).toBe(input()?.dedupKey);
    expect(input({ alert_scope: 'host:web-2,role:shop' })?.dedupKey).not.toBe(input()?.dedupKey);
    expect(input({ org_id: '2' })?.dedupKey).not.toBe(input()?.dedupKey);
    expect(input({ alert_id: '$ALERT_ID', aggreg_key: '9bd4ac' })?.dedupKey).toBe('11023/9bd4ac');
  });

  it.each([
    ['Triggered', 'Firing'],
    ['Re-Triggered', 'Firing'],
    ['Warn', 'Firing'],
    ['Re-Warn', 'Firing'],
    ['No Data', 'Firing'],
    ['Re-No Data', 'Firing'],
    ['Recovered', 'Resolved'],
  ])('that is %s is %s', (alert_transition, state) => expect(input({ alert_transition })?.state).toBe(state));

  it('that recovered keeps what was said of it while it fired', () => {
    expect(input({ alert_transition: 'Recovered' })).toMatchObject({ only: 'State' });
    expect(input({ alert_transition: 'Recovered' })?.occurredAt?.toString()).toBe('2026-03-01T14:02:10Z');
  });

  it('is never resolved by a title or a type', () => {
    const said = { alert_type: 'success', event_title: '[Recovered] Load is high' };
    for (const alert_transition of ['', undefined, '$ALERT_TRANSITION', 'OK', 'null']) {
      expect(read(event({ ...said, alert_transition }))).toMatchObject({
        input: undefined,
        faults: [{ field: 'alert_transition' }],
      });
    }
  });

  it.each([
    ['Triggered', 'P1', 'P1'],
    ['Triggered', 'P4', 'P4'],
    ['Triggered', '', 'error'],
    ['Triggered', '$ALERT_PRIORITY', 'error'],
    ['Warn', 'P1', 'warning'],
    ['Warn', 'P4', 'P4'],
    ['No Data', 'null', 'warning'],
  ])('that is %s with priority %s is as bad as %s', (alert_transition, alert_priority, severity) =>
    expect(input({ alert_transition, alert_priority })?.severity).toBe(severity),
  );

  it('gives rules its tags to match on', () => {
    expect(input({ tags: 'team:web,monitor,team:ops,url:http://x/y', hostname: 'web-1' })?.labels).toMatchObject({
      alertname: 'Load is high',
      host: 'web-1',
      role: 'shop',
      team: 'ops,web',
      monitor: '1234567',
      url: 'http://x/y',
    });
  });

  it('without a title of its own takes that of the event, less its state', () => {
    const event_title = '[Triggered on {host:web-1}] Load is high';
    expect(input({ alert_title: undefined, event_title })?.title).toBe('Load is high');
  });

  it.each([
    '[Triggered on {host:web-1}] Load is high',
    '[Re-No Data on {host:web-2}] Load is high',
    '[P2] [Warn on {host:web-1,role:shop}] Load is high',
  ])('has one name whatever its title says of the moment: %s', (alert_title) => {
    expect(input({ alert_title })).toMatchObject({ title: 'Load is high', labels: { alertname: 'Load is high' } });
  });

  it('that is told of again fires still, and changes nothing of what was said', () => {
    expect(input({ alert_transition: 'Renotify' })).toMatchObject({
      state: 'Firing',
      only: 'State',
      dedupKey: input()?.dedupKey,
    });
  });

  it('is taken with what was filled in, and says nothing of what was not', () => {
    const bare = input({ alert_title: '$ALERT_TITLE', date: '$DATE', last_updated: '1772373731000' });
    expect(bare).toMatchObject({ title: 'Monitor 1234567', notes: [] });
    expect(bare?.occurredAt?.toString()).toBe('2026-03-01T14:02:11Z');
  });
});
