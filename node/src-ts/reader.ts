// What databases, snapshots and transactions have in common: reads.

import { checkEncoding, type Decoded, type Encodable, type Encoding, type EncodingOptions } from './encoding';
import { Target } from './generated';
import { internal, type Owner } from './lifetime';
import type { NativeDatabase } from './native';
import { checkOptions, checkScanOptions, READ, READ_KEY } from './options';
import * as reads from './reads';
import { Scan, type Chosen, type Kind, type ScanOptions } from './scan';
import type { Writer } from './writer';

/** @internal What a handle that reads needs to know of the database or keyspace that it came from. */
export interface Source {
  native: NativeDatabase;
  owner: Owner;
  writer: Writer;
  /** 0 for the database, or the number of a keyspace. */
  target: number;
  keyEncoding: Encoding;
  valueEncoding: Encoding;
}

const keyspaces = new WeakMap<object, Source>();

/** @internal Notes what a keyspace is the handle of. */
export function addKeyspace(keyspace: object, source: Source): void {
  keyspaces.set(keyspace, source);
}

/** @internal What a keyspace that a user gives is the handle of. One of another database handle is refused by the calls that come to use it. */
export function keyspaceOf(keyspace: unknown, own: Source): Source {
  const source = keyspaces.get(keyspace as object);
  if (source === undefined) throw new TypeError('a keyspace is what db.keyspace(name) gives');
  return source.native === own.native ? source : { ...source, native: own.native, owner: own.owner, target: Target.Foreign };
}

/** @internal The number of the same snapshot or transaction through a keyspace. */
export function through(target: number, { native, target: store }: Source): number {
  return store === Target.Foreign ? store : native.through(target, store);
}

/** What can be read: a `Database`, a `Keyspace`, a `Snapshot` or a `Transaction`. A transaction sees its own writes; what it reads and walks counts as read. */
export abstract class Reader<KE extends Encoding = 'buffer', VE extends Encoding = 'buffer'> {
  /** Of types only: handles of other encodings are not taken for this one. */
  protected declare readonly encodings: (of: [KE, VE]) => [KE, VE];

  readonly #source: Source;
  readonly #target: number;

  /** @internal `target` is that of the source, or the number of a snapshot or transaction. */
  constructor(source: Source, target: number) {
    this.#source = source;
    this.#target = target;
  }

  /**
   * The value of a key, or `undefined`. Sees every write whose promise has resolved. An answer in memory is there at once, another comes from a
   * thread. A small `Buffer` shares memory with others: copy one that you keep for long. Rejects with `InvalidArgument` (key too long), `Closed`,
   * `Corruption`, `Io`; with a `SyntaxError` for a value that is not JSON, where that is the encoding.
   */
  get<K extends Encoding = KE, V extends Encoding = VE>(
    key: Encodable<K>,
    options?: EncodingOptions<K, V>,
  ): Promise<Decoded<V> | undefined> {
    const source = this.#source;
    if (options === undefined) {
      return reads.get(source.native, this.#target, key, source.keyEncoding, source.valueEncoding) as Promise<any>;
    }
    try {
      return reads.get(source.native, this.#target, key, ...encodingsOf(source, options)) as Promise<any>;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** As `get`, on this thread; waits for the disk if it must. */
  getSync<K extends Encoding = KE, V extends Encoding = VE>(
    key: Encodable<K>,
    options?: EncodingOptions<K, V>,
  ): Decoded<V> | undefined {
    const source = this.#source;
    if (options === undefined) {
      return reads.getSync(source.native, this.#target, key, source.keyEncoding, source.valueEncoding) as any;
    }
    return reads.getSync(source.native, this.#target, key, ...encodingsOf(source, options)) as any;
  }

  /** Whether a key is present; its value is not copied. Rejects as `get`. */
  async has<K extends Encoding = KE>(key: Encodable<K>, options?: { keyEncoding?: K }): Promise<boolean> {
    const source = this.#source;
    return reads.has(source.native, this.#target, key, keyEncodingOf(source, options));
  }

  /** As `has`, on this thread. */
  hasSync<K extends Encoding = KE>(key: Encodable<K>, options?: { keyEncoding?: K }): boolean {
    const source = this.#source;
    return reads.hasSync(source.native, this.#target, key, keyEncodingOf(source, options));
  }

  /** The values of several keys, all as of one instant, in the order of the keys. Rejects as `get`; one bad key fails all. */
  async getMany<K extends Encoding = KE, V extends Encoding = VE>(
    keys: readonly Encodable<K>[],
    options?: EncodingOptions<K, V>,
  ): Promise<(Decoded<V> | undefined)[]> {
    const source = this.#source;
    return reads.getMany(source.native, this.#target, keys, ...encodingsOf(source, options)) as any;
  }

  /** As `getMany`, on this thread. */
  getManySync<K extends Encoding = KE, V extends Encoding = VE>(
    keys: readonly Encodable<K>[],
    options?: EncodingOptions<K, V>,
  ): (Decoded<V> | undefined)[] {
    const source = this.#source;
    return reads.getManySync(source.native, this.#target, keys, ...encodingsOf(source, options)) as any;
  }

  /**
   * Entries in key order, as `[key, value]`, and for a transaction its own writes as they are now. Throws `InvalidArgument` for two bounds on one
   * side, `Closed`, and a `TypeError` for an option that it does not know.
   */
  entries<K extends Encoding = KE, V extends Encoding = VE>(
    options?: ScanOptions<K, V>,
  ): Scan<[Decoded<Chosen<K, KE>>, Decoded<Chosen<V, VE>>]> {
    return this.#scan('entries', options);
  }

  /** Keys in order. */
  keys<K extends Encoding = KE>(options?: ScanOptions<K, any>): Scan<Decoded<Chosen<K, KE>>> {
    return this.#scan('keys', options);
  }

  /** Values, in the order of their keys. */
  values<K extends Encoding = KE, V extends Encoding = VE>(
    options?: ScanOptions<K, V>,
  ): Scan<Decoded<Chosen<V, VE>>> {
    return this.#scan('values', options);
  }

  #scan(kind: Kind, options: ScanOptions<any, any> = {}): Scan<any> {
    checkScanOptions(options);
    const { native, owner, keyEncoding, valueEncoding } = this.#source;
    return new Scan(internal, native, owner, this.#target, kind, options, keyEncoding, valueEncoding);
  }
}

function keyEncodingOf(source: Source, options: { keyEncoding?: Encoding } | undefined): Encoding {
  if (options === undefined) return source.keyEncoding;
  checkOptions(options, READ_KEY);
  return checkEncoding('keyEncoding', options.keyEncoding, source.keyEncoding);
}

function encodingsOf(source: Source, options: EncodingOptions | undefined): [key: Encoding, value: Encoding] {
  if (options === undefined) return [source.keyEncoding, source.valueEncoding];
  checkOptions(options, READ);
  return [
    checkEncoding('keyEncoding', options.keyEncoding, source.keyEncoding),
    checkEncoding('valueEncoding', options.valueEncoding, source.valueEncoding),
  ];
}
