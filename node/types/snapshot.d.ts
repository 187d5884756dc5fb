// Made by `make generate-node` from src-ts.

import type { Encoding } from './encoding';
import { Reader } from './reader';
/**
 * The database as it was when the snapshot was taken. Never changes and blocks nobody; keeps old versions on disk until it is
 * closed or forgotten.
 */
export declare class Snapshot<KE extends Encoding = 'buffer', VE extends Encoding = 'buffer'> extends Reader<KE, VE> {
    #private;
    [Symbol.dispose]: () => void;
    [Symbol.asyncDispose]: () => Promise<void>;
    /** Lets the snapshot go; later calls throw `Closed`, scans that were begun go on. Closing again does nothing. */
    close(): void;
}
