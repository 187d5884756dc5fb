// The writes of a database handle: those of one turn of the event loop are handed over together.

import type { Consistency } from './generated';
import type { Bytes, NativeDatabase } from './native';
import { PackedWrites } from './pack';
import { ask } from './settle';

export class Writer {
  readonly #native: NativeDatabase;
  readonly #packed = new PackedWrites();
  #level: Consistency | undefined;
  /** Settles with what has been packed. */
  #promise: Promise<void> | undefined;
  #start: ((outcome: Promise<void>) => void) | undefined;
  readonly #handOver = () => this.handOver();

  constructor(native: NativeDatabase) {
    this.#native = native;
  }

  put(key: Bytes, value: Bytes, level: Consistency | undefined): Promise<void> {
    try {
      if (level !== this.#level) this.#change(level);
      this.#packed.put(key, value);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#promise ?? this.#begin();
  }

  delete(key: Bytes, level: Consistency | undefined): Promise<void> {
    try {
      if (level !== this.#level) this.#change(level);
      this.#packed.delete(key);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#promise ?? this.#begin();
  }

  putSync(key: Bytes, value: Bytes, level: Consistency | undefined): void {
    this.handOver();
    this.#packed.put(key, value);
    this.#writeSync(level);
  }

  deleteSync(key: Bytes, level: Consistency | undefined): void {
    this.handOver();
    this.#packed.delete(key);
    this.#writeSync(level);
  }

  #writeSync(level: Consistency | undefined): void {
    try {
      this.#native.writeSync(this.#packed.buffer, this.#packed.length, level);
    } finally {
      this.#packed.clear();
    }
  }

  #change(level: Consistency | undefined): void {
    this.handOver();
    this.#level = level;
  }

  /** One promise for all writes of the turn: they are committed together. */
  #begin(): Promise<void> {
    queueMicrotask(this.#handOver);
    return (this.#promise = new Promise((resolve) => (this.#start = resolve)));
  }

  /** Gives to the commit thread what has been packed: before anything that must come behind it. */
  handOver(): void {
    const start = this.#start;
    if (start === undefined) return;
    this.#promise = this.#start = undefined;
    start(writePacked(this.#native, this.#packed, this.#level));
    this.#packed.clear();
  }
}

/** Commits packed writes, which may be cleared right afterwards. */
export function writePacked(
  native: NativeDatabase,
  packed: PackedWrites,
  level: Consistency | undefined,
): Promise<void> {
  return ask((ticket) => native.write(ticket, packed.buffer, packed.length, level));
}
