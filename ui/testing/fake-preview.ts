/** What the fake API says of a body that is tried: enough of each sort of answer for the pages to show it. */
import { refusedPreview } from '@funnelai/domain/refused-preview';
import type { PreviewAlert, SourcePreview } from '@funnelai/domain/wire-sources';
import { ago } from './builders.ts';

interface Body {
  alerts?: { labels?: Record<string, string>; startsAt?: string }[];
  event_action?: string;
}

const ACKNOWLEDGED =
  'An acknowledgement by bo: noted on the alert that fires; no other is made. It changes nothing else, as the source does not say trustAcknowledge.';
/** Room for so many new alerts; what comes after them is folded. */
const ROOM = 2;

const invalid = (message: string): SourcePreview => refusedPreview({ status: 400, code: 'Invalid', message });
const stored = (message: string): SourcePreview => refusedPreview({ status: 200, code: 'Stored', message });

export function fakePreview(text: string): SourcePreview {
  let body: Body;
  try {
    body = JSON.parse(text) as Body;
  } catch {
    return invalid('The body is no JSON: line 1, column 3: expected a value');
  }
  if (body.event_action === 'acknowledge')
    return {
      ...stored('1 report makes no alert'),
      noted: [{ index: 0, name: 'pd-3f9c2a7d51e08b64', namespace: 'demo', text: ACKNOWLEDGED }],
    };
  if (!Array.isArray(body.alerts)) return invalid('alerts: found nothing, expected a list of alerts');
  const alerts = body.alerts.map(alertOf);
  const folded = Math.max(0, alerts.length - ROOM);
  return {
    ...stored(`${alerts.length} of ${alerts.length} ${alerts.length === 1 ? 'alert' : 'alerts'} would be stored`),
    alerts,
    total: alerts.length,
    limits: folded > 0 ? [{ limit: 'maxLiveAlerts', alerts: folded, text: `no more room: ${folded} folded` }] : [],
    warnings: body.alerts.flatMap(({ startsAt }, index) =>
      startsAt?.startsWith('2036') === true
        ? [{ index, field: 'startsAt', found: startsAt, expected: 'a time before now', done: 'left out' }]
        : [],
    ),
  };
}

function alertOf({ labels = {} }: NonNullable<Body['alerts']>[number], index: number): PreviewAlert {
  return {
    index,
    name: `prom-${(0x3f9c2a7d51e0 + index).toString(16)}8b64`,
    spec: {
      sourceRef: { name: 'prom' },
      fingerprint: 'a'.repeat(64),
      state: 'Firing',
      severity: 'Critical',
      title: labels.alertname ?? 'Alert',
      labels,
      startsAt: ago(60),
      receivedAt: ago(0),
      notes: ['description cut to 4096 of 9000 bytes'],
    },
    fate:
      index < ROOM
        ? { kind: 'New', text: 'makes a new Alert' }
        : { kind: 'Folded', text: 'folded: kept in Postgres, and counted by the overflow Alert prom-0' },
    goes:
      labels.team === undefined
        ? { namespace: 'demo', source: 'prom' }
        : { namespace: labels.team, why: 'routes[0] leads there' },
  };
}
