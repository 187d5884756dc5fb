import { native } from './native';

export { Database } from './database';
export { LightningDbError } from './error';
export type { Batch, BatchOperation, WriteOptions } from './batch';
export type { DelOptions, OpenOptions, PutOptions, RunOptions, Stats } from './database';
export type { Decoded, Encodable, Encoding, EncodingOptions } from './encoding';
export type { Consistency, EngineOptions, ErrorCode } from './generated';
export type { Reader } from './reader';
export type { Bound, Chosen, Scan, ScanOptions } from './scan';
export type { Snapshot } from './snapshot';
export type { Isolation, Transaction, TransactionOptions } from './transaction';

/** The version of the library. */
export const version: string = native.version;
