import { describe, expect, it } from 'vitest';
import { anAlertItem } from '../../testing/builders.ts';
import { tellingLabels } from './telling.ts';

const alert = (uid: string, labels: Record<string, string>, title = 'Pod is not ready') =>
  anAlertItem({ uid, title, labels: { alertname: 'KubePodNotReady', severity: 'warning', ...labels } });

describe('alerts of one title', () => {
  it('are told apart by the label in which they differ', () => {
    const texts = tellingLabels([
      alert('a', { namespace: 'shop', pod: 'web-1' }),
      alert('b', { namespace: 'shop', pod: 'web-2' }),
    ]);
    expect([...texts]).toEqual([
      ['a', 'pod=web-1'],
      ['b', 'pod=web-2'],
    ]);
  });

  it('are told apart by two labels where one is not enough', () => {
    const texts = tellingLabels([
      alert('a', { pod: 'web-1', container: 'app' }),
      alert('b', { pod: 'web-1', container: 'proxy' }),
      alert('c', { pod: 'web-2', container: 'app' }),
    ]);
    expect(texts.get('b')).toBe('pod=web-1 container=proxy');
  });

  it('keep quiet where the title says it all, and where nothing differs', () => {
    expect(tellingLabels([alert('a', { pod: 'x' }, 'one'), alert('b', { pod: 'y' }, 'two')]).size).toBe(0);
    expect(tellingLabels([alert('a', { pod: 'x' }), alert('b', { pod: 'x' })]).size).toBe(0);
  });

  it('prefers what people know by name to how it was measured', () => {
    const texts = tellingLabels([
      alert('a', { endpoint: 'x', instance: '10.0.0.1', pod: 'web-1' }),
      alert('b', { endpoint: 'y', instance: '10.0.0.2', pod: 'web-2' }),
    ]);
    expect(texts.get('a')).toBe('pod=web-1');
  });
});
