import { checkEncoding, decodeBytes, decodeKey, decodeText, encode, type Encodable, type Encoding } from './encoding';
import { closed, invalid } from './error';
import { checkInternal, internal, makeDisposable, unwatch, watch, type Owner } from './lifetime';
import { Form, Word } from './generated';
import { makeRoom, slab, words } from './memory';
import type { Bytes, GivenPage, NativeBounds, NativeDatabase } from './native';
import { ask } from './settle';

/** A bound of a scan: strings and bytes where the options name no encoding. */
export type Bound<E extends Encoding> = [E] extends [never] ? string | Uint8Array : Encodable<E>;

/** The encoding of a call, or that of the database where the call names none. */
export type Chosen<E extends Encoding, Otherwise extends Encoding> = [E] extends [never] ? Otherwise : E;

/**
 * Which entries a scan gives, in what order and how many. The parameters are the encodings that the options name, if they name any:
 * `ScanOptions<'utf8'>` has a `keyEncoding`.
 */
export interface ScanOptions<KE extends Encoding = never, VE extends Encoding = never> {
  /** Keys behind this one. */
  gt?: Bound<KE>;
  /** This key and those behind it. */
  gte?: Bound<KE>;
  /** Keys in front of this one. */
  lt?: Bound<KE>;
  /** This key and those in front of it. */
  lte?: Bound<KE>;
  /** Of these, keys whose bytes start so. */
  prefix?: string | Uint8Array;
  /** From the last to the first. */
  reverse?: boolean;
  /** At most so many. */
  limit?: number;
  /** Encoding of the keys that are given, and of the bounds. Default: as the database was opened. */
  keyEncoding?: KE;
  /** Encoding of the values. Default: as the database was opened. */
  valueEncoding?: VE;
  /** Ends the scan with the signal's reason. */
  signal?: AbortSignal;
}

/** @internal */
export type Kind = 'entries' | 'keys' | 'values';

const BOTH = Form.TextKeys | Form.TextValues;

/** @internal */
export function boundsOf(options: ScanOptions<any, any>, keyEncoding: Encoding): NativeBounds {
  const bound = (key: unknown): Bytes | undefined => (key === undefined ? undefined : encode(key, keyEncoding));
  const { gt, gte, lt, lte, prefix, reverse, limit } = options;
  return [bound(gt), bound(gte), bound(lt), bound(lte), prefix, reverse, limit];
}

/**
 * Entries in key order, as of the call that made it. For `for await`, which never keeps the event loop waiting, and for `for…of`, which
 * reads on this thread; each takes what is left. Leaving a loop early closes the scan. An error is thrown, and thrown again by every later
 * step: a scan never ends short. Once its database is closed every step throws `Closed`.
 */
export class Scan<T> implements AsyncIterable<T>, Iterable<T> {
  declare [Symbol.dispose]: () => void;
  declare [Symbol.asyncDispose]: () => Promise<void>;

  readonly #native: NativeDatabase;
  readonly #owner: Owner;
  readonly #kind: Kind;
  readonly #keyEncoding: Encoding;
  readonly #valueEncoding: Encoding;
  readonly #form: number;
  readonly #signal: AbortSignal | undefined;
  readonly #number: number;
  /** Raw parts of the page: text, or Buffers; which of them the kind asks for. */
  #keys: unknown[] = [];
  #values: unknown[] = [];
  #at = 0;
  #count = 0;
  #state: 'open' | 'ended' | 'closed' = 'open';
  #failure: { error: unknown } | undefined;
  #filling: Promise<void> | undefined;

