import { readFileSync } from 'node:fs';
import { toAlertSpec } from '@funnelai/domain/alert-input';
import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { anAlertSource } from '../testing/builders.ts';
import { readGoogle } from './google-monitoring.ts';
import { BodyProblem } from './problem.ts';

const NOW = Temporal.Instant.from('2026-03-01T14:30:10Z');
const recorded = (name: string) =>
  JSON.parse(readFileSync(new URL(`./recorded/GoogleMonitoring/${name}.json`, import.meta.url), 'utf8'));
const specOf = (body: unknown) => {
  const input = readGoogle(body).received[0]?.input;
  return input === undefined ? expect.fail('nothing was read') : toAlertSpec(input, anAlertSource(), NOW).spec;
};

describe('an incident of Google Cloud Monitoring', () => {
  it('fires with what it is about as labels, and what moves as annotations', () => {
    expect(specOf(recorded('firing'))).toMatchObject({
      state: 'Firing',
      severity: 'Critical',
      title: 'CPU of checkout',
      description: 'Look at the pool first. Then scale it.',
      startsAt: '2026-03-01T14:00:00.000000Z',
      dedupKey: '0.n4k2m8p1q7x3',
      labels: {
        alertname: 'Checkout is slow',
        condition: 'VM Instance - CPU utilization above 80%',
        project_id: 'acme-shop',
        zone: 'europe-west1-b',
        instance_name: 'checkout-756',
        team: 'checkout',
        env: 'prod',
        metric: 'compute.googleapis.com/instance/cpu/utilization',
      },
      annotations: { observed_value: '0.913', threshold_value: '0.8' },
      links: [
        { title: 'Incident in Google Cloud' },
        { title: 'Runbook', url: 'https://runbooks.example/checkout/cpu' },
      ],
    });
  });

  it('is the same one when it is repeated and when it closes', () => {
    const [firing, repeat, over] = ['firing', 'repeat', 'resolved'].map((name) => specOf(recorded(name)));
    expect(repeat?.fingerprint).toBe(firing?.fingerprint);
    expect(over).toMatchObject({
      fingerprint: firing?.fingerprint,
      title: firing?.title,
      state: 'Resolved',
      endsAt: '2026-03-01T14:30:00.000000Z',
    });
  });

  it('is another one though all its words are the same', () => {
    const [one, two] = ['equal-titles', 'equal-titles.2'].map((name) => specOf(recorded(name)));
    expect(one?.title).toBe(two?.title);
    expect(one?.fingerprint).not.toBe(two?.fingerprint);
  });

  it('is refused without a state and an id that are known, and says so', () => {
    expect(readGoogle(recorded('malformed'))).toMatchObject({
      received: [],
      problems: [
        { field: 'incident.state', found: '"acknowledged"' },
        { field: 'incident.incident_id', found: 'nothing' },
      ],
    });
    expect(() => readGoogle({ version: '1.2' })).toThrow('incident: found nothing');
  });

  it('without severity, names or times is taken with what there is', () => {
    const bare = {
      version: 'test',
      incident: { incident_id: 12345, state: 'OPEN', severity: 'No severity', policy_name: null },
    };
    const spec = specOf(bare);
    expect(spec).toMatchObject({
      severity: 'Medium',
      title: 'Incident 12345',
      labels: { alertname: 'GoogleMonitoring' },
    });
    expect(spec.notes?.[0]).toContain('this is a test');
    expect(spec.labels).not.toHaveProperty('severity');
  });

  it('is read or refused, whatever it is', () => {
    const incident = fc.record(
      {
        incident_id: fc.jsonValue(),
        state: fc.oneof(fc.constantFrom('open', 'closed'), fc.jsonValue()),
        resource: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.record({ incident: fc.oneof(incident, fc.jsonValue()) })), (body) => {
        try {
          for (const { input } of readGoogle(body).received) toAlertSpec(input, anAlertSource(), NOW);
        } catch (error) {
          expect(error).toBeInstanceOf(BodyProblem);
        }
      }),
      { numRuns: 500 },
    );
  });
});
