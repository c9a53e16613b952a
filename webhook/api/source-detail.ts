/** One source: the object as the person may read it, what came to it, and what was refused. */
import type { Alert, AlertSource } from '@funnelai/crds/generated/types';
import { ALERT_SOURCES } from '@funnelai/crds/meta';
import { alertName, fingerprintOfKey } from '@funnelai/domain/fingerprint';
import type { Rejection, SourceDetail } from '@funnelai/domain/wire-sources';
import { forbidden, type Right } from '../auth/access.ts';
import type { Person } from '../auth/identity.ts';
import { isTestAlert, TEST_KEY } from '../intake/test-alert.ts';
import { getAs } from './as-person.ts';
import type { ApiContext } from './context.ts';
import { alertItem, sourceItem, withoutManagedFields } from './items.ts';

export type Key = { namespace: string; name: string };

export const sourceAs = (api: ApiContext, person: Person, { namespace, name }: Key): Promise<AlertSource> =>
  getAs<AlertSource>(api.access, person, ALERT_SOURCES, { namespace, name });

/** Throws HttpProblem NotFound or Forbidden. */
export async function sourceDetail(api: ApiContext, person: Person, key: Key): Promise<SourceDetail> {
  const source = await sourceAs(api, person, key);
  const [traffic, inbox, rejections, seesAlerts, testRefusal] = await Promise.all([
    api.traffic.view(),
    api.inbox.view(),
    api.traffic.rejectionsOf(key.namespace, key.name),
    api.access.may(person, { verb: 'list', resource: 'alerts', namespace: key.namespace }),
    testRefusalOf(api, person, key),
  ]);
  const test = seesAlerts ? testAlertOf(api, key) : undefined;
  const own = `/alerts/${key.namespace}/${key.name}`;
  return {
    item: sourceItem(source, traffic, inbox),
    source: withoutManagedFields(source),
    paths: (api.receivers[source.spec.format]?.paths ?? ['']).map((path) => own + path),
    counted: traffic.counted,
    inbox: inbox.state,
    rejections: seesAlerts ? rejections : rejections.map(withoutBody),
    ...(seesAlerts
      ? {}
      : { bodiesHidden: `Bodies hold alerts, and ${person.user} may not list alerts in namespace ${key.namespace}.` }),
    ...(test === undefined ? {} : { test: alertItem(test) }),
    ...(testRefusal === undefined ? {} : { testRefused: testRefusal.message }),
  };
}

function withoutBody({ body: _, ...rest }: Rejection): Rejection {
  return rest;
}

/** The test alert of a source, as the cache has it. */
export function testAlertOf(api: Pick<ApiContext, 'alerts'>, { namespace, name }: Key): Alert | undefined {
  const alert = api.alerts.get(namespace, alertName(name, fingerprintOfKey(TEST_KEY)));
  return alert !== undefined && isTestAlert(alert) ? alert : undefined;
}

/**
 * A test alert is written by us and not by the person, so it takes a right that amounts to it: to create alerts, or to change this
 * source, by which one could let anybody in.
 */
export async function testRefusalOf(api: Pick<ApiContext, 'access'>, person: Person, key: Key) {
  const update: Right = { verb: 'update', resource: 'alertsources', ...key };
  const create: Right = { verb: 'create', resource: 'alerts', namespace: key.namespace };
  const [mayUpdate, mayCreate] = await Promise.all([api.access.may(person, update), api.access.may(person, create)]);
  return mayUpdate || mayCreate ? undefined : forbidden(person, update);
}
