// Made by `make generate-node` from src-ts.

import { type Decoded, type Encodable, type Encoding, type EncodingOptions } from './encoding';
import { Scan, type Chosen, type ScanOptions } from './scan';
/** What can be read: a `Database`, a `Keyspace`, a `Snapshot` or a `Transaction`. A transaction sees its own writes; what it reads and walks counts as read. */
export declare abstract class Reader<KE extends Encoding = 'buffer', VE extends Encoding = 'buffer'> {
    #private;
    /** Of types only: handles of other encodings are not taken for this one. */
    protected readonly encodings: (of: [KE, VE]) => [KE, VE];
    /**
     * The value of a key, or `undefined`. Sees every write whose promise has resolved. An answer in memory is there at once, another comes from a
     * thread. A small `Buffer` shares memory with others: copy one that you keep for long. Rejects with `InvalidArgument` (key too long), `Closed`,
     * `Corruption`, `Io`; with a `SyntaxError` for a value that is not JSON, where that is the encoding.
     */
    get<K extends Encoding = KE, V extends Encoding = VE>(key: Encodable<K>, options?: EncodingOptions<K, V>): Promise<Decoded<V> | undefined>;
    /** As `get`, on this thread; waits for the disk if it must. */
    getSync<K extends Encoding = KE, V extends Encoding = VE>(key: Encodable<K>, options?: EncodingOptions<K, V>): Decoded<V> | undefined;
    /** Whether a key is present; its value is not copied. Rejects as `get`. */
    has<K extends Encoding = KE>(key: Encodable<K>, options?: {
        keyEncoding?: K;
    }): Promise<boolean>;
    /** As `has`, on this thread. */
    hasSync<K extends Encoding = KE>(key: Encodable<K>, options?: {
        keyEncoding?: K;
    }): boolean;
    /** The values of several keys, all as of one instant, in the order of the keys. Rejects as `get`; one bad key fails all. */
    getMany<K extends Encoding = KE, V extends Encoding = VE>(keys: readonly Encodable<K>[], options?: EncodingOptions<K, V>): Promise<(Decoded<V> | undefined)[]>;
    /** As `getMany`, on this thread. */
    getManySync<K extends Encoding = KE, V extends Encoding = VE>(keys: readonly Encodable<K>[], options?: EncodingOptions<K, V>): (Decoded<V> | undefined)[];
    /**
     * Entries in key order, as `[key, value]`, and for a transaction its own writes as they are now. Throws `InvalidArgument` for two bounds on one
     * side, `Closed`, and a `TypeError` for an option that it does not know.
     */
    entries<K extends Encoding = KE, V extends Encoding = VE>(options?: ScanOptions<K, V>): Scan<[Decoded<Chosen<K, KE>>, Decoded<Chosen<V, VE>>]>;
    /** Keys in order. */
    keys<K extends Encoding = KE>(options?: ScanOptions<K, any>): Scan<Decoded<Chosen<K, KE>>>;
    /** Values, in the order of their keys. */
    values<K extends Encoding = KE, V extends Encoding = VE>(options?: ScanOptions<K, V>): Scan<Decoded<Chosen<V, VE>>>;
}
