import type { CommitOptions } from './batch';
import { checkEncoding, encode, type Encodable, type Encoding, type EncodingOptions } from './encoding';
import { checkInternal, internal, makeDisposable, unwatch, watch } from './lifetime';
import type { Keyspace } from './keyspace';
import { ADD, BEGIN, checkOptions, COMMIT } from './options';
import { ask } from './settle';
import { keyspaceOf, Reader, through, type Source } from './reader';

/** What is checked at the commit: everything read and scanned, or only keys that both have written. */
export type Isolation = 'serializable' | 'snapshot';

/** How a transaction is begun. */
export interface TransactionOptions {
  /** Default: `'serializable'`. */
  isolation?: Isolation;
}

/**
 * A transaction. Reads see the database as it was at the beginning, and the transaction's own writes. Nothing is visible to others before the
 * commit. It spans the keyspaces. It holds no lock: a commit that finds its reads changed by others rejects with `Conflict`. One that is forgotten is taken back.
 */
export class Transaction<KE extends Encoding = 'buffer', VE extends Encoding = 'buffer'> extends Reader<KE, VE> {
  declare [Symbol.dispose]: () => void;
  declare [Symbol.asyncDispose]: () => Promise<void>;

  readonly #source: Source;
  readonly #target: number;
  /** The transaction that this is a view of. A view keeps it from being forgotten. */
  readonly #whole: Transaction<any, any> | undefined;

  /** @internal */
  constructor(
    token: typeof internal,
    source: Source,
    options: TransactionOptions | undefined,
    of?: Transaction<any, any>,
  ) {
    checkInternal(token, 'db.beginTransaction()');
    if (options !== undefined) checkOptions(options, BEGIN);
    const { native } = source;
    const target =
      of === undefined ? native.begin(source.target, options?.isolation) : through(of.#target, source);
    super(source, target);
    this.#source = source;
    this.#target = target;
    this.#whole = of === undefined ? undefined : (of.#whole ?? of);
    watch(this, native, 'end', target);
  }

  /**
   * The same transaction through a keyspace: one commit for all. `commit` and `abort` of what this gives are those of the whole; its `close` lets go of
   * this view alone. Throws `Closed`.
   */
  keyspace<K extends Encoding, V extends Encoding>(keyspace: Keyspace<K, V>): Transaction<K, V> {
    return new Transaction<K, V>(internal, keyspaceOf(keyspace, this.#source), undefined, this);
  }

  /** Puts a value: in memory, at once. Throws `InvalidArgument` (too long), `Closed`, `Halted`. */
  put<K extends Encoding = KE, V extends Encoding = VE>(
    key: Encodable<K>,
    value: Encodable<V>,
    options?: EncodingOptions<K, V>,
  ): void {
    if (options !== undefined) checkOptions(options, ADD);
    const keyEncoding = checkEncoding('keyEncoding', options?.keyEncoding, this.#source.keyEncoding);
    const valueEncoding = checkEncoding('valueEncoding', options?.valueEncoding, this.#source.valueEncoding);
    this.#source.native.transactionPut(this.#target, encode(key, keyEncoding), encode(value, valueEncoding));
  }

  /** Deletes a key: in memory, at once. An absent key is no error. */
  del<K extends Encoding = KE>(key: Encodable<K>, options?: { keyEncoding?: K }): void {
    if (options !== undefined) checkOptions(options, ADD);
    const keyEncoding = checkEncoding('keyEncoding', options?.keyEncoding, this.#source.keyEncoding);
    this.#source.native.transactionDelete(this.#target, encode(key, keyEncoding));
  }

  /**
   * Commits. Whatever the outcome, the transaction has ended (but for a level that there is none of). Rejects with `Conflict` if what
   * it has read was changed.
   */
  commit(options?: CommitOptions): Promise<void> {
    if (this.#whole !== undefined) return this.#whole.commit(options);
    this.#source.writer.handOver();
    return ask((ticket) => {
      if (options !== undefined) checkOptions(options, COMMIT);
      this.#source.native.commit(ticket, this.#target, options?.consistency);
      unwatch(this);
    });
  }

  /** The same on this thread. */
  commitSync(options?: CommitOptions): void {
    if (options !== undefined) checkOptions(options, COMMIT);
    if (this.#whole !== undefined) return this.#whole.commitSync(options);
    this.#source.writer.handOver();
    this.#source.native.commitSync(this.#target, options?.consistency);
    unwatch(this);
  }

  /** Takes everything back. Throws `Closed` if the transaction has ended. */
  abort(): void {
    if (this.#whole !== undefined) return this.#whole.abort();
    this.#source.native.abort(this.#target);
    unwatch(this);
  }

  /** As `abort`, and does nothing if the transaction has ended. */
  close(): void {
    unwatch(this);
    this.#source.native.end(this.#target);
  }
}

makeDisposable(
  Transaction,
  function () {
    this.close();
  },
  async function () {
    this.close();
  },
);
