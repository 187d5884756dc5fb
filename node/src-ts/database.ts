import { fileURLToPath } from 'node:url';

import { checkEncoding, type Encoding, type EncodingOptions } from './encoding';
import type { EngineOptions, MemoryStats, Metrics } from './generated';
import { Keyspace, type KeyspaceOptions } from './keyspace';
import { checkInternal, internal, makeDisposable, type Owner } from './lifetime';
import { native as library, type NativeDatabase } from './native';
import { checkFunction, checkObject, checkOptions, checkSignal, COMPACT, KEYSPACE } from './options';
import type { Source } from './reader';
import type { CheckOptions, CheckReport } from './report';
import { ask } from './settle';
import { Store } from './store';
import { runTask } from './task';
import { Writer } from './writer';

/** How a database is opened. */
export interface OpenOptions<KE extends Encoding = Encoding, VE extends Encoding = Encoding> extends EngineOptions {
  /**
   * `'rwc'` (the default) makes the database if there is none, `'rw'` wants one that exists. `'r'` wants one that exists, and reads what was committed
   * when it was opened, also while another process has it open: every write is `ReadOnly`.
   */
  mode?: 'rwc' | 'rw' | 'r';
  /** Default: `'buffer'`. */
  keyEncoding?: KE;
  /** Default: `'buffer'`. */
  valueEncoding?: VE;
}

/** How far a compaction has got. */
export interface CompactionProgress {
  /** Bytes of the tables to be read, as far as is known: may rise, never falls. */
  bytes_in: number;
  /** Bytes of them that have been read, or turned out to need no reading: `bytes_in` at the end. */
  bytes_done: number;
  /** Tables written. */
  tables: number;
}

/** Options of a compaction. */
export interface CompactOptions {
  /**
   * Called at the beginning, at the end, and some times a second between. The compaction waits for it, a second at most. `false` stops the
   * compaction, which rejects with `Cancelled`; so does what it throws, which comes through.
   */
  onProgress?: (progress: CompactionProgress) => unknown;
  /** Stops the compaction, which rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** Figures about a database, each taken at its own instant. */
export interface Stats {
  /** An estimate: puts less deletes. A scan counts exactly. */
  total_keys: number;
  /** Bytes of tables and log on disk. */
  total_size: number;
  /** Share of page look-ups that found the page in the cache, 0 to 1. */
  cache_hit_rate: number;
  /** Bytes of pages and rows in the cache. */
  cache_bytes: number;
  /** Bytes of memtables. */
  memtable_bytes: number;
  /** Sets of memtables that wait for their flush. */
  sealed_memtables: number;
  /** Tables in each level. */
  tables_per_level: number[];
  /** Open transactions. */
  active_transactions: number;
  /** Held snapshots, those of transactions included. */
  snapshots: number;
  /** About how many bytes of the tables hold what a scan would give. */
  live_bytes: number;
  /** About how many bytes of the tables hold what nobody can see any more. */
  dead_bytes: number;
  /** About how many of the dead bytes snapshots keep. */
  pinned_bytes: number;
  /** Bytes of tables that are mapped. */
  mapped_bytes: number;
  /** Writes that wait for flush and compaction now. */
  stalled_writes: number;
  /** How many writes have had to wait so far. */
  write_stalls: number;
  /** Seconds that they have waited. */
  write_stall_seconds: number;
  /** What last went wrong in the background. */
  background_error: string | undefined;
}

/**
 * An open database: a folder with ordered keys and values. Keys are up to 65,535 bytes, values up to 1 GiB; both are given as strings
 * (UTF-8) or `Uint8Array`s, or as JSON by encoding.
 *
 * Whatever opens the same folder in this process, workers included, shares one engine; each handle closes on its own. Calls with `Sync` in
 * their name do the work on this thread and throw; the others return promises that reject. Errors are `LightningDbError`s, or `TypeError`s
 * for wrong types. A pending promise keeps the process alive, an open database does not.
 *
 * ```js
 * const db = await Database.open('./mydb', { valueEncoding: 'utf8' });
 * await db.put('hello', 'world');
 * console.log(await db.get('hello'));
 * await db.close();
 * ```
 */
export class Database<KE extends Encoding = 'buffer', VE extends Encoding = 'buffer'> extends Store<KE, VE> {
  declare [Symbol.dispose]: () => void;
  declare [Symbol.asyncDispose]: () => Promise<void>;

  readonly #native: NativeDatabase;
  readonly #source: Source;
  readonly #owner: Owner;
  readonly #writer: Writer;
  #closing: Promise<void> | undefined;

  private constructor(token: typeof internal, native: NativeDatabase, keyEncoding: Encoding, valueEncoding: Encoding) {
    checkInternal(token, 'Database.open(path)');
    const owner = { isClosed: false };
    const writer = new Writer(native);
    const source: Source = { native, owner, writer, target: 0, keyEncoding, valueEncoding };
    super(source);
    this.#native = native;
    this.#owner = owner;
    this.#writer = writer;
    this.#source = source;
  }

