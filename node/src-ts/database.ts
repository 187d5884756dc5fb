import { fileURLToPath } from 'node:url';

import { Batch, packList, type BatchOperation, type WriteOptions } from './batch';
import { checkEncoding, encode, type Encodable, type Encoding, type EncodingOptions } from './encoding';
import { LightningDbError } from './error';
import type { EngineOptions } from './generated';
import { checkInternal, internal, makeDisposable, type Owner } from './lifetime';
import { native as library, type NativeDatabase } from './native';
import { checkObject, checkOptions, checkScanOptions, checkSignal, RUN, WRITE } from './options';
import { Reader, type Source } from './reader';
import { boundsOf, type ScanOptions } from './scan';
import { ask } from './settle';
import { Snapshot } from './snapshot';
import { Transaction, type TransactionOptions } from './transaction';
import { writePacked, Writer } from './writer';

/** How a database is opened. */
export interface OpenOptions<KE extends Encoding = Encoding, VE extends Encoding = Encoding> extends EngineOptions {
  /** `'rwc'` (the default) makes the database if there is none, `'rw'` wants one that exists. */
  mode?: 'rwc' | 'rw';
  /** Default: `'buffer'`. */
  keyEncoding?: KE;
  /** Default: `'buffer'`. */
  valueEncoding?: VE;
}

/** Options of a put. */
export interface PutOptions<KE extends Encoding = Encoding, VE extends Encoding = Encoding>
  extends WriteOptions,
    EncodingOptions<KE, VE> {}

/** Options of a delete. */
export interface DelOptions<KE extends Encoding = Encoding> extends WriteOptions {
  keyEncoding?: KE;
}

/** Options of `Database.transaction`. */
export interface RunOptions extends TransactionOptions, WriteOptions {
  /** No attempt is begun or committed once it is aborted; rejects with its reason. */
  signal?: AbortSignal;
}

/** Figures about a database, each taken at its own instant. */
export interface Stats {
  /** An estimate: puts less deletes. A scan counts exactly. */
  total_keys: number;
  /** Bytes of tables and log on disk. */
  total_size: number;
  /** Share of page look-ups that found the page in the cache, 0 to 1. */
  cache_hit_rate: number;
  /** Bytes of pages and rows in the cache. */
  cache_bytes: number;
  /** Bytes of memtables. */
  memtable_bytes: number;
  /** Sets of memtables that wait for their flush. */
  sealed_memtables: number;
  /** Tables in each level. */
  tables_per_level: number[];
  /** Open transactions. */
  active_transactions: number;
  /** Held snapshots, those of transactions included. */
  snapshots: number;
  /** What last went wrong in the background. */
  background_error: string | undefined;
}

/**
 * An open database: a folder with ordered keys and values. Keys are up to 65,535 bytes, values up to 1 GiB; both are given as strings
 * (UTF-8) or `Uint8Array`s, or as JSON by encoding.
 *
 * Whatever opens the same folder in this process, workers included, shares one engine; each handle closes on its own. Calls with `Sync` in
 * their name do the work on this thread and throw; the others return promises that reject. Errors are `LightningDbError`s, or `TypeError`s
 * for wrong types. A pending promise keeps the process alive, an open database does not.
 *
 * ```js
 * const db = await Database.open('./mydb', { valueEncoding: 'utf8' });
 * await db.put('hello', 'world');
 * console.log(await db.get('hello'));
 * await db.close();
 * ```
 */
export class Database<KE extends Encoding = 'buffer', VE extends Encoding = 'buffer'> extends Reader<KE, VE> {
  declare [Symbol.dispose]: () => void;
  declare [Symbol.asyncDispose]: () => Promise<void>;

  readonly #native: NativeDatabase;
  readonly #source: Source;
  readonly #owner: Owner;
  readonly #writer: Writer;
  readonly #keyEncoding: Encoding;
  readonly #valueEncoding: Encoding;
  #closing: Promise<void> | undefined;

  private constructor(token: typeof internal, native: NativeDatabase, keyEncoding: Encoding, valueEncoding: Encoding) {
    checkInternal(token, 'Database.open(path)');
    const owner = { isClosed: false };
    const source = { native, owner, keyEncoding, valueEncoding };
    super(source, 0);
    this.#native = native;
    this.#owner = owner;
    this.#writer = new Writer(native);
    this.#keyEncoding = keyEncoding;
    this.#valueEncoding = valueEncoding;
    this.#source = source;
  }

  /**
   * Opens the database in a folder. Options that are given again for a folder that is open in this process must be those in force.
   *
   * Rejects with `NotFound` (mode `'rw'`), `Locked` (another process has it), `InvalidArgument` (an option), `NotADatabase`, `Corruption`,
   * `UnsupportedVersion`, `PermissionDenied`, `NoSpace`, `Io`.
   */
  static async open<K extends Encoding = 'buffer', V extends Encoding = 'buffer'>(
    path: string | URL,
    options: OpenOptions<K, V> = {},
  ): Promise<Database<K, V>> {
    const { keyEncoding, valueEncoding, list } = splitOptions(options);
    return ask<Database<K, V>, NativeDatabase>(
      (ticket) => library.open(ticket, pathOf(path), list),
      (native) => new Database<K, V>(internal, native, keyEncoding, valueEncoding),
    );
  }

