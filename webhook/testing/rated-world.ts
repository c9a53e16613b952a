/** The intake from ingest to both stores and the drain, in memory, with a clock that a test moves: for stories about the rate of a source. */
import type { AlertSource } from '@funnelai/crds/generated/types';
import { silentLog } from '@funnelai/kube/log';
import { createRegistry } from '@funnelai/kube/metrics';
import { FakeClock } from '@funnelai/kube/test-clock';
import { createApiServer } from '../inbox/api-server.ts';
import { createDrain } from '../inbox/drain.ts';
import { createInbox } from '../inbox/inbox.ts';
import { createLane } from '../inbox/lane.ts';
import { createLettingGo } from '../inbox/letting-go.ts';
import { createReceiptClock } from '../inbox/receipt-clock.ts';
import { createTwoStores } from '../inbox/two-stores.ts';
import { createIngest } from '../intake/ingest.ts';
import { createKeyedLock } from '../intake/keyed-lock.ts';
import { createRatedStore } from '../intake/rated-store.ts';
import { createSourceRates } from '../intake/source-rates.ts';
import { createAlertStore, type StoreRequest } from '../intake/store.ts';
import { createWebhookMetrics } from '../metrics.ts';
import { FakeAlerts } from './fake-alerts.ts';
import { MemoryInbox } from './memory-inbox.ts';

interface Shared {
  fake: FakeAlerts;
  memory: MemoryInbox;
  clock: FakeClock;
}

/** Nothing is drained before `drain.start()`. `hasInbox: false` is a webhook without a database. `beside`: another replica of that one.
 * `firesFolded`: what is said of alerts that are no Alerts. `hears`: it is told when another has put something into the inbox. */
export async function aRatedWorld(o: {
  sources: AlertSource[];
  hasInbox?: boolean;
  beside?: Shared;
  hears?: boolean;
  firesFolded?: (request: StoreRequest) => boolean;
}) {
  const {
    fake = new FakeAlerts(),
    memory = new MemoryInbox(),
    clock = new FakeClock('2026-01-01T12:00:00Z'),
  } = o.beside ?? {};
  const log = silentLog();
  const registry = createRegistry();
  const metrics = createWebhookMetrics(registry);
  const inbox = createInbox({ clock, receipt: createReceiptClock({ clock, log }), log, metrics });
  const read = async () => {
    if (fake.isAway) throw new Error('away');
  };
  const api = createApiServer({ read, clock, log, metrics });
  const etcd = createAlertStore({ client: fake.client, alerts: fake.cache, clock, lock: createKeyedLock() });
  const lane = createLane({ clock });
  const two = createTwoStores({ etcd, inbox, api, lane, clock, metrics });
  const sourceOf = (namespace: string, name: string) =>
    o.sources.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name) ?? null;
  const ratesOfOwn = () => createSourceRates({ sourceOf, alerts: fake.cache, clock });
  const rates = ratesOfOwn();
  const hasInbox = o.hasInbox ?? true;
  const { firesFolded = () => false } = o;
  const store = createRatedStore({
    store: hasInbox ? two : etcd,
    inbox: hasInbox ? inbox : undefined,
    rates,
    firesFolded: async (request) => firesFolded(request),
    metrics,
  });
  const fires = (alertname: string | undefined) =>
    [...fake.stored.values()].some(({ spec }) => spec.state === 'Firing' && spec.labels?.alertname === alertname);
  const isNew = (_namespace: string, { labels }: { labels?: Record<string, string> }) => !fires(labels?.alertname);
  const ingest = createIngest({
    store,
    clock,
    log,
    metrics,
    isBounded: hasInbox,
    isNew,
    admit: store.admit,
    alerts: fake.cache,
  });
  const parts = { inbox: memory.store, lock: memory.lock, etcd, sourceOf, isNew, rates: ratesOfOwn() };
  const drain = createDrain({ ...parts, api, lane, clock, log, metrics });
  if (hasInbox) inbox.open(memory.store);
  if (o.hears === true) memory.hearers.push(inbox.hear);
  await clock.advance(0);
  const { store: rows, lock } = memory;
  const lettingGo = createLettingGo({ alerts: fake.cache, inbox: rows, lock, client: fake.client, api, clock, log });
  return { fake, memory, clock, etcd, lane, store, ingest, drain, lettingGo, metrics: () => registry.metrics() };
}
