// Made by `make generate-node` from src-ts.

import { type Encodable, type Encoding } from './encoding';
/** A bound of a scan: strings and bytes where the options name no encoding. */
export type Bound<E extends Encoding> = [E] extends [never] ? string | Uint8Array : Encodable<E>;
/** The encoding of a call, or that of the database where the call names none. */
export type Chosen<E extends Encoding, Otherwise extends Encoding> = [E] extends [never] ? Otherwise : E;
/**
 * Which entries a scan gives, in what order and how many. The parameters are the encodings that the options name, if they name any:
 * `ScanOptions<'utf8'>` has a `keyEncoding`.
 */
export interface ScanOptions<KE extends Encoding = never, VE extends Encoding = never> {
    /** Keys behind this one. */
    gt?: Bound<KE>;
    /** This key and those behind it. */
    gte?: Bound<KE>;
    /** Keys in front of this one. */
    lt?: Bound<KE>;
    /** This key and those in front of it. */
    lte?: Bound<KE>;
    /** Of these, keys whose bytes start so. */
    prefix?: string | Uint8Array;
    /** From the last to the first. */
    reverse?: boolean;
    /** At most so many. */
    limit?: number;
    /** Encoding of the keys that are given, and of the bounds. Default: as the database was opened. */
    keyEncoding?: KE;
    /** Encoding of the values. Default: as the database was opened. */
    valueEncoding?: VE;
    /** Ends the scan with the signal's reason. */
    signal?: AbortSignal;
}
/**
 * Entries in key order, as of the call that made it. For `for await`, which never keeps the event loop waiting, and for `for…of`, which
 * reads on this thread; each takes what is left. Leaving a loop early closes the scan. An error is thrown, and thrown again by every later
 * step: a scan never ends short. Once its database is closed every step throws `Closed`.
 */
export declare class Scan<T> implements AsyncIterable<T>, Iterable<T> {
    #private;
    [Symbol.dispose]: () => void;
    [Symbol.asyncDispose]: () => Promise<void>;
    /** For `for…of`. */
    [Symbol.iterator](): IterableIterator<T>;
    /** For `for await`. */
    [Symbol.asyncIterator](): AsyncIterableIterator<T>;
    /** All that is left, in an array. */
    all(): Promise<T[]>;
    /** Lets go of what the scan holds. Every later step throws `Closed`. Closing again does nothing. */
    close(): void;
}
