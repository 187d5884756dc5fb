// Writes and keys, packed as the native library takes them.

import { types } from 'node:util';

import { invalid } from './error';
import { Packing } from './generated';
import { native, type Bytes } from './native';

const FIRST_LENGTH = 64 * 1024;
/** A larger buffer is not kept for later. */
const KEPT_LENGTH = 1024 * 1024;
/** Shorter strings are written by character. */
const SHORT_TEXT = 24;
/** Shorter arrays are written by byte. */
const SHORT_BYTES = 32;

const lengthGetter = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), 'length')!.get!;

/** The true length: a `length` of the user's own may say anything, and run anything. */
function lengthOf(bytes: Uint8Array): number {
  return lengthGetter.call(bytes) as number;
}

/** `String.prototype.isWellFormed`, where the runtime has it. */
const isWellFormed = (String.prototype as { isWellFormed?: (this: string) => boolean }).isWellFormed;

/** Refuses text that another one has the UTF-8 of: a lone surrogate would become `U+FFFD`. */
function checkSurrogates(text: string): string {
  if (isWellFormed === undefined ? !/\p{Surrogate}/u.test(text) : isWellFormed.call(text)) return text;
  throw invalid('a string with a lone surrogate has no UTF-8');
}

/** A growing run of packed items. */
class Packed {
  buffer: Buffer;
  length = 0;

  constructor(room = FIRST_LENGTH) {
    this.buffer = Buffer.allocUnsafeSlow(room);
  }

  protected reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.buffer.length));
    this.buffer.copy(grown, 0, 0, this.length);
    this.buffer = grown;
  }

  /** Starts anew. */
  clear(): void {
    this.length = 0;
    if (this.buffer.length > KEPT_LENGTH) this.buffer = Buffer.allocUnsafeSlow(FIRST_LENGTH);
  }

  protected writeLength(at: number, length: number): void {
    const { buffer } = this;
    buffer[at] = length;
    buffer[at + 1] = length >>> 8;
    buffer[at + 2] = length >>> 16;
    buffer[at + 3] = length >>> 24;
  }

  /** Writes bytes at the end, where there is room for them; gives their number. Throws for a lone surrogate. */
  protected writeBytes(bytes: Bytes, at: number): number {
    const { buffer } = this;
    if (typeof bytes === 'string') {
      const { length } = bytes;
      if (length > SHORT_TEXT) return buffer.write(checkSurrogates(bytes), at, 'utf8');
      for (let i = 0; i < length; i++) {
        const code = bytes.charCodeAt(i);
        if (code > 127) return buffer.write(checkSurrogates(bytes), at, 'utf8');
        buffer[at + i] = code;
      }
      return length;
    }
    const length = lengthOf(bytes);
    if (length > SHORT_BYTES) {
      buffer.set(bytes, at);
    } else {
      for (let i = 0; i < length; i++) buffer[at + i] = bytes[i]!;
    }
    return length;
  }
}

/** At most so many bytes are written for it. Throws what is neither a string nor a `Uint8Array`. */
function bound(bytes: unknown, what: string, limit: number): number {
  if (typeof bytes === 'string') {
    // Three bytes for a unit of UTF-16, counted where that might be too much.
    return bytes.length * 3 <= limit ? bytes.length * 3 : check(Buffer.byteLength(bytes), what, limit);
  }
  if (bytes instanceof Uint8Array || types.isUint8Array(bytes)) return check(lengthOf(bytes), what, limit);
  throw new TypeError(`a ${what} is a string or a Uint8Array`);
}

function check(length: number, what: string, limit: number): number {
  if (length <= limit) return length;
  throw invalid(`a ${what} of ${length} bytes: at most ${limit} are allowed`);
}

/** Where packed writes go: a database, or a keyspace of it. */
interface Place {
  readonly target: number;
}

/**
 * Packed writes: `kind u8 | key length u32 | value length u32 | key | value`, little endian; of kind `Choose`, the index of a place stands for the
 * key's length. A write that is refused leaves them as they were.
 */
export class PackedWrites extends Packed {
  count = 0;
  /** The first is where writes go that choose no other. Keeps them from being forgotten. */
  readonly #places: Place[];
  #chosen = 0;

  constructor(place: Place, room?: number) {
    super(room);
    this.#places = [place];
  }

  /** What the native library takes for the places. */
  get stores(): number[] | undefined {
    const places = this.#places;
    return places.length === 1 && places[0]!.target === 0 ? undefined : places.map(({ target }) => target);
  }

  /** Starts anew, with another first place. */
  restart(place: Place): void {
    this.clear();
    this.#places[0] = place;
  }

  /** The writes that follow go there. */
  choose(place: Place): void {
    if (this.#places[this.#chosen] === place) return;
    let index = this.#places.indexOf(place);
    if (index < 0) index = this.#places.push(place) - 1;
    this.reserve(Packing.HeaderLength);
    this.buffer[this.length] = Packing.Choose;
    this.writeLength(this.length + 1, index);
    this.writeLength(this.length + 5, 0);
    this.length += Packing.HeaderLength;
    this.#chosen = index;
  }

  put(key: Bytes, value: Bytes): void {
    const room = bound(key, 'key', native.maxKeyLength) + bound(value, 'value', native.maxValueLength);
    this.add(Packing.Put, key, value, room);
  }

  delete(key: Bytes): void {
    this.add(Packing.Delete, key, '', bound(key, 'key', native.maxKeyLength));
  }

  private add(kind: number, key: Bytes, value: Bytes, room: number): void {
    this.reserve(Packing.HeaderLength + room);
    const at = this.length;
    this.buffer[at] = kind;
    const keyLength = this.writeBytes(key, at + Packing.HeaderLength);
    const valueLength = this.writeBytes(value, at + Packing.HeaderLength + keyLength);
    this.writeLength(at + 1, keyLength);
    this.writeLength(at + 5, valueLength);
    this.length = at + Packing.HeaderLength + keyLength + valueLength;
    this.count += 1;
  }

  override clear(): void {
    super.clear();
    this.count = 0;
    this.#places.length = 1;
    this.#chosen = 0;
  }
}

/** Packed keys, or keys and values by turns. */
export class PackedKeys extends Packed {
  add(key: Bytes): void {
    this.#add(key, bound(key, 'key', native.maxKeyLength));
  }

  addValue(value: Bytes): void {
    this.#add(value, bound(value, 'value', native.maxValueLength));
  }

  #add(bytes: Bytes, room: number): void {
    this.reserve(4 + room);
    const length = this.writeBytes(bytes, this.length + 4);
    this.writeLength(this.length, length);
    this.length += 4 + length;
  }
}
