import { describe, expect, it } from 'vitest';
import { readFluxEvent } from './flux.ts';
import type { Fault } from './values.ts';

const event = (o: object = {}, object: object = {}) => ({
  involvedObject: {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    namespace: 'flux-system',
    name: 'shop',
    uid: '7d0cdc51',
    ...object,
  },
  severity: 'error',
  reason: 'BuildFailed',
  message: 'kustomize build failed',
  timestamp: '2026-03-01T14:02:10Z',
  ...o,
});
function read(raw: Record<string, unknown>) {
  const faults: Fault[] = [];
  const outcome = readFluxEvent(raw, faults);
  return { faults, ignored: undefined, input: undefined, ...outcome };
}
const info = (reason: string, message = 'all is well') => read(event({ severity: 'info', reason, message }));

describe('what Flux reports', () => {
  it('about one object is one fault, whatever the reason, and another in another cluster', () => {
    const key = (o: object, object: object = {}) => read(event(o, object)).input?.dedupKey;
    expect(key({ reason: 'HealthCheckFailed' })).toBe(key({}));
    expect(key({}, { apiVersion: 'kustomize.toolkit.fluxcd.io/v1beta2' })).toBe(key({}));
    expect(key({}, { uid: '0a1ccc51' })).not.toBe(key({}));
    expect(key({}, { kind: 'HelmRelease', apiVersion: 'helm.toolkit.fluxcd.io/v2' })).not.toBe(key({}));
  });

  it.each([
    'ReconciliationSucceeded',
    'Succeeded',
    'NewArtifact',
    'InstallSucceeded',
    'UpgradeSucceeded',
    'ChartPullSucceeded',
    'DriftCorrected',
  ])('as %s ends the fault, and alone makes no alert', (reason) => {
    const { input } = info(reason);
    expect(input).toMatchObject({ state: 'Resolved', only: 'Ending', dedupKey: read(event()).input?.dedupKey });
    expect(input?.occurredAt?.toString()).toBe('2026-03-01T14:02:10Z');
  });

  it('as health that came back ends it, too: kustomize-controller calls that Progressing', () => {
    expect(info('Progressing', 'Health check passed in 5.013s').input?.state).toBe('Resolved');
  });

  it.each([
    ['Progressing', 'Deployment/shop/web configured'],
    ['RollbackSucceeded', 'Helm rollback succeeded'],
    ['UninstallSucceeded', 'Helm uninstall succeeded'],
    ['SomethingNewSucceeded', 'Health check passed in 5.013s'],
    ['DependencyNotReady', ''],
  ])('as %s neither fires nor ends', (reason, message) => {
    expect(info(reason, message)).toMatchObject({
      faults: [],
      input: undefined,
      ignored: expect.stringContaining(reason),
    });
  });

  it('carries what an Alert of Flux adds, and revisions where no rule matches on them', () => {
    const metadata = {
      'kustomize.toolkit.fluxcd.io/revision': 'main@sha1:731f7ea',
      'event.toolkit.fluxcd.io/cluster': 'eu-1',
      env: 'production',
      summary: 'Shop impacted',
    };
    expect(read(event({ metadata })).input).toMatchObject({
      labels: { alertname: 'FluxKustomizationFailed', cluster: 'eu-1', env: 'production', namespace: 'flux-system' },
      annotations: { revision: 'main@sha1:731f7ea', eventSummary: 'Shop impacted' },
    });
  });

  it('without a severity fires where the reason says it failed, and resolves nothing', () => {
    expect(read(event({ severity: undefined })).input).toMatchObject({ state: 'Firing', notes: [expect.any(String)] });
    expect(read(event({ severity: undefined, reason: 'ReconciliationSucceeded' })).input).toBeUndefined();
  });

  it('about nothing is refused', () => {
    expect(read(event({ involvedObject: { kind: 'Kustomization' } })).faults[0]?.field).toBe('involvedObject');
  });
});
