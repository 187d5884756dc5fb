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

/** @internal Packed writes: the length of what stands in front of a key, and the kinds. */
export const enum Packing {
  HeaderLength = 9,
  Put = 1,
  Delete = 2,
}