  /**
   * Opens the database in a folder. Options that are given again for a folder that is open in this process must be those in force, but in mode `'r'`:
   * each such open has an engine of its own.
   *
   * Rejects with `NotFound` (modes `'rw'` and `'r'`), `Locked` (another process has it), `InvalidArgument` (an option), `NotADatabase`, `Mismatch` (another
   * order of keys), `Corruption`, `UnsupportedVersion`, `PermissionDenied`, `NoSpace`, `Io`; in mode `'r'` with `TimedOut` if the writer changed the files
   * again and again.
   */
  static async open<K extends Encoding = 'buffer', V extends Encoding = 'buffer'>(
    path: string | URL,
    options: OpenOptions<K, V> = {},
  ): Promise<Database<K, V>> {
    const { keyEncoding, valueEncoding, list } = splitOptions(options);
    return ask<Database<K, V>, NativeDatabase>(
      (ticket) => library.open(ticket, pathOf(path), list),
      (native) => new Database<K, V>(internal, native, keyEncoding, valueEncoding),
    );
  }

  /** As `open`, on this thread. */
  static openSync<K extends Encoding = 'buffer', V extends Encoding = 'buffer'>(
    path: string | URL,
    options: OpenOptions<K, V> = {},
  ): Database<K, V> {
    const { keyEncoding, valueEncoding, list } = splitOptions(options);
    return new Database<K, V>(internal, library.openSync(pathOf(path), list), keyEncoding, valueEncoding);
  }

  /**
   * Restores a backup into a folder that is absent or empty, and verifies every byte. Rejects with `NotFound`, `AlreadyExists`,
   * `Corruption`, and as `open`.
   */
  static async restore(source: string | URL, target: string | URL): Promise<void> {
    return ask((ticket) => library.restore(ticket, pathOf(source), pathOf(target)));
  }

  /**
   * Reads every byte of a database that nobody has open, and reports what is wrong. Changes nothing; damage is no error, unless nothing says
   * which database it is. Rejects with `Locked`, `NotFound`, `NotADatabase`, `InvalidArgument`, `Mismatch`, `Corruption`, `Io`.
   */
  static async check(path: string | URL, options: CheckOptions = {}): Promise<CheckReport> {
    const { onProgress, list } = splitCheckOptions(options);
    return runTask((ticket, steps) => library.check(ticket, pathOf(path), list, steps), onProgress);
  }

  /**
   * Checks, and mends what is wrong, also of a database that does not open. What is whole is kept; the report says what is lost. An older
   * value of a lost key may show again. Files that were replaced are moved to the folder `lost` in the database. One that was cut must be run again.
   * Needs room for a second copy of what is written anew. Rejects as `check`, and with `NoSpace`.
   */
  static async repair(path: string | URL, options: CheckOptions = {}): Promise<CheckReport> {
    const { onProgress, list } = splitCheckOptions(options);
    return runTask((ticket, steps) => library.repair(ticket, pathOf(path), list, steps), onProgress);
  }

  /** The folder, without links. */
  get path(): string {
    return this.#native.path;
  }

  /** Whether this handle has not been closed. */
  get isOpen(): boolean {
    return !this.#owner.isClosed;
  }

