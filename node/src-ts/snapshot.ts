import type { Encoding } from './encoding';
import { checkInternal, internal, makeDisposable, unwatch, watch } from './lifetime';
import type { Keyspace } from './keyspace';
import { keyspaceOf, Reader, through, type Source } from './reader';

/**
 * The database as it was when the snapshot was taken. Never changes and blocks nobody; keeps old versions on disk until it is
 * closed or forgotten. It spans the keyspaces: `keyspace` gives the same instant of another one.
 */
export class Snapshot<KE extends Encoding = 'buffer', VE extends Encoding = 'buffer'> extends Reader<KE, VE> {
  declare [Symbol.dispose]: () => void;
  declare [Symbol.asyncDispose]: () => Promise<void>;

  readonly #source: Source;
  readonly #target: number;
  /** The snapshot that this is a view of. A view keeps it from being forgotten. */
  readonly #whole: Snapshot<any, any> | undefined;

  /** @internal */
  constructor(token: typeof internal, source: Source, of?: Snapshot<any, any>) {
    checkInternal(token, 'db.snapshot()');
    const { native } = source;
    const target = of === undefined ? native.snapshot(source.target) : through(of.#target, source);
    super(source, target);
    this.#source = source;
    this.#target = target;
    this.#whole = of === undefined ? undefined : (of.#whole ?? of);
    watch(this, native, 'end', target);
  }

  /** The same snapshot through a keyspace. Closing the snapshot closes what this gives; that closes alone. Throws `Closed`. */
  keyspace<K extends Encoding, V extends Encoding>(keyspace: Keyspace<K, V>): Snapshot<K, V> {
    return new Snapshot<K, V>(internal, keyspaceOf(keyspace, this.#source), this);
  }

  /** Lets the snapshot go; later calls throw `Closed`, scans that were begun go on. Closing again does nothing. */
  close(): void {
    unwatch(this);
    this.#source.native.end(this.#target);
  }
}

makeDisposable(
  Snapshot,
  function () {
    this.close();
  },
  async function () {
    this.close();
  },
);
