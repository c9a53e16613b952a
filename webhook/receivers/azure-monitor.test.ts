import { readFileSync } from 'node:fs';
import { toAlertSpec } from '@funnelai/domain/alert-input';
import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { combined, reportOf } from '../intake/report.ts';
import { anAlertSource } from '../testing/builders.ts';
import { readAzure } from './azure-monitor.ts';
import { BodyProblem } from './problem.ts';

const NOW = Temporal.Instant.from('2026-03-01T16:00:00Z');
const recorded = (name: string) =>
  JSON.parse(readFileSync(new URL(`./recorded/AzureMonitor/${name}.json`, import.meta.url), 'utf8'));
const specOf = (body: unknown) => {
  const input = readAzure(body).received[0]?.input;
  return input === undefined ? expect.fail('nothing was read') : toAlertSpec(input, anAlertSource(), NOW).spec;
};

describe('an alert of Azure Monitor', () => {
  it('fires with its rule, resource, dimensions and own properties as labels', () => {
    expect(specOf(recorded('firing'))).toMatchObject({
      state: 'Firing',
      severity: 'High',
      originalSeverity: 'error',
      title: 'checkout-cpu',
      startsAt: '2026-03-01T14:00:00.371321Z',
      labels: {
        alertname: 'checkout-cpu',
        severity: 'error',
        azure_severity: 'Sev1',
        resource_group: 'checkout-rg',
        resource_type: 'microsoft.compute/virtualmachines',
        resource: 'checkout-vm-1',
        Role: 'web',
        metric: 'Percentage CPU',
        team: 'checkout',
      },
      annotations: { value: '94.2', threshold: '90' },
      links: [{ title: 'Alert in Azure' }],
    });
  });

  it.each([
    ['', ['firing', 'repeat', 'resolved']],
    ['about the health of a service', ['firing.service-health', 'repeat.service-health', 'resolved.service-health']],
    ['about the health of a resource', ['firing.resource-health', 'resolved.resource-health']],
  ])('%s is the same one until it is over', (_what, names) => {
    const specs = names.map((name) => specOf(recorded(name)));
    expect(new Set(specs.map(({ fingerprint }) => fingerprint)).size).toBe(1);
    expect(specs.map(({ state }) => state)).toEqual([...specs.slice(1).map(() => 'Firing'), 'Resolved']);
  });

  it('about health ends by Azure’s clock as it began, though the first word of it came late', () => {
    const at = (name: string, eventTimestamp: string) => {
      const body = recorded(name);
      body.data.alertContext.eventTimestamp = eventTimestamp;
      const input = readAzure(body).received[0]?.input ?? expect.fail();
      return reportOf(input, toAlertSpec(input, anAlertSource(), NOW));
    };
    const [first, last] = [
      at('firing.service-health', '2026-03-01T14:00:00Z'),
      at('resolved.service-health', '2026-03-01T15:00:00Z'),
    ];
    const firing = combined(undefined, first);
    expect(firing).toMatchObject({ state: 'Firing', startsAt: '2026-03-01T14:00:00.000000Z' });
    expect(combined(firing, last)).toMatchObject({ state: 'Resolved', endsAt: '2026-03-01T15:00:00.000000Z' });
  });

  it('of a service says what is wrong, and where', () => {
    expect(specOf(recorded('firing.service-health'))).toMatchObject({
      title: 'Virtual Machines - West Europe',
      labels: {
        alertname: 'service-health',
        region: 'West Europe',
        service: 'Virtual Machines',
        incident_type: 'Incident',
      },
      annotations: { stage: 'Active' },
    });
  });

  it('on the activity log says that Azure will never call it over', () => {
    const body = recorded('firing');
    body.data.essentials.monitoringService = 'Activity Log - Administrative';
    expect(specOf(body).notes?.[0]).toContain('never says that an alert on the activity log is over');
  });

  it('is another one though all its words are the same', () => {
    const [one, two] = ['equal-titles', 'equal-titles.2'].map((name) => specOf(recorded(name)));
    expect(one?.title).toBe(two?.title);
    expect(one?.fingerprint).not.toBe(two?.fingerprint);
  });

  it('is refused without an id and a condition that are known; in another schema it says what to switch on', () => {
    expect(readAzure(recorded('malformed')).problems.map(({ field }) => field)).toEqual([
      'data.essentials.alertId',
      'data.essentials.monitorCondition',
    ]);
    expect(() => readAzure(recorded('malformed.old-schema'))).toThrow('enable the common alert schema');
  });

  it('is read or refused, whatever it is', () => {
    const essentials = fc.record(
      {
        alertId: fc.jsonValue(),
        monitorCondition: fc.oneof(fc.constantFrom('Fired', 'Resolved'), fc.jsonValue()),
        monitoringService: fc.oneof(fc.constantFrom('ServiceHealth', 'Resource Health'), fc.jsonValue()),
        alertTargetIDs: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    const body = fc.record({
      schemaId: fc.constant('azureMonitorCommonAlertSchema'),
      data: fc.oneof(
        fc.record({ essentials: fc.oneof(essentials, fc.jsonValue()), alertContext: fc.jsonValue() }),
        fc.jsonValue(),
      ),
    });
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), body), (any) => {
        try {
          for (const { input } of readAzure(any).received) toAlertSpec(input, anAlertSource(), NOW);
        } catch (error) {
          expect(error).toBeInstanceOf(BodyProblem);
        }
      }),
      { numRuns: 500 },
    );
  });
});
