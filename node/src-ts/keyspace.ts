import type { Encoding, EncodingOptions } from './encoding';
import type { KeyspaceEngineOptions } from './generated';
import { checkInternal, internal, makeDisposable, unwatch, watch } from './lifetime';
import { addKeyspace, type Source } from './reader';
import { Store } from './store';

/** How a keyspace is made. What is left out is taken from the options of the database, for good. */
export interface KeyspaceOptions<KE extends Encoding = Encoding, VE extends Encoding = Encoding>
  extends KeyspaceEngineOptions,
    EncodingOptions<KE, VE> {}

/**
 * A keyspace (elsewhere: column family) of a database: keys with an order, page size and codec of their own. It reads and writes as a `Database`
 * does. Batches, snapshots and transactions span the keyspaces. Once it is dropped every call is `NotFound`; a scan that runs goes on.
 *
 * ```js
 * const scores = await db.createKeyspace('scores', { comparator: 'decimal' });
 * await scores.put('10', 'ten');
 * await db.batch([
 *   { type: 'put', key: 'last', value: '10' },
 *   { type: 'del', key: '10', keyspace: scores },
 * ]);
 * ```
 */
export class Keyspace<KE extends Encoding = 'buffer', VE extends Encoding = 'buffer'> extends Store<KE, VE> {
  declare [Symbol.dispose]: () => void;
  declare [Symbol.asyncDispose]: () => Promise<void>;

  /** Its name. */
  readonly name: string;
  readonly #source: Source;

  /** @internal */
  constructor(token: typeof internal, of: Source, name: string, keyEncoding: Encoding, valueEncoding: Encoding) {
    checkInternal(token, 'db.keyspace(name)');
    const source: Source = { ...of, target: of.native.keyspace(name), keyEncoding, valueEncoding };
    super(source);
    this.name = name;
    this.#source = source;
    addKeyspace(this, source);
    // What was made from it uses the source and not this handle.
    watch(source, source.native, 'end', source.target);
  }

  /**
   * Lets this handle go; the keyspace stays. Later calls throw `Closed`; snapshots, transactions and scans that were begun go on. Closing again does
   * nothing.
   */
  close(): void {
    this.#source.writer.handOver();
    unwatch(this.#source);
    this.#source.native.end(this.#source.target);
  }
}

makeDisposable(
  Keyspace,
  function () {
    this.close();
  },
  async function () {
    this.close();
  },
);
