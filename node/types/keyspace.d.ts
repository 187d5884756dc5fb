// Made by `make generate-node` from src-ts.

import type { Encoding, EncodingOptions } from './encoding';
import type { KeyspaceEngineOptions } from './generated';
import { Store } from './store';
/** How a keyspace is made. What is left out is taken from the options of the database, for good. */
export interface KeyspaceOptions<KE extends Encoding = Encoding, VE extends Encoding = Encoding> extends KeyspaceEngineOptions, EncodingOptions<KE, VE> {
}
/**
 * A keyspace (elsewhere: column family) of a database: keys with an order, page size and codec of their own. It reads and writes as a `Database`
 * does. Batches, snapshots and transactions span the keyspaces. Once it is dropped every call is `NotFound`; a scan that runs goes on.
 *
 * ```js
 * const scores = await db.createKeyspace('scores', { comparator: 'decimal' });
 * await scores.put('10', 'ten');
 * await db.batch([
 *   { type: 'put', key: 'last', value: '10' },
 *   { type: 'del', key: '10', keyspace: scores },
 * ]);
 * ```
 */
export declare class Keyspace<KE extends Encoding = 'buffer', VE extends Encoding = 'buffer'> extends Store<KE, VE> {
    #private;
    [Symbol.dispose]: () => void;
    [Symbol.asyncDispose]: () => Promise<void>;
    /** Its name. */
    readonly name: string;
    /**
     * Lets this handle go; the keyspace stays. Later calls throw `Closed`; snapshots, transactions and scans that were begun go on. Closing again does
     * nothing.
     */
    close(): void;
}
