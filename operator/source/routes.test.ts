import type { AlertSource } from '@funnelai/crds/generated/types';
import { API_VERSION } from '@funnelai/crds/meta';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { sourceStatus } from './decide.ts';
import { concernedBy, routesOf } from './routes.ts';

const aSource = (namespace: string, name: string, spec: Partial<AlertSource['spec']>): AlertSource => ({
  apiVersion: API_VERSION,
  kind: 'AlertSource',
  metadata: { namespace, name, generation: 1 },
  spec: { format: 'Alertmanager', ...spec },
});
const auth = { bearer: { secretRef: { name: 's', key: 'token' } } };
const prom = aSource('infra', 'prom', {
  auth,
  routes: [
    { match: ['team="pay"'], namespace: 'pay' },
    { match: ['team="web"'], namespace: 'web' },
  ],
});
const from = { namespace: 'infra', name: 'prom' };
const pay = aSource('pay', 'platform', { acceptFrom: from });
const web = aSource('web', 'platform', { acceptFrom: from });

describe('what a source says of its routes', () => {
  it('is nothing where it has none', () => {
    expect(routesOf(aSource('infra', 'plain', { auth }), [])).toEqual({});
  });

  it('does not blame others where it sees one namespace alone', () => {
    const here = {
      status: 'Unknown',
      reason: 'OneNamespace',
      message: expect.stringContaining('namespace infra alone'),
    };
    expect(routesOf(prom, [prom], 'infra')).toEqual({ Routed: here });
    expect(routesOf(pay, [pay], 'pay').Ready).toMatchObject({ reason: 'OneNamespace' });
    const within = aSource('infra', 'own', { acceptFrom: from });
    const inside = aSource('infra', 'prom', { auth, routes: [{ match: ['a="b"'], namespace: 'infra' }] });
    expect(routesOf(inside, [inside, within], 'infra').Routed).toMatchObject({ status: 'True' });
  });

  it('names the namespaces that have not opted in, and what would let them', () => {
    expect(routesOf(prom, [prom, pay]).Routed).toEqual({
      status: 'False',
      reason: 'NotAccepted',
      message: expect.stringContaining(
        'namespace web stay here: no AlertSource there says acceptFrom {namespace: infra',
      ),
    });
    expect(routesOf(prom, [prom, pay, web]).Routed).toMatchObject({ status: 'True' });
  });

  it('is stalled by a matcher that is none, with its place', () => {
    const bad = aSource('infra', 'prom', { auth, routes: [{ match: ['team="pay"', 'x=~"("'], namespace: 'pay' }] });
    const { Routed, Stalled } = routesOf(bad, [bad, pay]);
    expect(Routed).toMatchObject({ status: 'False', reason: 'InvalidMatcher' });
    expect(Stalled).toMatchObject({ status: 'True', message: expect.stringContaining('spec.routes[0].match[1]') });
  });
});

describe('a source that accepts', () => {
  it('has no path, and is ready once the other one is there and routes to its namespace', () => {
    const status = sourceStatus(
      pay,
      { state: 'Usable' },
      routesOf(pay, [prom, pay]),
      Temporal.Instant.from('2026-03-01T11:00:00Z'),
    );
    expect(status).not.toHaveProperty('path');
    expect(status.conditions).toMatchObject([{ type: 'Ready', status: 'True' }]);
    expect(routesOf(pay, [pay]).Ready).toMatchObject({ status: 'False', reason: 'SourceNotFound' });
    const ops = aSource('ops', 'platform', { acceptFrom: from });
    expect(routesOf(ops, [prom, ops]).Ready).toMatchObject({ status: 'False', reason: 'NotRouted' });
  });

  it('is not ready while another of its namespace has the alerts', () => {
    const second = aSource('pay', 'second', { acceptFrom: from });
    expect(routesOf(second, [prom, pay, second]).Ready).toMatchObject({ reason: 'AcceptedElsewhere' });
    expect(routesOf(pay, [prom, pay, second]).Ready).toMatchObject({ status: 'True' });
  });

  it('is looked at anew with the one that routes to it, and the other way round', () => {
    const names = (sources: AlertSource[]) => sources.map(({ metadata }) => metadata.namespace);
    expect(names(concernedBy(prom, [prom, pay, web]))).toEqual(['pay', 'web']);
    expect(names(concernedBy(pay, [prom, pay, web]))).toEqual(['infra', 'pay']);
    expect(concernedBy(aSource('infra', 'plain', { auth }), [prom, pay, web])).toEqual([]);
  });
});
