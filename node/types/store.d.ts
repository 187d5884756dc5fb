// Made by `make generate-node` from src-ts.

import { Batch, type BatchOperation, type CommitOptions, type WriteOptions } from './batch';
import { type Encodable, type Encoding, type EncodingOptions } from './encoding';
import { Reader } from './reader';
import { type ScanOptions } from './scan';
import { Snapshot } from './snapshot';
import { Transaction, type TransactionOptions } from './transaction';
/** Options of a put. */
export interface PutOptions<KE extends Encoding = Encoding, VE extends Encoding = Encoding> extends WriteOptions, EncodingOptions<KE, VE> {
}
/** Options of a delete. */
export interface DelOptions<KE extends Encoding = Encoding> extends WriteOptions {
    keyEncoding?: KE;
}
/** Options of `Database.transaction`. */
export interface RunOptions extends TransactionOptions, CommitOptions {
    /** No attempt is begun or committed once it is aborted; rejects with its reason. */
    signal?: AbortSignal;
}
/** What can be read and written: a `Database`, which stands for its keyspace `default`, or a `Keyspace`. */
export declare abstract class Store<KE extends Encoding = 'buffer', VE extends Encoding = 'buffer'> extends Reader<KE, VE> {
    #private;
    /**
     * Puts a value. What is put in one turn of the event loop is committed together, in the order of the calls; the promise resolves when it has got as
     * far as the level says. A key or value that is too long is refused alone. Rejects with `InvalidArgument`, `NoSpace`, `Halted`, `Closed`, `TimedOut`, `ReadOnly`, `Io`; in a keyspace
     * that was dropped, as every call there, with `NotFound`.
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
    /**
     * About how many bytes of tables on disk the entries take that `entries` with these options gives; reads no entries. What is in memory only does not
     * count: `flush` first to have it counted. Rejects as `get`.
     */
    approximateSize<K extends Encoding = KE>(options?: ScanOptions<K, any>): Promise<number>;
    /**
     * Loads entries whose keys rise strictly straight into tables: much cheaper than writing them. All of them become visible at once, newer than every
     * commit before, and are on stable storage when the promise resolves with their number. Takes an iterable or an async one; what it throws comes
     * through. Where it rejects nothing is changed: `InvalidArgument` (keys that do not rise, too long), `ReadOnly`, `NoSpace`, `Halted`, `Closed`, `Io`.
     *
     * ```js
     * await db.ingest(new Map([['a', '1'], ['b', '2']]));
     * ```
     */
    ingest<K extends Encoding = KE, V extends Encoding = VE>(entries: Iterable<readonly [Encodable<K>, Encodable<V>]> | AsyncIterable<readonly [Encodable<K>, Encodable<V>]>, options?: EncodingOptions<K, V>): Promise<number>;
    /** Takes a snapshot of what is visible now. Throws `Closed`. */
    snapshot(): Snapshot<KE, VE>;
    /** Begins a transaction, to be committed or aborted by the caller. Throws `TooMany`, `Closed`, `Halted`. */
    beginTransaction(options?: TransactionOptions): Transaction<KE, VE>;
    /**
     * Runs `work` in a transaction and commits it; begins again, after a short pause, when it meets a `Conflict`, so `work` may run several times. What
     * it throws takes the transaction back and is passed on.
     */
    transaction<T>(work: (tx: Transaction<KE, VE>) => T | Promise<T>, options?: RunOptions): Promise<T>;
}
