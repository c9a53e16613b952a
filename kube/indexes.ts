/** The named indexes of a cache: which keys stand under which value. An indexer that throws harms its object's entry alone. */
import type { KubeObject } from '@funnelai/crds/meta';

export type Indexers<T extends KubeObject> = Record<string, (o: T) => string[]>;

export class Indexes<T extends KubeObject> {
  readonly #indexers: Indexers<T>;
  readonly #complain: (error: unknown, index: string, object: T) => void;
  readonly #indexes = new Map<string, Map<string, Map<string, T>>>();

  constructor(indexers: Indexers<T>, complain: (error: unknown, index: string, object: T) => void) {
    this.#indexers = indexers;
    this.#complain = complain;
    for (const index of Object.keys(indexers)) this.#indexes.set(index, new Map());
  }

  /** A fresh array. Undefined for an index that was not declared. */
  find(index: string, value: string): T[] | undefined {
    const values = this.#indexes.get(index);
    return values && [...(values.get(value)?.values() ?? [])];
  }

  /** Undefined for an index that was not declared. */
  count(index: string, value: string): number | undefined {
    const values = this.#indexes.get(index);
    return values && (values.get(value)?.size ?? 0);
  }

  names(): string[] {
    return [...this.#indexes.keys()];
  }

  add(key: string, object: T): void {
    for (const [index, value] of this.#valuesOf(object)) {
      const values = this.#indexes.get(index);
      const bucket = values?.get(value);
      if (bucket) bucket.set(key, object);
      else values?.set(value, new Map([[key, object]]));
    }
  }

  remove(key: string, object: T): void {
    for (const [index, value] of this.#valuesOf(object)) {
      const values = this.#indexes.get(index);
      const bucket = values?.get(value);
      bucket?.delete(key);
      if (bucket?.size === 0) values?.delete(value);
    }
  }

  *#valuesOf(object: T): Generator<[index: string, value: string]> {
    for (const [index, values] of Object.entries(this.#indexers)) {
      try {
        for (const value of values(object)) yield [index, value];
      } catch (error) {
        this.#complain(error, index, object);
      }
    }
  }
}
