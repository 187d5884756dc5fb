// Made by `make generate-node` from src-ts.

import type { CommitOptions } from './batch';
import { type Encodable, type Encoding, type EncodingOptions } from './encoding';
import type { Keyspace } from './keyspace';
import { Reader } from './reader';
/** What is checked at the commit: everything read and scanned, or only keys that both have written. */
export type Isolation = 'serializable' | 'snapshot';
/** How a transaction is begun. */
export interface TransactionOptions {
    /** Default: `'serializable'`. */
    isolation?: Isolation;
}
/**
 * A transaction. Reads see the database as it was at the beginning, and the transaction's own writes. Nothing is visible to others before the
 * commit. It spans the keyspaces. It holds no lock: a commit that finds its reads changed by others rejects with `Conflict`. One that is forgotten is taken back.
 */
export declare class Transaction<KE extends Encoding = 'buffer', VE extends Encoding = 'buffer'> extends Reader<KE, VE> {
    #private;
    [Symbol.dispose]: () => void;
    [Symbol.asyncDispose]: () => Promise<void>;
    /**
     * The same transaction through a keyspace: one commit for all. `commit` and `abort` of what this gives are those of the whole; its `close` lets go of
     * this view alone. Throws `Closed`.
     */
    keyspace<K extends Encoding, V extends Encoding>(keyspace: Keyspace<K, V>): Transaction<K, V>;
    /** Puts a value: in memory, at once. Throws `InvalidArgument` (too long), `Closed`, `Halted`. */
    put<K extends Encoding = KE, V extends Encoding = VE>(key: Encodable<K>, value: Encodable<V>, options?: EncodingOptions<K, V>): void;
    /** Deletes a key: in memory, at once. An absent key is no error. */
    del<K extends Encoding = KE>(key: Encodable<K>, options?: {
        keyEncoding?: K;
    }): void;
    /**
     * Commits. Whatever the outcome, the transaction has ended (but for a level that there is none of). Rejects with `Conflict` if what
     * it has read was changed.
     */
    commit(options?: CommitOptions): Promise<void>;
    /** The same on this thread. */
    commitSync(options?: CommitOptions): void;
    /** Takes everything back. Throws `Closed` if the transaction has ended. */
    abort(): void;
    /** As `abort`, and does nothing if the transaction has ended. */
    close(): void;
}
