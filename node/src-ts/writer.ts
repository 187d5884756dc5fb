// The writes of a database handle and its keyspaces: those of one turn of the event loop are handed over together.

import type { Consistency } from './generated';
import type { Bytes, NativeDatabase } from './native';
import { PackedWrites } from './pack';
import type { Source } from './reader';
import { ask } from './settle';

/** How a write is made. */
export interface How {
  consistency?: Consistency;
  timeout?: number;
}

export class Writer {
  readonly #native: NativeDatabase;
  readonly #packed = new PackedWrites({ target: 0 });
  /** What the packed writes have in common. */
  #source: Source | undefined;
  #level: Consistency | undefined;
  #timeout: number | undefined;
  /** Settles with what has been packed. */
  #promise: Promise<void> | undefined;
  #start: ((outcome: Promise<void>) => void) | undefined;
  readonly #handOver = () => this.handOver();

  constructor(native: NativeDatabase) {
    this.#native = native;
  }

  put(source: Source, key: Bytes, value: Bytes, how: How | undefined): Promise<void> {
    try {
      this.#prepare(source, how);
      this.#packed.put(key, value);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#promise ?? this.#begin();
  }

  delete(source: Source, key: Bytes, how: How | undefined): Promise<void> {
    try {
      this.#prepare(source, how);
      this.#packed.delete(key);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#promise ?? this.#begin();
  }

  putSync(source: Source, key: Bytes, value: Bytes, how: How | undefined): void {
    this.handOver();
    this.#prepare(source, how);
    this.#packed.put(key, value);
    this.#writeSync();
  }

  deleteSync(source: Source, key: Bytes, how: How | undefined): void {
    this.handOver();
    this.#prepare(source, how);
    this.#packed.delete(key);
    this.#writeSync();
  }

  #writeSync(): void {
    try {
      writePackedSync(this.#native, this.#packed, this.#level, this.#timeout);
    } finally {
      this.#packed.clear();
    }
  }

  /** Writes of another keyspace, level or timeout do not share the fate of those in front of them. */
  #prepare(source: Source, how: How | undefined): void {
    const level = how?.consistency;
    const timeout = how?.timeout;
    if (source === this.#source && level === this.#level && timeout === this.#timeout) return;
    this.handOver();
    this.#packed.restart(source);
    this.#source = source;
    this.#level = level;
    this.#timeout = timeout;
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
    start(writePacked(this.#native, this.#packed, this.#level, this.#timeout));
    this.#packed.clear();
  }
}

/** Commits packed writes, which may be cleared right afterwards. */
export function writePacked(
  native: NativeDatabase,
  packed: PackedWrites,
  level: Consistency | undefined,
  timeout: number | undefined,
): Promise<void> {
  return ask((ticket) => native.write(ticket, packed.buffer, packed.length, level, timeout, packed.stores));
}

/** The same on this thread. */
export function writePackedSync(
  native: NativeDatabase,
  packed: PackedWrites,
  level: Consistency | undefined,
  timeout: number | undefined,
): void {
  native.writeSync(packed.buffer, packed.length, level, timeout, packed.stores);
}
