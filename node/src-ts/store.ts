import { Batch, packList, type BatchOperation, type CommitOptions, type WriteOptions } from './batch';
import { checkEncoding, encode, type Encodable, type Encoding, type EncodingOptions } from './encoding';
import { LightningDbError } from './error';
import { ingest } from './ingest';
import { internal } from './lifetime';
import { checkOptions, checkScanOptions, checkSignal, READ, RUN, WRITE } from './options';
import { Reader, type Source } from './reader';
import { boundsOf, type ScanOptions } from './scan';
import { ask } from './settle';
import { Snapshot } from './snapshot';
import { Transaction, type TransactionOptions } from './transaction';
import { writePacked, writePackedSync } from './writer';

/** Options of a put. */
export interface PutOptions<KE extends Encoding = Encoding, VE extends Encoding = Encoding>
  extends WriteOptions,
    EncodingOptions<KE, VE> {}

/** Options of a delete. */
export interface DelOptions<KE extends Encoding = Encoding> extends WriteOptions {
  keyEncoding?: KE;
}

/** Options of `Database.transaction`. */
export interface RunOptions extends TransactionOptions, CommitOptions {
  /** No attempt is begun or committed once it is aborted; rejects with its reason. */
  signal?: AbortSignal;
}

/** What can be read and written: a `Database`, which stands for its keyspace `default`, or a `Keyspace`. */
export abstract class Store<KE extends Encoding = 'buffer', VE extends Encoding = 'buffer'> extends Reader<KE, VE> {
  readonly #source: Source;

  /** @internal */
  constructor(source: Source) {
    super(source, source.target);
    this.#source = source;
  }

