import { describe, expect, it } from 'vitest';
import { readHook } from './sentry.ts';
import type { Fault } from './values.ts';

function read(event: Record<string, unknown>, resource = '') {
  const faults: Fault[] = [];
  const outcome = readHook(event, resource, faults);
  return { faults, ignored: undefined, input: undefined, ...outcome };
}
const eventAlert = (event: object = {}, o: object = {}) => ({
  action: 'triggered',
  data: { event: { issue_id: '117', level: 'error', title: 'ReferenceError', ...event }, triggered_rule: 'Shop', ...o },
});
const issue = (action: string) => ({ action, data: { issue: { id: 117, title: 'ReferenceError', level: 'error' } } });
const metric = (action: string, alert: object = {}) => ({
  action,
  data: {
    metric_alert: {
      id: '4',
      title: 'Sacred Marmot',
      projects: ['web', 'shop'],
      alert_rule: { id: 7, name: 'Too many errors' },
      date_started: '2026-03-01T14:00:00Z',
      date_closed: null,
      ...alert,
    },
  },
});

describe('an issue', () => {
  it('is one fault, whichever rule reported it, until Sentry says it is resolved', () => {
    const keys = [
      eventAlert(),
      eventAlert({}, { triggered_rule: 'Other' }),
      issue('resolved'),
      issue('unresolved'),
    ].map((event) => read(event).input?.dedupKey);
    expect(new Set(keys)).toEqual(new Set(['issue/117']));
    expect(read(issue('resolved')).input).toMatchObject({ state: 'Resolved', only: 'Ending' });
    expect(read(issue('unresolved')).input).toMatchObject({ state: 'Firing', only: 'State' });
  });

  it.each(['created', 'assigned', 'archived', 'ignored'])('that is %s neither fires nor ends', (action) => {
    expect(read(issue(action))).toMatchObject({
      faults: [],
      input: undefined,
      ignored: expect.stringContaining(action),
    });
  });

  it('gives rules its tags to match on, in either of Sentry’s forms', () => {
    const tags = [['browser', 'Chrome'], { key: 'release', value: '4.2' }, 'odd', ['__proto__', 'x'], [null, 1]];
    const { labels } = read(eventAlert({ tags, environment: 'production' })).input ?? {};
    expect(labels).toMatchObject({ alertname: 'Shop', environment: 'production', browser: 'Chrome', release: '4.2' });
    expect(Object.hasOwn(labels ?? {}, '__proto__')).toBe(true);
  });

  it('without its id is refused', () => {
    expect(read(eventAlert({ issue_id: undefined })).faults[0]?.field).toBe('data.event.issue_id');
  });
});

describe('a metric alert', () => {
  it('is one fault for a rule and its projects, in whatever order and incident', () => {
    const key = read(metric('critical')).input?.dedupKey;
    expect(read(metric('resolved', { id: '5', projects: ['shop', 'web'] })).input?.dedupKey).toBe(key);
    expect(read(metric('critical', { projects: ['other'] })).input?.dedupKey).not.toBe(key);
    expect(read(metric('warning', { alert_rule: {} })).input?.dedupKey).toBe('metric-alert/4');
  });

  it('has severity and times from Sentry, and the name of its rule: its own may be two random words', () => {
    expect(read(metric('warning')).input).toMatchObject({
      state: 'Firing',
      severity: 'warning',
      title: 'Too many errors',
    });
    expect(read(metric('warning', { alert_rule: { id: 7 } })).input?.title).toBe('Sacred Marmot');
    const closed = read(metric('resolved', { date_closed: '2026-03-01T14:30:00Z' })).input;
    expect([closed?.state, closed?.startsAt?.toString(), closed?.endsAt?.toString()]).toEqual([
      'Resolved',
      '2026-03-01T14:00:00Z',
      '2026-03-01T14:30:00Z',
    ]);
  });

  it('is refused when its action is not understood', () => {
    expect(read(metric('closed')).faults[0]).toMatchObject({ field: 'action', found: '"closed"' });
  });
});

describe('which of them it is', () => {
  it('the header says, else the shape of the body', () => {
    expect(read(eventAlert(), 'event_alert').input?.state).toBe('Firing');
    expect(read(eventAlert(), 'comment')).toMatchObject({
      input: undefined,
      ignored: expect.stringContaining('comment'),
    });
    expect(read({ action: 'triggered', data: {} }).faults[0]?.field).toBe('data');
    expect(read(eventAlert(), 'metric_alert').faults.length).toBeGreaterThan(0);
  });
});
