import { checkEncoding, encode, type Encodable, type Encoding, type EncodingOptions } from './encoding';
import { closed } from './error';
import type { Consistency } from './generated';
import { checkInternal, internal } from './lifetime';
import type { Keyspace } from './keyspace';
import { ADD_TO_BATCH, checkOptions, WRITE_BATCH } from './options';
import { PackedWrites } from './pack';
import { keyspaceOf, type Source } from './reader';
import { writePacked, writePackedSync } from './writer';

/** Bytes for which a batch has room at first. */
const SMALL_LENGTH = 1024;

/** One write of a batch; one that names a keyspace goes there, with key and value in that one's encodings unless the call names others. */
export type BatchOperation<KE extends Encoding = 'buffer', VE extends Encoding = 'buffer'> =
  | { type: 'put'; key: Encodable<KE>; value: Encodable<VE>; keyspace?: undefined }
  | { type: 'del'; key: Encodable<KE>; keyspace?: undefined }
  | { type: 'put'; key: any; value: any; keyspace: Keyspace<any, any> }
  | { type: 'del'; key: any; keyspace: Keyspace<any, any> };

/** How a commit is made. */
export interface CommitOptions {
  /** How far it has got when the promise resolves. Default: the level that the database was opened with. */
  consistency?: Consistency;
}

/** How a write is made. */
export interface WriteOptions extends CommitOptions {
  /**
   * Milliseconds from the call on that it waits at most while flush and compaction are behind: `TimedOut` then, and nothing is written. The sync
   * is waited for all the same, and the turn in the queue. Default: as long as it takes.
   */
  timeout?: number;
}

/** How a put is added to a batch. */
export interface AddOptions<KE extends Encoding = Encoding, VE extends Encoding = Encoding> extends EncodingOptions<KE, VE> {
  /** Where it goes. Default: where the batch was made. */
  keyspace?: Keyspace<KE, VE>;
}

/** @internal Packs the operations of a list. */
export function packList(
  own: Source,
  operations: readonly BatchOperation<any, any>[],
  options: EncodingOptions | undefined,
): PackedWrites {
  if (!Array.isArray(operations)) throw new TypeError('a batch is an array of operations');
  const keyEncoding = checkEncoding('keyEncoding', options?.keyEncoding, own.keyEncoding);
  const valueEncoding = checkEncoding('valueEncoding', options?.valueEncoding, own.valueEncoding);
  const packed = new PackedWrites(own, SMALL_LENGTH);
  for (const operation of operations as BatchOperation<any, any>[]) {
    const type: unknown = operation?.type;
    let [ofKey, ofValue] = [keyEncoding, valueEncoding];
    if (type === 'put' || type === 'del') {
      const source = operation.keyspace === undefined ? own : keyspaceOf(operation.keyspace, own);
      packed.choose(source);
      if (source !== own) {
        ofKey = options?.keyEncoding ?? source.keyEncoding;
        ofValue = options?.valueEncoding ?? source.valueEncoding;
      }
    }
    if (operation?.type === 'put') {
      packed.put(encode(operation.key, ofKey), encode(operation.value, ofValue));
    } else if (operation?.type === 'del') {
      packed.delete(encode(operation.key, ofKey));
    } else {
      throw new TypeError(`the type of an operation is 'put' or 'del', not ${String(type)}`);
    }
  }
  return packed;
}

/** Writes that are gathered and then applied whole or not at all. */
export class Batch<KE extends Encoding = 'buffer', VE extends Encoding = 'buffer'> {
  /** Of types only: a batch of other encodings is not taken for this one. */
  protected declare readonly encodings: (of: [KE, VE]) => [KE, VE];

  readonly #source: Source;
  #packed: PackedWrites;
  #isClosed = false;

  /** @internal */
  constructor(token: typeof internal, source: Source) {
    checkInternal(token, 'db.batch()');
    this.#source = source;
    this.#packed = new PackedWrites(source, SMALL_LENGTH);
  }

  #sourceOf(keyspace: unknown): Source {
    return keyspace === undefined ? this.#source : keyspaceOf(keyspace, this.#source);
  }

  #open(): PackedWrites {
    if (this.#isClosed) throw closed('batch');
    return this.#packed;
  }

  /** Number of writes. */
  get length(): number {
    return this.#packed.count;
  }

  /** Adds a put. Throws `InvalidArgument` for a key or value that is too long; the batch is then as before. */
  put<K extends Encoding = KE, V extends Encoding = VE>(
    key: Encodable<K>,
    value: Encodable<V>,
    options?: AddOptions<K, V>,
  ): this {
    if (options !== undefined) checkOptions(options, ADD_TO_BATCH);
    const source = this.#sourceOf(options?.keyspace);
    const keyEncoding = checkEncoding('keyEncoding', options?.keyEncoding, source.keyEncoding);
    const valueEncoding = checkEncoding('valueEncoding', options?.valueEncoding, source.valueEncoding);
    const packed = this.#open();
    packed.choose(source);
    packed.put(encode(key, keyEncoding), encode(value, valueEncoding));
    return this;
  }

  /** Adds a delete; an absent key is no error. */
  del<K extends Encoding = KE>(key: Encodable<K>, options?: { keyEncoding?: K; keyspace?: Keyspace<K, any> }): this {
    if (options !== undefined) checkOptions(options, ADD_TO_BATCH);
    const source = this.#sourceOf(options?.keyspace);
    const keyEncoding = checkEncoding('keyEncoding', options?.keyEncoding, source.keyEncoding);
    const packed = this.#open();
    packed.choose(source);
    packed.delete(encode(key, keyEncoding));
    return this;
  }

  /** Takes all writes out. */
  clear(): this {
    this.#packed.clear();
    return this;
  }

  /** Applies the writes. The batch is empty at once; if they fail they are back in it, unless it has others by then. */
  async write(options?: WriteOptions): Promise<void> {
    if (options !== undefined) checkOptions(options, WRITE_BATCH);
    const writes = this.#open();
    this.#packed = new PackedWrites(this.#source, SMALL_LENGTH);
    try {
      this.#source.writer.handOver();
      await writePacked(this.#source.native, writes, options?.consistency, options?.timeout);
    } catch (error) {
      if (this.#packed.count === 0) this.#packed = writes;
      throw error;
    }
  }

  /** The same on this thread. If it throws, the batch is as before. */
  writeSync(options?: WriteOptions): void {
    if (options !== undefined) checkOptions(options, WRITE_BATCH);
    const writes = this.#open();
    this.#source.writer.handOver();
    writePackedSync(this.#source.native, writes, options?.consistency, options?.timeout);
    writes.clear();
  }

  /** Lets the writes go; every later call but `clear` throws `Closed`. Closing again does nothing. */
  close(): void {
    this.#isClosed = true;
    this.#packed = new PackedWrites(this.#source, 0);
  }
}
