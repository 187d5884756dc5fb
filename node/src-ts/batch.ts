import { checkEncoding, encode, type Encodable, type Encoding, type EncodingOptions } from './encoding';
import { closed } from './error';
import type { Consistency } from './generated';
import { checkInternal, internal } from './lifetime';
import type { NativeDatabase } from './native';
import { ADD, checkOptions, COMMIT } from './options';
import { PackedWrites } from './pack';
import { writePacked, type Writer } from './writer';

/** Bytes for which a batch has room at first. */
const SMALL_LENGTH = 1024;

/** One write of a batch. */
export type BatchOperation<KE extends Encoding = 'buffer', VE extends Encoding = 'buffer'> =
  | { type: 'put'; key: Encodable<KE>; value: Encodable<VE> }
  | { type: 'del'; key: Encodable<KE> };

/** How a write is made. */
export interface WriteOptions {
  /** How far it has got when the promise resolves. Default: the level that the database was opened with. */
  consistency?: Consistency;
}

/** @internal Packs the operations of a list. */
export function packList(
  operations: readonly BatchOperation<any, any>[],
  keyEncoding: Encoding,
  valueEncoding: Encoding,
): PackedWrites {
  if (!Array.isArray(operations)) throw new TypeError('a batch is an array of operations');
  const packed = new PackedWrites(SMALL_LENGTH);
  for (const operation of operations as BatchOperation<any, any>[]) {
    const type: unknown = operation?.type;
    if (operation?.type === 'put') {
      packed.put(encode(operation.key, keyEncoding), encode(operation.value, valueEncoding));
    } else if (operation?.type === 'del') {
      packed.delete(encode(operation.key, keyEncoding));
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

  readonly #native: NativeDatabase;
  readonly #writer: Writer;
  #packed = new PackedWrites(SMALL_LENGTH);
  #isClosed = false;
  readonly #keyEncoding: Encoding;
  readonly #valueEncoding: Encoding;

  /** @internal */
  constructor(
    token: typeof internal,
    native: NativeDatabase,
    writer: Writer,
    keyEncoding: Encoding,
    valueEncoding: Encoding,
  ) {
    checkInternal(token, 'db.batch()');
    this.#native = native;
    this.#writer = writer;
    this.#keyEncoding = keyEncoding;
    this.#valueEncoding = valueEncoding;
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
    options?: EncodingOptions<K, V>,
  ): this {
    if (options !== undefined) checkOptions(options, ADD);
    const keyEncoding = checkEncoding('keyEncoding', options?.keyEncoding, this.#keyEncoding);
    const valueEncoding = checkEncoding('valueEncoding', options?.valueEncoding, this.#valueEncoding);
    this.#open().put(encode(key, keyEncoding), encode(value, valueEncoding));
    return this;
  }

  /** Adds a delete; an absent key is no error. */
  del<K extends Encoding = KE>(key: Encodable<K>, options?: { keyEncoding?: K }): this {
    if (options !== undefined) checkOptions(options, ADD);
    this.#open().delete(encode(key, checkEncoding('keyEncoding', options?.keyEncoding, this.#keyEncoding)));
    return this;
  }

  /** Takes all writes out. */
  clear(): this {
    this.#packed.clear();
    return this;
  }

  /** Applies the writes. The batch is empty at once; if they fail they are back in it, unless it has others by then. */
  async write(options?: WriteOptions): Promise<void> {
    if (options !== undefined) checkOptions(options, COMMIT);
    const writes = this.#open();
    this.#packed = new PackedWrites(SMALL_LENGTH);
    try {
      this.#writer.handOver();
      await writePacked(this.#native, writes, options?.consistency);
    } catch (error) {
      if (this.#packed.count === 0) this.#packed = writes;
      throw error;
    }
  }

  /** The same on this thread. If it throws, the batch is as before. */
  writeSync(options?: WriteOptions): void {
    if (options !== undefined) checkOptions(options, COMMIT);
    const writes = this.#open();
    this.#writer.handOver();
    this.#native.writeSync(writes.buffer, writes.length, options?.consistency);
    writes.clear();
  }

  /** Lets the writes go; every later call but `clear` throws `Closed`. Closing again does nothing. */
  close(): void {
    this.#isClosed = true;
    this.#packed = new PackedWrites(0);
  }
}