  /**
   * Makes a keyspace, behind all writes of this handle; it is on stable storage when the promise resolves. The name is 1 to 255 bytes of UTF-8.
   * Rejects with `AlreadyExists`, `InvalidArgument`, `ReadOnly`, `NoSpace`, `Halted`, `Closed`, `Io`.
   */
  async createKeyspace<K extends Encoding = KE, V extends Encoding = VE>(
    name: string,
    options: KeyspaceOptions<K, V> = {},
  ): Promise<Keyspace<K, V>> {
    const { keyEncoding, valueEncoding, list } = splitOptions(options, this.#source);
    this.#writer.handOver();
    await ask((ticket) => this.#native.createKeyspace(ticket, name, list));
    return new Keyspace<K, V>(internal, this.#source, name, keyEncoding, valueEncoding);
  }

  /** As `createKeyspace`, on this thread. */
  createKeyspaceSync<K extends Encoding = KE, V extends Encoding = VE>(
    name: string,
    options: KeyspaceOptions<K, V> = {},
  ): Keyspace<K, V> {
    const { keyEncoding, valueEncoding, list } = splitOptions(options, this.#source);
    this.#writer.handOver();
    this.#native.createKeyspaceSync(name, list);
    return new Keyspace<K, V>(internal, this.#source, name, keyEncoding, valueEncoding);
  }

  /** A handle of a keyspace that exists; `'default'` is the one that the calls of the database use. Rejects with `NotFound`, `Closed`. */
  async keyspace<K extends Encoding = KE, V extends Encoding = VE>(
    name: string,
    options?: EncodingOptions<K, V>,
  ): Promise<Keyspace<K, V>> {
    return this.keyspaceSync<K, V>(name, options);
  }

  /** As `keyspace`, on this thread, which does not have to wait for anything. */
  keyspaceSync<K extends Encoding = KE, V extends Encoding = VE>(
    name: string,
    options?: EncodingOptions<K, V>,
  ): Keyspace<K, V> {
    if (options !== undefined) checkOptions(options, KEYSPACE);
    const { keyEncoding, valueEncoding } = splitOptions(options ?? {}, this.#source);
    return new Keyspace<K, V>(internal, this.#source, name, keyEncoding, valueEncoding);
  }

  /** The names of all keyspaces, sorted; `'default'` is among them. */
  async listKeyspaces(): Promise<string[]> {
    return this.#native.listKeyspaces();
  }

  /** As `listKeyspaces`, on this thread. */
  listKeyspacesSync(): string[] {
    return this.#native.listKeyspaces();
  }

  /**
   * Drops a keyspace with all that is in it, for all its handles, behind all writes of this one. Rejects with `NotFound`, `InvalidArgument` for `'default'`,
   * and as `createKeyspace`.
   */
  async dropKeyspace(name: string): Promise<void> {
    this.#writer.handOver();
    return ask((ticket) => this.#native.dropKeyspace(ticket, name));
  }

  /** As `dropKeyspace`, on this thread. */
  dropKeyspaceSync(name: string): void {
    this.#writer.handOver();
    this.#native.dropKeyspaceSync(name);
  }

  /**
   * Backs up into a folder that is absent or empty, while others write. Rejects with `AlreadyExists`, `InvalidArgument` (a folder inside the database),
   * `NoSpace`, `Corruption`, `Halted`, `Closed`, `Io`; in mode `'r'` with `ReadOnly`: the writer makes backups.
   */
  async backup(target: string | URL): Promise<void> {
    this.#writer.handOver();
    return ask((ticket) => this.#native.backup(ticket, pathOf(target)));
  }

  /** Writes all that is in memory to tables. */
  async flush(): Promise<void> {
    this.#writer.handOver();
    return ask((ticket) => this.#native.flush(ticket));
  }

  /**
   * Merges all tables of each keyspace, without what nobody can see any more. Needs room for a second copy of what is merged at a time. One that is
   * stopped, or closed over, rejects with `Cancelled`; what was merged stays merged.
   */
  async compact(options?: CompactOptions): Promise<void> {
    if (options !== undefined) checkOptions(options, COMPACT);
    checkFunction('onProgress', options?.onProgress);
    checkSignal(options?.signal);
    this.#writer.handOver();
    return runTask((ticket, steps) => this.#native.compact(ticket, steps), options?.onProgress, options?.signal);
  }

  /** Empties the cache of pages and rows. */
  async clearCache(): Promise<void> {
    this.#native.clearCache();
  }

  /** Figures about the database. */
  async stats(): Promise<Stats> {
    return this.#native.stats() as unknown as Stats;
  }

  /** Counts, rates and latencies since the database was opened; cheap enough to be asked every second. */
  async metrics(): Promise<Metrics> {
    return this.#native.metrics() as unknown as Metrics;
  }

  /** What the database keeps in memory, in bytes. */
  async memoryStats(): Promise<MemoryStats> {
    return this.#native.memoryStats() as unknown as MemoryStats;
  }

  /**
   * The metrics in the text format of Prometheus (`text/plain; version=0.0.4`). `labels` stand on every line, to tell databases apart; in their names,
   * what is no letter, digit or `_` becomes `_`.
   */
  async prometheus(labels: Readonly<Record<string, string>> = {}): Promise<string> {
    checkObject(labels);
    return this.#native.prometheus(Object.entries(labels).flat());
  }

  /**
   * Closes this handle: later calls on it, its keyspaces, scans, snapshots and transactions throw `Closed`. Waits for its writes; the last handle closes the
   * engine and releases the folder. Closing again waits for that.
   */
  close(): Promise<void> {
    // Its error has been told to the first who asked.
    if (this.#closing !== undefined) return this.#closing.catch(() => {});
    this.#writer.handOver();
    this.#owner.isClosed = true;
    return (this.#closing = ask((ticket) => this.#native.close(ticket)));
  }

  /** As `close`, on this thread. */
  closeSync(): void {
    this.#writer.handOver();
    this.#owner.isClosed = true;
    this.#native.closeSync();
  }
}

makeDisposable(
  Database,
  function () {
    this.closeSync();
  },
  function () {
    return this.close();
  },
);

function pathOf(path: string | URL): string {
  return path instanceof URL ? fileURLToPath(path) : path;
}

/** Encodings are ours; the rest goes to the engine, which knows its options. */
function splitOptions(options: EncodingOptions, of: Required<EncodingOptions> = { keyEncoding: 'buffer', valueEncoding: 'buffer' }) {
  checkObject(options);
  const { keyEncoding, valueEncoding, ...rest } = options;
  return {
    keyEncoding: checkEncoding('keyEncoding', keyEncoding, of.keyEncoding),
    valueEncoding: checkEncoding('valueEncoding', valueEncoding, of.valueEncoding),
    list: listOf(rest),
  };
}

/** The rest goes to the engine, which knows its options. */
function splitCheckOptions(options: CheckOptions) {
  checkObject(options);
  const { onProgress, ...rest } = options;
  checkFunction('onProgress', onProgress);
  return { onProgress, list: listOf(rest) };
}

function listOf(options: object): unknown[] {
  return Object.entries(options).filter(([, value]) => value !== undefined).flat();
}
