/**
 * An API server in memory, for tests that need hundreds of them: resourceVersions, preconditions, status apart from spec,
 * finalizers, watches, and the admission log. It knows no schema and no rights; what those refuse is tried on a real one.
 */
import type { Incident } from '@funnelai/crds/generated/types';
import { CHANGES_ANNOTATION, type KubeObject, type Resource } from '@funnelai/crds/meta';
import { encodeChangesAnnotation, type LogEntry, parseChangesAnnotation } from '@funnelai/domain/admission-log';
import type { Deleted, DeleteOptions, JsonPatchOp, KubeClient } from '@funnelai/kube/client';
import type { Clock } from '@funnelai/kube/clock';
import { KubeError } from '@funnelai/kube/errors';
import type { WatchEvent } from '@funnelai/kube/watch';

type Stored = KubeObject & { spec?: Record<string, unknown>; status?: Record<string, unknown> };
interface Key {
  namespace?: string;
  name: string;
}

const LOG_ENTRIES = 16;

export class FakeApi {
  readonly #clock: Clock;
  #version = 100;
  /** How often it was restored. */
  #life = 0;
  readonly #objects = new Map<string, Stored>();
  readonly #events: { resource: string; version: number; event: WatchEvent }[] = [];
  readonly #wakers = new Set<() => void>();
  /** Writes that were accepted, by "plural namespace/name". */
  readonly writes = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Everything of a kind, as a test wants to see it. */
  all<T extends KubeObject>(r: Resource): T[] {
    return [...this.#objects]
      .filter(([key]) => key.startsWith(`${r.plural} `))
      .map(([, o]) => structuredClone(o) as unknown as T);
  }

  /** The whole state, as an etcd snapshot. */
  snapshot(): { version: number; objects: Map<string, Stored> } {
    return { version: this.#version, objects: structuredClone(this.#objects) };
  }

  /** Puts the state back: versions count on from the snapshot's, and every watch ends. */
  restore({ version, objects }: ReturnType<FakeApi['snapshot']>): void {
    this.#version = version;
    this.#objects.clear();
    for (const [id, object] of structuredClone(objects)) this.#objects.set(id, object);
    this.#events.length = 0;
    this.#life += 1;
    for (const wake of this.#wakers) wake();
  }

  /** A client that writes as `user`. */
  client(user: string): KubeClient {
    const unused = (): never => {
      throw new Error('the fake API server does not do that');
    };
    const client: KubeClient = {
      server: 'http://fake',
      get: async <T>(r: Resource, key: Key) => structuredClone(this.#find(r, key)) as T,
      list: async <T>(r: Resource) => ({
        metadata: { resourceVersion: String(this.#version) },
        items: this.all(r) as T[],
      }),
      create: async <T>(r: Resource, object: KubeObject) => this.#create(r, object as Stored, user) as T,
      replace: async <T extends KubeObject>(r: Resource, object: T, o?: { subresource?: 'status' | undefined }) =>
        this.#change(
          r,
          object.metadata,
          user,
          o?.subresource === 'status',
          () => structuredClone(object) as Stored,
        ) as unknown as T,
      apply: unused,
      mergePatch: unused,
      jsonPatch: async <T>(r: Resource, key: Key, ops: JsonPatchOp[]) =>
        this.#change(r, key, user, false, (now) => applyOps(now, ops)) as T,
      delete: async (r: Resource, key: Key, o?: DeleteOptions) => this.#delete(r, key, o),
      raw: async () => ({ status: 201, body: { status: { userInfo: { username: user } } } }),
      watch: <T extends KubeObject>(
        r: Resource,
        o: { resourceVersion: string; sendInitialEvents?: boolean | undefined; onOpen?: (() => void) | undefined },
        signal?: AbortSignal,
      ) => {
        if (o.sendInitialEvents)
          throw refusal(422, 'Invalid', 'sendInitialEvents is forbidden: lists are not streamed');
        return this.#watch(r, Number(o.resourceVersion), signal, o.onOpen) as AsyncIterable<WatchEvent<T>>;
      },
      withToken: unused,
      close: async () => {},
    };
    return client;
  }

  #find(r: Resource, { namespace, name }: Key): Stored {
    const found = this.#objects.get(idOf(r, namespace, name));
    if (found === undefined) throw refusal(404, 'NotFound', `${r.plural} "${name}" not found`);
    return found;
  }

  #create(r: Resource, given: Stored, user: string): Stored {
    const { namespace, name } = given.metadata;
    const id = idOf(r, namespace, name);
    if (this.#objects.has(id)) throw refusal(409, 'AlreadyExists', `${r.plural} "${name}" already exists`);
    const { status: _, ...object } = structuredClone(given);
    object.metadata = {
      ...object.metadata,
      uid: `uid-${r.plural}-${this.#version + 1}`,
      generation: 1,
      creationTimestamp: this.#clock.now().toString({ smallestUnit: 'second' }),
    };
    return this.#store(id, r, this.#admit(undefined, object as Stored, user), 'ADDED');
  }

  #change(r: Resource, key: Key, user: string, onlyStatus: boolean, change: (now: Stored) => Stored): Stored {
    const now = this.#find(r, key);
    const wanted = change(structuredClone(now));
    if (wanted.metadata.uid !== now.metadata.uid || wanted.metadata.resourceVersion !== now.metadata.resourceVersion) {
      throw refusal(409, 'Conflict', 'the object has been modified');
    }
    const next: Stored = onlyStatus
      ? { ...now, ...(wanted.status !== undefined && { status: wanted.status }) }
      : { ...wanted, ...(now.status !== undefined && { status: now.status }) };
    if (JSON.stringify(next) === JSON.stringify(now)) return structuredClone(now);
    const moved = JSON.stringify(next.spec) !== JSON.stringify(now.spec);
    next.metadata = { ...next.metadata, generation: (now.metadata.generation ?? 0) + (moved ? 1 : 0) };
    const id = idOf(r, key.namespace, key.name);
    const gone = next.metadata.deletionTimestamp !== undefined && (next.metadata.finalizers ?? []).length === 0;
    return this.#store(id, r, onlyStatus ? next : this.#admit(now, next, user), gone ? 'DELETED' : 'MODIFIED');
  }

  #delete(r: Resource, key: Key, { uid, resourceVersion }: DeleteOptions = {}): Deleted {
    const now = this.#find(r, key);
    const isOther = uid !== undefined && uid !== now.metadata.uid;
    if (isOther || (resourceVersion !== undefined && resourceVersion !== now.metadata.resourceVersion)) {
      throw refusal(409, 'Conflict', 'the preconditions of the deletion do not hold');
    }
    const id = idOf(r, key.namespace, key.name);
    if ((now.metadata.finalizers ?? []).length === 0) {
      this.#store(id, r, now, 'DELETED');
      return now.metadata.uid === undefined ? {} : { gone: now.metadata.uid };
    }
    const deletionTimestamp = this.#clock.now().toString({ smallestUnit: 'second' });
    return { waiting: this.#store(id, r, { ...now, metadata: { ...now.metadata, deletionTimestamp } }, 'MODIFIED') };
  }

  #store(id: string, r: Resource, object: Stored, type: 'ADDED' | 'MODIFIED' | 'DELETED'): Stored {
    this.#version += 1;
    const next = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
    if (type === 'DELETED') this.#objects.delete(id);
    else this.#objects.set(id, next);
    this.writes.set(id, (this.writes.get(id) ?? 0) + 1);
    this.#events.push({ resource: r.plural, version: this.#version, event: { type, object: structuredClone(next) } });
    for (const wake of this.#wakers) wake();
    return structuredClone(next);
  }

  /** As the mutating admission policy: the log of who changed what. */
  #admit(old: Stored | undefined, next: Stored, user: string): Stored {
    if (next.kind !== 'Incident') return next;
    const before = (old as unknown as Incident | undefined)?.spec;
    const after = (next as unknown as Incident).spec;
    const log = parseChangesAnnotation(old?.metadata.annotations?.[CHANGES_ANNOTATION]) ?? { counter: 0, entries: [] };
    const fresh: Omit<LogEntry, 'number'>[] = [];
    const at = this.#clock.now().toString({ smallestUnit: 'second' });
    const note = (field: LogEntry['field'], from: string | undefined, to: string | undefined) => {
      if ((from ?? '') === (to ?? '')) return;
      fresh.push({ field, value: to ?? '', user, at, reason: field === 'phase' ? (after.phaseReason ?? '') : '' });
    };
    note('phase', before?.phase, after.phase);
    note('severity', before?.severity, after.severity);
    note('priority', before?.priority, after.priority);
    note('owner', before?.owner?.name, after.owner?.name);
    const counter = log.counter + fresh.length;
    const entries = [...log.entries, ...fresh.map((entry, i) => ({ ...entry, number: log.counter + i + 1 }))].slice(
      -LOG_ENTRIES,
    );
    const annotations = {
      ...next.metadata.annotations,
      [CHANGES_ANNOTATION]: encodeChangesAnnotation({ counter, entries }),
    };
    return { ...next, metadata: { ...next.metadata, annotations } };
  }

  async *#watch(
    r: Resource,
    from: number,
    signal: AbortSignal | undefined,
    onOpen?: () => void,
  ): AsyncIterable<WatchEvent> {
    const life = this.#life;
    if (from > this.#version) throw refusal(410, 'Expired', 'too large resource version');
    onOpen?.();
    let next = this.#events.findIndex(({ version }) => version > from);
    if (next < 0) next = this.#events.length;
    while (!signal?.aborted) {
      if (life !== this.#life) throw refusal(410, 'Expired', 'the watch ended');
      const one = this.#events[next];
      if (one !== undefined) {
        next += 1;
        if (one.resource === r.plural) yield structuredClone(one.event);
        continue;
      }
      await new Promise<void>((resolve) => {
        const done = () => {
          this.#wakers.delete(done);
          signal?.removeEventListener('abort', done);
          resolve();
        };
        this.#wakers.add(done);
        signal?.addEventListener('abort', done, { once: true });
      });
    }
  }
}

const idOf = (r: Resource, namespace: string | undefined, name: string): string =>
  `${r.plural} ${namespace ?? ''}/${name}`;

const refusal = (status: number, reason: string, message: string): KubeError =>
  new KubeError({ status, reason, message, transient: reason === 'Conflict' });

/** RFC 6902, as far as the operator uses it; a test that fails is the 422 of the real one. */
function applyOps(object: Stored, ops: JsonPatchOp[]): Stored {
  for (const op of ops) {
    if (!('path' in op) || op.op === 'move' || op.op === 'copy')
      throw new Error(`the fake API server does not ${op.op}`);
    const steps = op.path
      .slice(1)
      .split('/')
      .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = steps.pop() ?? '';
    let at = object as unknown as Record<string, unknown>;
    for (const step of steps) {
      at[step] ??= {};
      at = at[step] as Record<string, unknown>;
    }
    if (op.op === 'remove') {
      if (Array.isArray(at)) at.splice(Number(last), 1);
      else delete at[last];
      continue;
    }
    if (!('value' in op)) throw new Error(`the fake API server does not ${op.op}`);
    if (op.op === 'test') {
      if (JSON.stringify(at[last]) !== JSON.stringify(op.value))
        throw refusal(422, 'Invalid', `test of ${op.path} failed`);
    } else if (Array.isArray(at) && last === '-') at.push(op.value);
    else at[last] = op.value;
  }
  return object;
}
