// Made by `make generate-node` from src-ts.

import { type Encodable, type Encoding, type EncodingOptions } from './encoding';
import type { Consistency } from './generated';
import type { Keyspace } from './keyspace';
/** One write of a batch; one that names a keyspace goes there, with key and value in that one's encodings unless the call names others. */
export type BatchOperation<KE extends Encoding = 'buffer', VE extends Encoding = 'buffer'> = {
    type: 'put';
    key: Encodable<KE>;
    value: Encodable<VE>;
    keyspace?: undefined;
} | {
    type: 'del';
    key: Encodable<KE>;
    keyspace?: undefined;
} | {
    type: 'put';
    key: any;
    value: any;
    keyspace: Keyspace<any, any>;
} | {
    type: 'del';
    key: any;
    keyspace: Keyspace<any, any>;
};
/** How a commit is made. */
export interface CommitOptions {
    /** How far it has got when the promise resolves. Default: the level that the database was opened with. */
    consistency?: Consistency;
}
/** How a write is made. */
export interface WriteOptions extends CommitOptions {
    /**
     * Milliseconds from the call on that it waits at most while flush and compaction are behind: `TimedOut` then, and nothing is written. The sync
     * is waited for all the same, and the turn in the queue. Default: as long as it takes.
     */
    timeout?: number;
}
/** How a put is added to a batch. */
export interface AddOptions<KE extends Encoding = Encoding, VE extends Encoding = Encoding> extends EncodingOptions<KE, VE> {
    /** Where it goes. Default: where the batch was made. */
    keyspace?: Keyspace<KE, VE>;
}
/** Writes that are gathered and then applied whole or not at all. */
export declare class Batch<KE extends Encoding = 'buffer', VE extends Encoding = 'buffer'> {
    #private;
    /** Of types only: a batch of other encodings is not taken for this one. */
    protected readonly encodings: (of: [KE, VE]) => [KE, VE];
    /** Number of writes. */
    get length(): number;
    /** Adds a put. Throws `InvalidArgument` for a key or value that is too long; the batch is then as before. */
    put<K extends Encoding = KE, V extends Encoding = VE>(key: Encodable<K>, value: Encodable<V>, options?: AddOptions<K, V>): this;
    /** Adds a delete; an absent key is no error. */
    del<K extends Encoding = KE>(key: Encodable<K>, options?: {
        keyEncoding?: K;
        keyspace?: Keyspace<K, any>;
    }): this;
    /** Takes all writes out. */
    clear(): this;
    /** Applies the writes. The batch is empty at once; if they fail they are back in it, unless it has others by then. */
    write(options?: WriteOptions): Promise<void>;
    /** The same on this thread. If it throws, the batch is as before. */
    writeSync(options?: WriteOptions): void;
    /** Lets the writes go; every later call but `clear` throws `Closed`. Closing again does nothing. */
    close(): void;
}