  /**
   * Puts a value. What is put in one turn of the event loop is committed together, in the order of the calls; the promise resolves when it has got as
   * far as the level says. A key or value that is too long is refused alone. Rejects with `InvalidArgument`, `NoSpace`, `Halted`, `Closed`, `TimedOut`, `ReadOnly`, `Io`; in a keyspace
   * that was dropped, as every call there, with `NotFound`.
   */
  put<K extends Encoding = KE, V extends Encoding = VE>(
    key: Encodable<K>,
    value: Encodable<V>,
    options?: PutOptions<K, V>,
  ): Promise<void> {
    try {
      if (options !== undefined) checkOptions(options, WRITE);
      const keyEncoding = checkEncoding('keyEncoding', options?.keyEncoding, this.#source.keyEncoding);
      const valueEncoding = checkEncoding('valueEncoding', options?.valueEncoding, this.#source.valueEncoding);
      return this.#source.writer.put(this.#source, encode(key, keyEncoding), encode(value, valueEncoding), options);
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
    const keyEncoding = checkEncoding('keyEncoding', options?.keyEncoding, this.#source.keyEncoding);
    const valueEncoding = checkEncoding('valueEncoding', options?.valueEncoding, this.#source.valueEncoding);
    this.#source.writer.putSync(this.#source, encode(key, keyEncoding), encode(value, valueEncoding), options);
  }

  /** Deletes a key; an absent key is no error. Otherwise as `put`. */
  del<K extends Encoding = KE>(key: Encodable<K>, options?: DelOptions<K>): Promise<void> {
    try {
      if (options !== undefined) checkOptions(options, WRITE);
      const keyEncoding = checkEncoding('keyEncoding', options?.keyEncoding, this.#source.keyEncoding);
      return this.#source.writer.delete(this.#source, encode(key, keyEncoding), options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** As `del`, on this thread. */
  delSync<K extends Encoding = KE>(key: Encodable<K>, options?: DelOptions<K>): void {
    if (options !== undefined) checkOptions(options, WRITE);
    const keyEncoding = checkEncoding('keyEncoding', options?.keyEncoding, this.#source.keyEncoding);
    this.#source.writer.deleteSync(this.#source, encode(key, keyEncoding), options);
  }

  /** A batch to be filled: `db.batch().put('a', '1').del('b').write()`. */
  batch(): Batch<KE, VE>;
  /** Applies several writes, all or none, in their order. */
  batch<K extends Encoding = KE, V extends Encoding = VE>(
    operations: readonly BatchOperation<K, V>[],
    options?: PutOptions<K, V>,
  ): Promise<void>;
  batch(operations?: readonly BatchOperation<any, any>[], options?: PutOptions): Promise<void> | Batch<KE, VE> {
    if (arguments.length === 0) return new Batch(internal, this.#source);
    try {
      const packed = this.#pack(operations!, options);
      this.#source.writer.handOver();
      return writePacked(this.#source.native, packed, options?.consistency, options?.timeout);
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
    this.#source.writer.handOver();
    writePackedSync(this.#source.native, packed, options?.consistency, options?.timeout);
  }

  #pack(operations: readonly BatchOperation<any, any>[], options: EncodingOptions | undefined) {
    if (options !== undefined) checkOptions(options, WRITE);
    return packList(this.#source, operations, options);
  }

  /** How many entries `entries` with these options gives: exact, and as much work as walking over their keys. Rejects as `get`. */
  async count<K extends Encoding = KE>(options?: ScanOptions<K, any>): Promise<number> {
    return this.#measure('count', options);
  }

  /**
   * About how many bytes of tables on disk the entries take that `entries` with these options gives; reads no entries. What is in memory only does not
   * count: `flush` first to have it counted. Rejects as `get`.
   */
  async approximateSize<K extends Encoding = KE>(options?: ScanOptions<K, any>): Promise<number> {
    return this.#measure('approximateSize', options);
  }

  async #measure(figure: 'count' | 'approximateSize', options: ScanOptions<any, any> | undefined): Promise<number> {
    if (options !== undefined) checkScanOptions(options);
    options?.signal?.throwIfAborted();
    const bounds = boundsOf(options ?? {}, checkEncoding('keyEncoding', options?.keyEncoding, this.#source.keyEncoding));
    const { native, target } = this.#source;
    const found = await ask<number>((ticket) => native[figure](ticket, target, ...bounds));
    options?.signal?.throwIfAborted();
    return found;
  }

  /**
   * Loads entries whose keys rise strictly straight into tables: much cheaper than writing them. All of them become visible at once, newer than every
   * commit before, and are on stable storage when the promise resolves with their number. Takes an iterable or an async one; what it throws comes
   * through. Where it rejects nothing is changed: `InvalidArgument` (keys that do not rise, too long), `ReadOnly`, `NoSpace`, `Halted`, `Closed`, `Io`.
   *
   * ```js
   * await db.ingest(new Map([['a', '1'], ['b', '2']]));
   * ```
   */
  async ingest<K extends Encoding = KE, V extends Encoding = VE>(
    entries: Iterable<readonly [Encodable<K>, Encodable<V>]> | AsyncIterable<readonly [Encodable<K>, Encodable<V>]>,
    options?: EncodingOptions<K, V>,
  ): Promise<number> {
    if (options !== undefined) checkOptions(options, READ);
    const keyEncoding = checkEncoding('keyEncoding', options?.keyEncoding, this.#source.keyEncoding);
    const valueEncoding = checkEncoding('valueEncoding', options?.valueEncoding, this.#source.valueEncoding);
    return ingest(this.#source, entries, keyEncoding, valueEncoding);
  }

  /** Takes a snapshot of what is visible now. Throws `Closed`. */
  snapshot(): Snapshot<KE, VE> {
    return new Snapshot(internal, this.#source);
  }

  /** Begins a transaction, to be committed or aborted by the caller. Throws `TooMany`, `Closed`, `Halted`. */
  beginTransaction(options?: TransactionOptions): Transaction<KE, VE> {
    return new Transaction(internal, this.#source, options);
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
        const pause = isConflict ? this.#source.native.pause(attempt) : undefined;
        if (pause === undefined) throw error;
        // A timer takes a millisecond at least; the first losers go on at once.
        if (pause >= 1) await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }
  }
}
