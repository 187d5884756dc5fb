import { native } from './native';

export { Database } from './database';
export { LightningDbError } from './error';
export { Keyspace } from './keyspace';
export type { AddOptions, Batch, BatchOperation, CommitOptions, WriteOptions } from './batch';
export type { CompactionProgress, CompactOptions, OpenOptions, Stats } from './database';
export type { Decoded, Encodable, Encoding, EncodingOptions } from './encoding';
export type { Consistency, EngineOptions, ErrorCode, KeyspaceEngineOptions, MemoryStats, Metrics } from './generated';
export type { KeyspaceOptions } from './keyspace';
export type { Reader } from './reader';
export type { CheckOptions, CheckReport, Finding, RepairReport } from './report';
export type { Bound, Chosen, Scan, ScanOptions } from './scan';
export type { Snapshot } from './snapshot';
export type { DelOptions, PutOptions, RunOptions, Store } from './store';
export type { Isolation, Transaction, TransactionOptions } from './transaction';

/** The version of the library. */
export const version: string = native.version;
