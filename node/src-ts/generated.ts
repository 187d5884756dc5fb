// Made by `make generate-node` from the tables of the native library.

/** Name of a kind of error, the same in every language. */
export type ErrorCode =
  | 'NotFound'
  | 'InvalidArgument'
  | 'Io'
  | 'Corruption'
  | 'NoSpace'
  | 'Locked'
  | 'Conflict'
  | 'Halted'
  | 'Closed'
  | 'ReadOnly'
  | 'NotADatabase'
  | 'AlreadyExists'
  | 'UnsupportedVersion'
  | 'Mismatch'
  | 'TooMany'
  | 'TimedOut'
  | 'Cancelled'
  | 'PermissionDenied'
  | 'OutOfMemory'
  | 'Forked'
  | 'Internal';

/**
 * How far a write has got when it is acknowledged: on stable storage (the default), with the operating system, or in
 * memory, in order.
 */
export type Consistency = 'strong' | 'quorum' | 'eventual';

/** Options of the engine; ranges and defaults are those of the README of Lightning DB. */
export interface EngineOptions {
  /** Takes a whole number. */
  page_size?: number | bigint;
  /** Takes a whole number. */
  cache_size?: number | bigint;
  /** Takes a whole number. */
  mmap_size?: number | bigint;
  /** Takes true or false. */
  compression_enabled?: boolean;
  /** Takes a whole number. */
  compression_type?: number | bigint;
  /** Takes a whole number. */
  compression_level?: number | bigint;
  /** Takes a whole number. */
  max_active_transactions?: number | bigint;
  /** Takes true or false. */
  use_optimized_transactions?: boolean;
  /** Takes true or false. */
  prefetch_enabled?: boolean;
  /** Takes a whole number. */
  prefetch_distance?: number | bigint;
  /** Takes a whole number. */
  prefetch_workers?: number | bigint;
  /** Takes strong, quorum or eventual. */
  default_level?: Consistency;
  /** Takes true or false. */
  sync_writes?: boolean;
  /** Takes a number of seconds. */
  checkpoint_interval?: number;
  /** Takes a whole number. */
  memtable_size?: number | bigint;
  /** Takes a whole number. */
  level0_file_num_compaction_trigger?: number | bigint;
  /** Takes a whole number. */
  max_background_compactions?: number | bigint;
  /** Takes a whole number. */
  upper_compression_type?: number | bigint;
  /** Takes bytewise, reverse-bytewise, unsigned, signed or decimal. */
  comparator?: 'bytewise' | 'reverse-bytewise' | 'unsigned' | 'signed' | 'decimal';
}

/** Options of the engine that a keyspace has too. */
export type KeyspaceEngineOptions = Pick<EngineOptions, 'page_size' | 'compression_type' | 'compression_level' | 'comparator'>;

/** Figures about the work of a database since it was opened; the README of Lightning DB says what each is. */
export interface Metrics {
  uptime_seconds: number;
  read_ops_per_sec: number;
  write_ops_per_sec: number;
  avg_read_latency_us: number;
  p50_read_latency_us: number;
  p99_read_latency_us: number;
  p999_read_latency_us: number;
  avg_write_latency_us: number;
  p50_write_latency_us: number;
  p99_write_latency_us: number;
  p999_write_latency_us: number;
  avg_log_write_latency_us: number;
  avg_log_sync_latency_us: number;
  p99_log_sync_latency_us: number;
  reads: number;
  writes: number;
  background_errors: number;
  cache_hits: number;
  cache_misses: number;
  row_hits: number;
  row_misses: number;
  batch_reads: number;
  batch_read_keys: number;
  scans: number;
  scan_entries: number;
  writes_strong: number;
  writes_quorum: number;
  writes_eventual: number;
  write_records: number;
  write_bytes: number;
  log_writes: number;
  log_bytes: number;
  log_syncs: number;
  flushes: number;
  flush_input_bytes: number;
  flush_output_bytes: number;
  compactions: number;
  compaction_input_bytes: number;
  compaction_output_bytes: number;
  transactions_begun: number;
  transactions_committed: number;
  transactions_aborted: number;
  transaction_conflicts: number;
  write_stalls: number;
  page_reads: number;
  page_read_bytes: number;
  files_removed: number;
  flush_seconds: number;
  compaction_seconds: number;
  write_stall_seconds: number;
}

/** Memory that a database uses, in bytes; the README of Lightning DB says what each is. */
export interface MemoryStats {
  total_bytes: number;
  cache_bytes: number;
  cache_limit_bytes: number;
  page_bytes: number;
  index_bytes: number;
  row_bytes: number;
  memtable_bytes: number;
  sealed_memtable_bytes: number;
  mapped_bytes: number;
}

/** @internal Numbers of the kinds of errors. */
export const enum ErrorNumber {
  NotFound = 1,
  InvalidArgument = 2,
  Io = 3,
  Corruption = 4,
  NoSpace = 5,
  Locked = 6,
  Conflict = 7,
  Halted = 8,
  Closed = 9,
  ReadOnly = 10,
  NotADatabase = 11,
  AlreadyExists = 12,
  UnsupportedVersion = 13,
  Mismatch = 14,
  TooMany = 15,
  TimedOut = 16,
  Cancelled = 17,
  PermissionDenied = 18,
  OutOfMemory = 19,
  Forked = 20,
  Internal = 21,
}

/** @internal Places in the words that are shared with the native library. */
export const enum Word {
  Position = 0,
  Count = 1,
  Form = 2,
  Start = 3,
  Ends = 8,
}

/** @internal Bits of `Word.Form`. */
export const enum Form {
  TextKeys = 1,
  TextValues = 2,
  InSlab = 4,
}

/** @internal What the native library gives in place of a value that is not in memory, and of the length of one that is absent. */
export const enum Found {
  NotCached = -1,
  Absent = 4294967295,
}

/** @internal Numbers that stand for the database itself, and for a keyspace of another handle of a database. */
export const enum Target {
  Database = 0,
  Foreign = -1,
}

/** @internal Packed writes: the length of what stands in front of a key, and the kinds. */
export const enum Packing {
  HeaderLength = 9,
  Put = 1,
  Delete = 2,
  Choose = 3,
}
