// Made by `make generate-node` from src-ts.

import { type Encoding, type EncodingOptions } from './encoding';
import type { EngineOptions, MemoryStats, Metrics } from './generated';
import { Keyspace, type KeyspaceOptions } from './keyspace';
import type { CheckOptions, CheckReport } from './report';
import { Store } from './store';
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
export declare class Database<KE extends Encoding = 'buffer', VE extends Encoding = 'buffer'> extends Store<KE, VE> {
    #private;
    [Symbol.dispose]: () => void;
    [Symbol.asyncDispose]: () => Promise<void>;
    private constructor();
    /**
     * Opens the database in a folder. Options that are given again for a folder that is open in this process must be those in force, but in mode `'r'`:
     * each such open has an engine of its own.
     *
     * Rejects with `NotFound` (modes `'rw'` and `'r'`), `Locked` (another process has it), `InvalidArgument` (an option), `NotADatabase`, `Mismatch` (another
     * order of keys), `Corruption`, `UnsupportedVersion`, `PermissionDenied`, `NoSpace`, `Io`; in mode `'r'` with `TimedOut` if the writer changed the files
     * again and again.
     */
    static open<K extends Encoding = 'buffer', V extends Encoding = 'buffer'>(path: string | URL, options?: OpenOptions<K, V>): Promise<Database<K, V>>;
    /** As `open`, on this thread. */
    static openSync<K extends Encoding = 'buffer', V extends Encoding = 'buffer'>(path: string | URL, options?: OpenOptions<K, V>): Database<K, V>;
    /**
     * Restores a backup into a folder that is absent or empty, and verifies every byte. Rejects with `NotFound`, `AlreadyExists`,
     * `Corruption`, and as `open`.
     */
    static restore(source: string | URL, target: string | URL): Promise<void>;
    /**
     * Reads every byte of a database that nobody has open, and reports what is wrong. Changes nothing; damage is no error, unless nothing says
     * which database it is. Rejects with `Locked`, `NotFound`, `NotADatabase`, `InvalidArgument`, `Mismatch`, `Corruption`, `Io`.
     */
    static check(path: string | URL, options?: CheckOptions): Promise<CheckReport>;
    /**
     * Checks, and mends what is wrong, also of a database that does not open. What is whole is kept; the report says what is lost. An older
     * value of a lost key may show again. Files that were replaced are moved to the folder `lost` in the database. One that was cut must be run again.
     * Needs room for a second copy of what is written anew. Rejects as `check`, and with `NoSpace`.
     */
    static repair(path: string | URL, options?: CheckOptions): Promise<CheckReport>;
    /** The folder, without links. */
    get path(): string;
    /** Whether this handle has not been closed. */
    get isOpen(): boolean;
    /**
     * Makes a keyspace, behind all writes of this handle; it is on stable storage when the promise resolves. The name is 1 to 255 bytes of UTF-8.
     * Rejects with `AlreadyExists`, `InvalidArgument`, `ReadOnly`, `NoSpace`, `Halted`, `Closed`, `Io`.
     */
    createKeyspace<K extends Encoding = KE, V extends Encoding = VE>(name: string, options?: KeyspaceOptions<K, V>): Promise<Keyspace<K, V>>;
    /** As `createKeyspace`, on this thread. */
    createKeyspaceSync<K extends Encoding = KE, V extends Encoding = VE>(name: string, options?: KeyspaceOptions<K, V>): Keyspace<K, V>;
    /** A handle of a keyspace that exists; `'default'` is the one that the calls of the database use. Rejects with `NotFound`, `Closed`. */
    keyspace<K extends Encoding = KE, V extends Encoding = VE>(name: string, options?: EncodingOptions<K, V>): Promise<Keyspace<K, V>>;
    /** As `keyspace`, on this thread, which does not have to wait for anything. */
    keyspaceSync<K extends Encoding = KE, V extends Encoding = VE>(name: string, options?: EncodingOptions<K, V>): Keyspace<K, V>;
    /** The names of all keyspaces, sorted; `'default'` is among them. */
    listKeyspaces(): Promise<string[]>;
    /** As `listKeyspaces`, on this thread. */
    listKeyspacesSync(): string[];
    /**
     * Drops a keyspace with all that is in it, for all its handles, behind all writes of this one. Rejects with `NotFound`, `InvalidArgument` for `'default'`,
     * and as `createKeyspace`.
     */
    dropKeyspace(name: string): Promise<void>;
    /** As `dropKeyspace`, on this thread. */
    dropKeyspaceSync(name: string): void;
    /**
     * Backs up into a folder that is absent or empty, while others write. Rejects with `AlreadyExists`, `InvalidArgument` (a folder inside the database),
     * `NoSpace`, `Corruption`, `Halted`, `Closed`, `Io`; in mode `'r'` with `ReadOnly`: the writer makes backups.
     */
    backup(target: string | URL): Promise<void>;
    /** Writes all that is in memory to tables. */
    flush(): Promise<void>;
    /**
     * Merges all tables of each keyspace, without what nobody can see any more. Needs room for a second copy of what is merged at a time. One that is
     * stopped, or closed over, rejects with `Cancelled`; what was merged stays merged.
     */
    compact(options?: CompactOptions): Promise<void>;
    /** Empties the cache of pages and rows. */
    clearCache(): Promise<void>;
    /** Figures about the database. */
    stats(): Promise<Stats>;
    /** Counts, rates and latencies since the database was opened; cheap enough to be asked every second. */
    metrics(): Promise<Metrics>;
    /** What the database keeps in memory, in bytes. */
    memoryStats(): Promise<MemoryStats>;
    /**
     * The metrics in the text format of Prometheus (`text/plain; version=0.0.4`). `labels` stand on every line, to tell databases apart; in their names,
     * what is no letter, digit or `_` becomes `_`.
     */
    prometheus(labels?: Readonly<Record<string, string>>): Promise<string>;
    /**
     * Closes this handle: later calls on it, its keyspaces, scans, snapshots and transactions throw `Closed`. Waits for its writes; the last handle closes the
     * engine and releases the folder. Closing again waits for that.
     */
    close(): Promise<void>;
    /** As `close`, on this thread. */
    closeSync(): void;
}
