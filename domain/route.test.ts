import type { AlertSource, AlertSpec } from '@funnelai/crds/generated/types';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { acceptorIn, accepts, readRoutes, routeReasonText, wayOf } from './route.ts';
import { aSource } from './testing/builders.ts';

const named = (namespace: string, name: string, spec: Partial<AlertSource['spec']> = {}): AlertSource => ({
  ...aSource(spec),
  metadata: { namespace, name },
});
const home = named('infra', 'prom');
const from = { namespace: 'infra', name: 'prom' };
const pay = named('pay', 'platform', { acceptFrom: from });
const web = named('web', 'platform', { acceptFrom: from });
const ROUTES = [
  { match: ['team="pay"', 'severity!="none"'], namespace: 'pay' },
  { match: ['team=~"web|shop"'], namespace: 'web' },
  { match: ['team=~".+"'], namespace: 'closed' },
];
type State = AlertSpec['state'];

interface Circumstances {
  state?: 'Firing' | 'Resolved';
  held?: [AlertSource, State][];
  acceptors?: AlertSource[];
  routes?: typeof ROUTES;
}

function way(labels: Record<string, string>, o: Circumstances = {}) {
  const held = new Map(o.held);
  return wayOf({
    home,
    routes: readRoutes(o.routes ?? ROUTES).routes,
    acceptors: o.acceptors ?? [pay, web],
    labels,
    state: o.state ?? 'Firing',
    stateAt: (source) => held.get(source),
  });
}
const places = (labels: Record<string, string>, o?: Circumstances): string[] =>
  way(labels, o).places.map(({ metadata }) => metadata.namespace ?? '');

describe('an alert of a source that many teams share', () => {
  it('goes where the first route that matches leads', () => {
    expect(places({ team: 'pay' })).toEqual(['pay']);
    expect(places({ team: 'shop' })).toEqual(['web']);
    expect(places({ team: 'pay', severity: 'none' })).toEqual(['infra']);
    expect(places({})).toEqual(['infra']);
  });

  it('stays where the namespace has not opted in, also when a later route would take it', () => {
    expect(places({ team: 'pay' }, { acceptors: [web] })).toEqual(['infra']);
    expect(places({ team: 'ops' })).toEqual(['infra']);
  });

  it('is resolved where it fires, whatever became of the routes', () => {
    const held: [AlertSource, State][] = [[pay, 'Firing']];
    expect(places({ team: 'web' }, { state: 'Resolved', held })).toEqual(['pay']);
    expect(places({ team: 'pay' }, { state: 'Resolved', held, routes: [] })).toEqual(['pay']);
    expect(places({ team: 'pay' }, { state: 'Resolved', held: [[home, 'Firing']] })).toEqual(['infra']);
  });

  it('ends its episode where it began, and begins the next one by the routes of then', () => {
    expect(places({ team: 'web' }, { held: [[pay, 'Firing']] })).toEqual(['pay']);
    expect(places({ team: 'web' }, { held: [[pay, 'Resolved']] })).toEqual(['web']);
  });

  it('that fires in two places, after a race of rules, is told in both', () => {
    const held: [AlertSource, State][] = [
      [pay, 'Firing'],
      [home, 'Firing'],
    ];
    expect(places({ team: 'pay' }, { state: 'Resolved', held })).toEqual(['infra', 'pay']);
  });

  it('never goes into a namespace that does not accept, nor nowhere', () => {
    const label = fc.constantFrom('pay', 'web', 'shop', 'ops', '');
    const state = fc.constantFrom<State | undefined>('Firing', 'Resolved', undefined);
    fc.assert(
      fc.property(
        label,
        fc.constantFrom('Firing' as const, 'Resolved' as const),
        fc.tuple(state, state, state),
        (team, now, [a, b, c]) => {
          const held = (
            [
              [home, a],
              [pay, b],
              [web, c],
            ] as const
          ).filter((one): one is [AlertSource, State] => one[1] !== undefined);
          const found = places({ team }, { state: now, held: [...held] });
          expect(found.length).toBeGreaterThan(0);
          expect(['infra', 'pay', 'web']).toEqual(expect.arrayContaining(found));
          // What fires anywhere hears of it.
          for (const [source, state] of held)
            if (state === 'Firing') expect(found).toContain(source.metadata.namespace);
        },
      ),
    );
  });
});

describe('why an alert goes where it goes', () => {
  const why = (labels: Record<string, string>, o: Circumstances = {}) =>
    routeReasonText(way(labels, o).why, { ...home, spec: { ...home.spec, routes: o.routes ?? ROUTES } });

  it('is told by the place of the route, also of one whose namespace has not opted in', () => {
    expect(why({ team: 'shop' })).toBe('routes[1] leads there');
    expect(why({ team: 'ops' })).toBe(
      'it stays, because routes[2] leads into namespace closed, where no AlertSource accepts from infra/prom',
    );
    expect(why({})).toBe('it stays, because no route matches it');
    expect(why({ team: 'web' }, { held: [[pay, 'Firing']] })).toContain('an episode stays where it began');
  });

  it('names a matcher that cannot be read, and the place of a route behind it', () => {
    const routes = [{ match: ['x=~"("'], namespace: 'pay' }, ...ROUTES];
    expect(why({}, { routes })).toBe('it stays, because no route matches it (routes[0].match[0] cannot be read)');
    expect(why({ team: 'shop' }, { routes })).toBe('routes[2] leads there');
  });

  it('is nothing where there are no routes', () => expect(why({}, { routes: [] })).toBeUndefined());
});

describe('who accepts', () => {
  it('is who names the source, in its namespace, and of several the first by name', () => {
    expect(accepts(pay, home)).toBe(true);
    expect(accepts(pay, named('other', 'prom'))).toBe(false);
    const second = named('pay', 'a-second', { acceptFrom: from });
    expect(acceptorIn([pay, web, second], 'pay')).toBe(second);
    expect(acceptorIn([pay, web], 'ops')).toBeUndefined();
  });
});

describe('a route whose matchers cannot be read', () => {
  it('matches nothing, and is named with its place', () => {
    const { routes, faults } = readRoutes([
      { match: ['team="pay"', 'x=~"("'], namespace: 'pay' },
      { match: ['team="pay"'], namespace: 'web' },
    ]);
    expect(routes.map(({ namespace }) => namespace)).toEqual(['web']);
    expect(faults.map(({ field }) => field)).toEqual(['routes[0].match[1]']);
  });
});