  /** As `open`, on this thread. */
  static openSync<K extends Encoding = 'buffer', V extends Encoding = 'buffer'>(
    path: string | URL,
    options: OpenOptions<K, V> = {},
  ): Database<K, V> {
    const { keyEncoding, valueEncoding, list } = splitOptions(options);
    return new Database<K, V>(internal, library.openSync(pathOf(path), list), keyEncoding, valueEncoding);
  }

  /**
   * Restores a backup into a folder that is absent or empty, and verifies every byte. Rejects with `NotFound`, `AlreadyExists`,
   * `Corruption`, and as `open`.
   */
  static async restore(source: string | URL, target: string | URL): Promise<void> {
    return ask((ticket) => library.restore(ticket, pathOf(source), pathOf(target)));
  }

  /** The folder, without links. */
  get path(): string {
    return this.#native.path;
  }

  /** Whether this handle has not been closed. */
  get isOpen(): boolean {
    return !this.#owner.isClosed;
  }

  /**
   * Puts a value. What is put in one turn of the event loop is committed together, in the order of the calls; the promise resolves when it has got as
   * far as the level says. A key or value that is too long is refused alone. Rejects with `InvalidArgument`, `NoSpace`, `Halted`, `Closed`, `Io`.
   */
  put<K extends Encoding = KE, V extends Encoding = VE>(
    key: Encodable<K>,
    value: Encodable<V>,
    options?: PutOptions<K, V>,
  ): Promise<void> {
    try {
      if (options !== undefined) checkOptions(options, WRITE);
      const keyEncoding = checkEncoding('keyEncoding', options?.keyEncoding, this.#keyEncoding);
      const valueEncoding = checkEncoding('valueEncoding', options?.valueEncoding, this.#valueEncoding);
      return this.#writer.put(encode(key, keyEncoding), encode(value, valueEncoding), options?.consistency);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** As `put`, on this thread, behind all puts that are under way. */
  putSync<K extends Encoding = KE, V extends Encoding = VE>(
    key: Encodable<K>,
    value: Encodable<V>,
    options?: PutOptions<K, V>,
  ): void {
    if (options !== undefined) checkOptions(options, WRITE);
    const keyEncoding = checkEncoding('keyEncoding', options?.keyEncoding, this.#keyEncoding);
    const valueEncoding = checkEncoding('valueEncoding', options?.valueEncoding, this.#valueEncoding);
    this.#writer.putSync(encode(key, keyEncoding), encode(value, valueEncoding), options?.consistency);
  }

  /** Deletes a key; an absent key is no error. Otherwise as `put`. */
  del<K extends Encoding = KE>(key: Encodable<K>, options?: DelOptions<K>): Promise<void> {
    try {
      if (options !== undefined) checkOptions(options, WRITE);
      const keyEncoding = checkEncoding('keyEncoding', options?.keyEncoding, this.#keyEncoding);
      return this.#writer.delete(encode(key, keyEncoding), options?.consistency);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** As `del`, on this thread. */
  delSync<K extends Encoding = KE>(key: Encodable<K>, options?: DelOptions<K>): void {
    if (options !== undefined) checkOptions(options, WRITE);
    const keyEncoding = checkEncoding('keyEncoding', options?.keyEncoding, this.#keyEncoding);
    this.#writer.deleteSync(encode(key, keyEncoding), options?.consistency);
  }

  /** A batch to be filled: `db.batch().put('a', '1').del('b').write()`. */
  batch(): Batch<KE, VE>;
  /** Applies several writes, all or none, in their order. */
  batch<K extends Encoding = KE, V extends Encoding = VE>(
    operations: readonly BatchOperation<K, V>[],
    options?: PutOptions<K, V>,
  ): Promise<void>;
  batch(operations?: readonly BatchOperation<any, any>[], options?: PutOptions): Promise<void> | Batch<KE, VE> {
    if (arguments.length === 0) return new Batch(internal, this.#native, this.#writer, this.#keyEncoding, this.#valueEncoding);
    try {
      const packed = this.#pack(operations!, options);
      this.#writer.handOver();
      return writePacked(this.#native, packed, options?.consistency);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** As `batch`, on this thread. */
  batchSync<K extends Encoding = KE, V extends Encoding = VE>(
    operations: readonly BatchOperation<K, V>[],
    options?: PutOptions<K, V>,
  ): void {
    const packed = this.#pack(operations, options);
    this.#writer.handOver();
    this.#native.writeSync(packed.buffer, packed.length, options?.consistency);
  }

  #pack(operations: readonly BatchOperation<any, any>[], options: EncodingOptions | undefined) {
    if (options !== undefined) checkOptions(options, WRITE);
    const keyEncoding = checkEncoding('keyEncoding', options?.keyEncoding, this.#keyEncoding);
    return packList(operations, keyEncoding, checkEncoding('valueEncoding', options?.valueEncoding, this.#valueEncoding));
  }

  /** How many entries `entries` with these options gives: exact, and as much work as walking over their keys. Rejects as `get`. */
  async count<K extends Encoding = KE>(options?: ScanOptions<K, any>): Promise<number> {
    if (options !== undefined) checkScanOptions(options);
    options?.signal?.throwIfAborted();
    const bounds = boundsOf(options ?? {}, checkEncoding('keyEncoding', options?.keyEncoding, this.#keyEncoding));
    const count = await ask<number>((ticket) => this.#native.count(ticket, ...bounds));
    options?.signal?.throwIfAborted();
    return count;
  }

  /** Takes a snapshot of what is visible now. Throws `Closed`. */
  snapshot(): Snapshot<KE, VE> {
    return new Snapshot(internal, this.#source);
  }

  /** Begins a transaction, to be committed or aborted by the caller. Throws `TooMany`, `Closed`, `Halted`. */
  beginTransaction(options?: TransactionOptions): Transaction<KE, VE> {
    return new Transaction(internal, this.#source, this.#writer, options);
  }

  /**
   * Runs `work` in a transaction and commits it; begins again, after a short pause, when it meets a `Conflict`, so `work` may run several times. What
   * it throws takes the transaction back and is passed on.
   */
  async transaction<T>(work: (tx: Transaction<KE, VE>) => T | Promise<T>, options?: RunOptions): Promise<T> {
    if (typeof work !== 'function') throw new TypeError('the work of a transaction is a function');
    if (options !== undefined) checkOptions(options, RUN);
    const { isolation, consistency, signal } = options ?? {};
    checkSignal(signal);
    const begin = isolation === undefined ? undefined : { isolation };
    const commit = consistency === undefined ? undefined : { consistency };
    for (let attempt = 1; ; attempt++) {
      signal?.throwIfAborted();
      const tx = this.beginTransaction(begin);
      try {
        const result = await work(tx);
        signal?.throwIfAborted();
        await tx.commit(commit);
        return result;
      } catch (error) {
        tx.close();
        const isConflict = error instanceof LightningDbError && error.code === 'Conflict';
        const pause = isConflict ? this.#native.pause(attempt) : undefined;
        if (pause === undefined) throw error;
        // A timer takes a millisecond at least; the first losers go on at once.
        if (pause >= 1) await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }
  }

  /** Backs up into a folder that is absent or empty, while others write. Rejects with `AlreadyExists`, `NoSpace`, `Corruption`, … */
  async backup(target: string | URL): Promise<void> {
    this.#writer.handOver();
    return ask((ticket) => this.#native.backup(ticket, pathOf(target)));
  }

  /** Writes all that is in memory to tables. */
  async flush(): Promise<void> {
    this.#writer.handOver();
    return ask((ticket) => this.#native.flush(ticket));
  }

  /** Merges all tables, without what nobody can see any more. Needs room for a second copy of the data. */
  async compact(): Promise<void> {
    this.#writer.handOver();
    return ask((ticket) => this.#native.compact(ticket));
  }

  /** Empties the cache of pages and rows. */
  async clearCache(): Promise<void> {
    this.#native.clearCache();
  }

  /** Figures about the database. */
  async stats(): Promise<Stats> {
    return this.#native.stats() as unknown as Stats;
  }

  /**
   * Closes this handle: later calls on it, its scans, snapshots and transactions throw `Closed`. Waits for its writes; the last handle closes the
   * engine and releases the folder. Closing again waits for that.
   */
  close(): Promise<void> {
    // Its error has been told to the first who asked.
    if (this.#closing !== undefined) return this.#closing.catch(() => {});
    this.#writer.handOver();
    this.#owner.isClosed = true;
    return (this.#closing = ask((ticket) => this.#native.close(ticket)));
  }

  /** As `close`, on this thread. */
  closeSync(): void {
    this.#writer.handOver();
    this.#owner.isClosed = true;
    this.#native.closeSync();
  }
}

makeDisposable(
  Database,
  function () {
    this.closeSync();
  },
  function () {
    return this.close();
  },
);

function pathOf(path: string | URL): string {
  return path instanceof URL ? fileURLToPath(path) : path;
}

/** Encodings are ours; the rest goes to the engine, which knows its options. */
function splitOptions(options: OpenOptions) {
  checkObject(options);
  const { keyEncoding, valueEncoding, ...rest } = options;
  const given = Object.entries(rest).filter(([, value]) => value !== undefined);
  return {
    keyEncoding: checkEncoding('keyEncoding', keyEncoding, 'buffer' as Encoding),
    valueEncoding: checkEncoding('valueEncoding', valueEncoding, 'buffer' as Encoding),
    list: given.flat() as unknown[],
  };
}
