import type { Encoding } from './encoding';
import { checkInternal, internal, makeDisposable, unwatch, watch } from './lifetime';
import { Reader, type Source } from './reader';

/**
 * The database as it was when the snapshot was taken. Never changes and blocks nobody; keeps old versions on disk until it is
 * closed or forgotten.
 */
export class Snapshot<KE extends Encoding = 'buffer', VE extends Encoding = 'buffer'> extends Reader<KE, VE> {
  declare [Symbol.dispose]: () => void;
  declare [Symbol.asyncDispose]: () => Promise<void>;

  readonly #source: Source;
  readonly #target: number;

  /** @internal */
  constructor(token: typeof internal, source: Source) {
    checkInternal(token, 'db.snapshot()');
    const { native } = source;
    const target = native.snapshot();
    super(source, target);
    this.#source = source;
    this.#target = target;
    watch(this, native, 'end', target);
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
