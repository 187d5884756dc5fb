// Made by `make generate-node` from src-ts.

/** Name of a kind of error, the same in every language. */
export type ErrorCode = 'NotFound' | 'InvalidArgument' | 'Io' | 'Corruption' | 'NoSpace' | 'Locked' | 'Conflict' | 'Halted' | 'Closed' | 'ReadOnly' | 'NotADatabase' | 'AlreadyExists' | 'UnsupportedVersion' | 'Mismatch' | 'TooMany' | 'TimedOut' | 'Cancelled' | 'PermissionDenied' | 'OutOfMemory' | 'Forked' | 'Internal';
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