  /** @internal */
  constructor(
    token: typeof internal,
    native: NativeDatabase,
    owner: Owner,
    target: number,
    kind: Kind,
    options: ScanOptions<any, any>,
    keyEncoding: Encoding,
    valueEncoding: Encoding,
  ) {
    checkInternal(token, 'db.entries()');
    this.#native = native;
    this.#owner = owner;
    this.#kind = kind;
    this.#keyEncoding = checkEncoding('keyEncoding', options.keyEncoding, keyEncoding);
    this.#valueEncoding = checkEncoding('valueEncoding', options.valueEncoding, valueEncoding);
    this.#form = wantedForm(kind, this.#keyEncoding, this.#valueEncoding);
    this.#signal = options.signal;
    const number = native.scan(target, ...boundsOf(options, this.#keyEncoding));
    this.#number = number;
    watch(this, native, 'endScan', number);
  }

  /** For `for…of`. */
  [Symbol.iterator](): IterableIterator<T> {
    return {
      next: () => this.#next(),
      return: (value?: unknown) => {
        this.close();
        return { done: true, value } as IteratorReturnResult<any>;
      },
      [Symbol.iterator]() {
        return this;
      },
    };
  }

  /** For `for await`. */
  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    return {
      next: () => this.#nextAsync(),
      return: async (value?: unknown) => {
        this.close();
        return { done: true, value } as IteratorReturnResult<any>;
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  /** All that is left, in an array. */
  async all(): Promise<T[]> {
    const all: T[] = [];
    for (;;) {
      const step = await this.#nextAsync();
      if (step.done) return all;
      all.push(step.value);
      while (this.#at < this.#count && this.#isFine()) all.push(this.#take());
    }
  }

  /** Lets go of what the scan holds. Every later step throws `Closed`. Closing again does nothing. */
  close(): void {
    if (this.#state === 'open') this.#end();
    this.#state = 'closed';
    this.#keys = this.#values = [];
    this.#at = this.#count = 0;
  }

  #end(): void {
    this.#state = 'ended';
    unwatch(this);
    if (!this.#owner.isClosed) this.#native.endScan(this.#number);
  }

  #fail(error: unknown): never {
    this.#failure = { error };
    if (this.#state === 'open') this.#end();
    throw error;
  }

  /** Whether the next step may give an entry of the page. */
  #isFine(): boolean {
    return this.#failure === undefined && !this.#owner.isClosed && !this.#signal?.aborted;
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.#owner.isClosed) this.#fail(closed('database'));
    if (this.#state === 'closed') throw closed('scan');
    if (this.#signal?.aborted) this.#fail(this.#signal.reason);
  }

  #next(): IteratorResult<T> {
    this.#check();
    if (this.#at === this.#count && this.#state === 'open') {
      if (this.#filling !== undefined) throw invalid('a step of this scan is under way');
      try {
        makeRoom();
        this.#load(this.#native.fill(this.#number, this.#form, this.#kind !== 'keys'));
      } catch (error) {
        this.#fail(error);
      }
    }
    return this.#at === this.#count ? { done: true, value: undefined } : { done: false, value: this.#take() };
  }

  #nextAsync(): Promise<IteratorResult<T>> {
    if (this.#at < this.#count && this.#isFine() && this.#filling === undefined) {
      try {
        return Promise.resolve({ done: false, value: this.#take() });
      } catch (error) {
        return Promise.reject(error);
      }
    }
    return this.#turn();
  }

  async #turn(): Promise<IteratorResult<T>> {
    for (;;) {
      // Steps that are asked for together take their turns.
      while (this.#filling !== undefined) await this.#filling;
      this.#check();
      // A page that a step of `for…of` has emptied meanwhile is not the end.
      if (this.#at < this.#count || this.#state !== 'open') break;
      const filling = ask<void, GivenPage>(
        (ticket) => this.#native.fillAsync(ticket, this.#number, this.#form, this.#kind !== 'keys'),
        (page) => this.#load(page),
      ).catch((error: unknown) => {
        this.#failure = { error };
        if (this.#state === 'open') this.#end();
      });
      this.#filling = filling;
      await filling;
      this.#filling = undefined;
    }
    return this.#at === this.#count ? { done: true, value: undefined } : { done: false, value: this.#take() };
  }

  /** The next entry of the page. Throws what is not in its encoding. */
  #take(): T {
    const at = this.#at++;
    try {
      switch (this.#kind) {
        case 'keys':
          return this.#keyAt(at) as T;
        case 'values':
          return this.#valueAt(at) as T;
        default:
          return [this.#keyAt(at), this.#valueAt(at)] as T;
      }
    } catch (error) {
      return this.#fail(error);
    }
  }

  // JSON is parsed at the step that gives it, so that a bad value comes behind the entries in front of it.

  #keyAt(at: number): unknown {
    const raw = this.#keys[at];
    return this.#keyEncoding === 'json' ? decodeKey(raw as string) : raw;
  }

  #valueAt(at: number): unknown {
    const raw = this.#values[at];
    return this.#valueEncoding === 'json' ? decodeText(raw as string, 'json', this.#keys[at]) : raw;
  }

  /** Takes a page apart. It lies in shared memory, so this is done at once. */
  #load(given: GivenPage): void {
    if (this.#state === 'closed') return;
    const count = words[Word.Count]!;
    this.#at = 0;
    this.#count = count;
    const keys: unknown[] = (this.#keys = []);
    const values: unknown[] = (this.#values = []);
    if (count === 0) {
      this.#end();
      return;
    }
    const { text, bytes, start, form } = partsOf(given);
    // The error of a value that is not JSON names its key.
    const kind = this.#kind === 'values' && this.#valueEncoding === 'json' ? 'entries' : this.#kind;
    if (form === BOTH) {
      loadText(text, count, kind, keys, values);
      return;
    }
    if (form === 0 && this.#form === 0) {
      loadBuffers(bytes, start, count, kind, keys, values);
      return;
    }
    const [keyEncoding, valueEncoding] = [rawEncoding(this.#keyEncoding), rawEncoding(this.#valueEncoding)];
    const [areKeysText, areValuesText] = [(form & Form.TextKeys) !== 0, (form & Form.TextValues) !== 0];
    let [textAt, bytesAt] = [0, start];
    for (let i = 0; i < count; i++) {
      const keyEnd = words[Word.Ends + 2 * i]!;
      if (areKeysText) {
        if (kind !== 'values') keys.push(text.slice(textAt, keyEnd));
        textAt = keyEnd;
      } else {
        if (kind !== 'values') keys.push(decodeBytes(bytes, bytesAt, start + keyEnd, keyEncoding));
        bytesAt = start + keyEnd;
      }
      const valueEnd = words[Word.Ends + 2 * i + 1]!;
      if (areValuesText) {
        if (kind !== 'keys') values.push(text.slice(textAt, valueEnd));
        textAt = valueEnd;
      } else {
        if (kind !== 'keys') values.push(decodeBytes(bytes, bytesAt, start + valueEnd, valueEncoding));
        bytesAt = start + valueEnd;
      }
    }
  }
}

makeDisposable(
  Scan,
  function () {
    this.close();
  },
  async function () {
    this.close();
  },
);

/** JSON stays text until its step. */
function rawEncoding(encoding: Encoding): Encoding {
  return encoding === 'json' ? 'utf8' : encoding;
}

function wantedForm(kind: Kind, keyEncoding: Encoding, valueEncoding: Encoding): number {
  const [keys, values] = [keyEncoding !== 'buffer', valueEncoding !== 'buffer'];
  // What is not asked for goes with the rest.
  if (kind === 'keys') return keys ? BOTH : 0;
  if (kind === 'values') return values ? BOTH : 0;
  return (keys ? Form.TextKeys : 0) | (values ? Form.TextValues : 0);
}

function partsOf(given: GivenPage): { text: string; bytes: Buffer; start: number; form: number } {
  const form = words[Word.Form]!;
  const start = form & Form.InSlab ? words[Word.Start]! : 0;
  const [text, bytes] = Array.isArray(given) ? given : typeof given === 'string' ? [given, slab] : ['', given ?? slab];
  return { text, bytes, start, form: form & BOTH };
}

/** Keys and values by turns in one string. */
function loadText(text: string, count: number, kind: Kind, keys: unknown[], values: unknown[]): void {
  let at = 0;
  for (let i = 0; i < count; i++) {
    const keyEnd = words[Word.Ends + 2 * i]!;
    const valueEnd = words[Word.Ends + 2 * i + 1]!;
    if (kind !== 'values') keys.push(text.slice(at, keyEnd));
    if (kind !== 'keys') values.push(text.slice(keyEnd, valueEnd));
    at = valueEnd;
  }
}

/** Keys and values by turns in one Buffer. */
function loadBuffers(bytes: Buffer, start: number, count: number, kind: Kind, keys: unknown[], values: unknown[]): void {
  let at = start;
  for (let i = 0; i < count; i++) {
    const keyEnd = start + words[Word.Ends + 2 * i]!;
    const valueEnd = start + words[Word.Ends + 2 * i + 1]!;
    if (kind !== 'values') keys.push(bytes.subarray(at, keyEnd));
    if (kind !== 'keys') values.push(bytes.subarray(keyEnd, valueEnd));
    at = valueEnd;
  }
}
