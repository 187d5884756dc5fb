// Made by `make generate-node` from src-ts.

import { Batch, type BatchOperation, type WriteOptions } from './batch';
import { type Encodable, type Encoding, type EncodingOptions } from './encoding';
import type { EngineOptions } from './generated';
import { Reader } from './reader';
import { type ScanOptions } from './scan';
import { Snapshot } from './snapshot';
import { Transaction, type TransactionOptions } from './transaction';
/** How a database is opened. */
export interface OpenOptions<KE extends Encoding = Encoding, VE extends Encoding = Encoding> extends EngineOptions {
    /** `'rwc'` (the default) makes the database if there is none, `'rw'` wants one that exists. */
    mode?: 'rwc' | 'rw';
    /** Default: `'buffer'`. */
    keyEncoding?: KE;
    /** Default: `'buffer'`. */
    valueEncoding?: VE;
}
/** Options of a put. */
export interface PutOptions<KE extends Encoding = Encoding, VE extends Encoding = Encoding> extends WriteOptions, EncodingOptions<KE, VE> {
}
/** Options of a delete. */
export interface DelOptions<KE extends Encoding = Encoding> extends WriteOptions {
    keyEncoding?: KE;
}
/** Options of `Database.transaction`. */
export interface RunOptions extends TransactionOptions, WriteOptions {
    /** No attempt is begun or committed once it is aborted; rejects with its reason. */
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
export declare class Database<KE extends Encoding = 'buffer', VE extends Encoding = 'buffer'> extends Reader<KE, VE> {
    #private;
    [Symbol.dispose]: () => void;
    [Symbol.asyncDispose]: () => Promise<void>;
    private constructor();
    /**
     * Opens the database in a folder. Options that are given again for a folder that is open in this process must be those in force.
     *
     * Rejects with `NotFound` (mode `'rw'`), `Locked` (another process has it), `InvalidArgument` (an option), `NotADatabase`, `Corruption`,
     * `UnsupportedVersion`, `PermissionDenied`, `NoSpace`, `Io`.
     */
    static open<K extends Encoding = 'buffer', V extends Encoding = 'buffer'>(path: string | URL, options?: OpenOptions<K, V>): Promise<Database<K, V>>;
    /** As `open`, on this thread. */
    static openSync<K extends Encoding = 'buffer', V extends Encoding = 'buffer'>(path: string | URL, options?: OpenOptions<K, V>): Database<K, V>;
    /**
     * Restores a backup into a folder that is absent or empty, and verifies every byte. Rejects with `NotFound`, `AlreadyExists`,
     * `Corruption`, and as `open`.
     */
    static restore(source: string | URL, target: string | URL): Promise<void>;
    /** The folder, without links. */
    get path(): string;
    /** Whether this handle has not been closed. */
    get isOpen(): boolean;
    /**
     * Puts a value. What is put in one turn of the event loop is committed together, in the order of the calls; the promise resolves when it has got as
     * far as the level says. A key or value that is too long is refused alone. Rejects with `InvalidArgument`, `NoSpace`, `Halted`, `Closed`, `Io`.
     */
    put<K extends Encoding = KE, V extends Encoding = VE>(key: Encodable<K>, value: Encodable<V>, options?: PutOptions<K, V>): Promise<void>;
    /** As `put`, on this thread, behind all puts that are under way. */
    putSync<K extends Encoding = KE, V extends Encoding = VE>(key: Encodable<K>, value: Encodable<V>, options?: PutOptions<K, V>): void;
    /** Deletes a key; an absent key is no error. Otherwise as `put`. */
    del<K extends Encoding = KE>(key: Encodable<K>, options?: DelOptions<K>): Promise<void>;
    /** As `del`, on this thread. */
    delSync<K extends Encoding = KE>(key: Encodable<K>, options?: DelOptions<K>): void;
    /** A batch to be filled: `db.batch().put('a', '1').del('b').write()`. */
    batch(): Batch<KE, VE>;
    /** Applies several writes, all or none, in their order. */
    batch<K extends Encoding = KE, V extends Encoding = VE>(operations: readonly BatchOperation<K, V>[], options?: PutOptions<K, V>): Promise<void>;
    /** As `batch`, on this thread. */
    batchSync<K extends Encoding = KE, V extends Encoding = VE>(operations: readonly BatchOperation<K, V>[], options?: PutOptions<K, V>): void;
    /** How many entries `entries` with these options gives: exact, and as much work as walking over their keys. Rejects as `get`. */
    count<K extends Encoding = KE>(options?: ScanOptions<K, any>): Promise<number>;
    /** Takes a snapshot of what is visible now. Throws `Closed`. */
    snapshot(): Snapshot<KE, VE>;
    /** Begins a transaction, to be committed or aborted by the caller. Throws `TooMany`, `Closed`, `Halted`. */
    beginTransaction(options?: TransactionOptions): Transaction<KE, VE>;
    /**
     * Runs `work` in a transaction and commits it; begins again, after a short pause, when it meets a `Conflict`, so `work` may run several times. What
     * it throws takes the transaction back and is passed on.
     */
    transaction<T>(work: (tx: Transaction<KE, VE>) => T | Promise<T>, options?: RunOptions): Promise<T>;
    /** Backs up into a folder that is absent or empty, while others write. Rejects with `AlreadyExists`, `NoSpace`, `Corruption`, … */
    backup(target: string | URL): Promise<void>;
    /** Writes all that is in memory to tables. */
    flush(): Promise<void>;
    /** Merges all tables, without what nobody can see any more. Needs room for a second copy of the data. */
    compact(): Promise<void>;
    /** Empties the cache of pages and rows. */
    clearCache(): Promise<void>;
    /** Figures about the database. */
    stats(): Promise<Stats>;
    /**
     * Closes this handle: later calls on it, its scans, snapshots and transactions throw `Closed`. Waits for its writes; the last handle closes the
     * engine and releases the folder. Closing again waits for that.
     */
    close(): Promise<void>;
    /** As `close`, on this thread. */
    closeSync(): void;
}
