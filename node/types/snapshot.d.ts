// Made by `make generate-node` from src-ts.

import type { Encoding } from './encoding';
import type { Keyspace } from './keyspace';
import { Reader } from './reader';
/**
 * The database as it was when the snapshot was taken. Never changes and blocks nobody; keeps old versions on disk until it is
 * closed or forgotten. It spans the keyspaces: `keyspace` gives the same instant of another one.
 */
export declare class Snapshot<KE extends Encoding = 'buffer', VE extends Encoding = 'buffer'> extends Reader<KE, VE> {
    #private;
    [Symbol.dispose]: () => void;
    [Symbol.asyncDispose]: () => Promise<void>;
    /** The same snapshot through a keyspace. Closing the snapshot closes what this gives; that closes alone. Throws `Closed`. */
    keyspace<K extends Encoding, V extends Encoding>(keyspace: Keyspace<K, V>): Snapshot<K, V>;
    /** Lets the snapshot go; later calls throw `Closed`, scans that were begun go on. Closing again does nothing. */
    close(): void;
}
