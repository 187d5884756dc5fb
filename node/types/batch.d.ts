// Made by `make generate-node` from src-ts.

import { type Encodable, type Encoding, type EncodingOptions } from './encoding';
import type { Consistency } from './generated';
/** One write of a batch. */
export type BatchOperation<KE extends Encoding = 'buffer', VE extends Encoding = 'buffer'> = {
    type: 'put';
    key: Encodable<KE>;
    value: Encodable<VE>;
} | {
    type: 'del';
    key: Encodable<KE>;
};
/** How a write is made. */
export interface WriteOptions {
    /** How far it has got when the promise resolves. Default: the level that the database was opened with. */
    consistency?: Consistency;
}
/** Writes that are gathered and then applied whole or not at all. */
export declare class Batch<KE extends Encoding = 'buffer', VE extends Encoding = 'buffer'> {
    #private;
    /** Of types only: a batch of other encodings is not taken for this one. */
    protected readonly encodings: (of: [KE, VE]) => [KE, VE];
    /** Number of writes. */
    get length(): number;
    /** Adds a put. Throws `InvalidArgument` for a key or value that is too long; the batch is then as before. */
    put<K extends Encoding = KE, V extends Encoding = VE>(key: Encodable<K>, value: Encodable<V>, options?: EncodingOptions<K, V>): this;
    /** Adds a delete; an absent key is no error. */
    del<K extends Encoding = KE>(key: Encodable<K>, options?: {
        keyEncoding?: K;
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
