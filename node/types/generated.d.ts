// Made by `make generate-node` from src-ts.

/** Name of a kind of error, the same in every language. */
export type ErrorCode = 'NotFound' | 'InvalidArgument' | 'Io' | 'Corruption' | 'NoSpace' | 'Locked' | 'Conflict' | 'Halted' | 'Closed' | 'ReadOnly' | 'NotADatabase' | 'AlreadyExists' | 'UnsupportedVersion' | 'Mismatch' | 'TooMany' | 'TimedOut' | 'Cancelled' | 'PermissionDenied' | 'OutOfMemory' | 'Forked' | 'Internal';
/**
 * How far a write has got when it is acknowledged: on stable storage (the default), with the operating system, or in
 * memory, in order.
 */
export type Consistency = 'strong' | 'quorum' | 'eventual';
/** Options of the engine. One that is left out has its default, or for a folder that is open in this process, the value in force. */
export interface EngineOptions {
    /** Bytes at which a new page of a table is full, before compression. Takes a whole number, 512 to 65536; default: 4096. */
    page_size?: number | bigint;
    /** Bytes of table pages and of often read rows kept in memory; pages and rows share it as they earn. Takes a whole number, 1048576 or more; default: 64 MiB. */
    cache_size?: number | bigint;
    /** Tables are read through read-only maps, the first ones in use, up to so many bytes of files; not part of `cache_size`. Takes a whole number, 1048576 or more; default: none. */
    mmap_size?: number | bigint;
    /** Compress new pages where that saves an eighth or more. Takes true or false; default: true. */
    compression_enabled?: boolean;
    /** Codec of new pages of the deepest level: 1 Zstd, 2 LZ4, 3 Snappy; pages of every codec are always read. Takes a whole number, 1 to 3; default: 2. */
    compression_type?: number | bigint;
    /** How hard Zstd tries. Takes a whole number, 1 to 19; default: 1. */
    compression_level?: number | bigint;
    /** Transactions open at once, of every kind. Takes a whole number, 1 to 1000000; default: 1000. */
    max_active_transactions?: number | bigint;
    /** Commits of transactions that meet share one log write and one sync; `false`: each has its own. Takes true or false; default: true. */
    use_optimized_transactions?: boolean;
    /** Whether pages are read and decompressed ahead of a scan, on other threads. Takes true or false; default: true. */
    prefetch_enabled?: boolean;
    /** Pages that are read ahead of a scan. Takes a whole number, 1 to 1024; default: 8. */
    prefetch_distance?: number | bigint;
    /** Threads that read ahead, started by the first scan that needs them. Takes a whole number, 1 to 64; default: 2. */
    prefetch_workers?: number | bigint;
    /** Level of a write that names none. Takes strong, quorum or eventual; default: strong. */
    default_level?: Consistency;
    /** `false` turns a default level of `Strong` into `Quorum`; a level named at the call is kept. Takes true or false; default: true. */
    sync_writes?: boolean;
    /** Oldest age of writes that are in the log only; bounds the replay at open. Takes a number of seconds, 1 to 315360000; default: 60 s. */
    checkpoint_interval?: number;
    /** Bytes of memtable before it is sealed and flushed; tables get half as large, 256 KiB to 32 MiB. Takes a whole number, 65536 to 4294967296; default: 64 MiB. */
    memtable_size?: number | bigint;
    /** Tables in level 0 that start a compaction; above three times as many writes are slowed down, at five times they wait. Takes a whole number, 1 to 64; default: 4. */
    level0_file_num_compaction_trigger?: number | bigint;
    /** Compactions that may run at once, each in a thread of its own. Takes a whole number, 1 to 64; default: 1. */
    max_background_compactions?: number | bigint;
    /** Codec of new pages of the other levels: numbers of `compression_type`, and 0, which is none. Takes a whole number, 0 to 3; default: 2. */
    upper_compression_type?: number | bigint;
    /** Order of keys, checked by name at every open; one of these names need not be given again. Takes bytewise, reverse-bytewise, unsigned, signed or decimal; default: bytewise. */
    comparator?: 'bytewise' | 'reverse-bytewise' | 'unsigned' | 'signed' | 'decimal';
}
/** Options of the engine that a keyspace has too; its `compression_type` may also be 0, which is none. */
export type KeyspaceEngineOptions = Pick<EngineOptions, 'page_size' | 'compression_type' | 'compression_level' | 'comparator'>;
/** Figures about the work of a database since it was opened. Rates, averages and quantiles are about the time since the last call that is at least 10 seconds old, or since the database was opened. */
export interface Metrics {
    /** Seconds since the database was opened. */
    uptime_seconds: number;
    /** Keys looked up and scans opened, a second. */
    read_ops_per_sec: number;
    /** Records written, a second. */
    write_ops_per_sec: number;
    /** Mean time of a read of one key, in microseconds. */
    avg_read_latency_us: number;
    /** Median time of a read of one key, in microseconds. */
    p50_read_latency_us: number;
    /** 99 of 100 reads of one key took no longer, in microseconds. */
    p99_read_latency_us: number;
    /** 999 of 1000 reads of one key took no longer, in microseconds. */
    p999_read_latency_us: number;
    /** Mean time of a write call, until it is acknowledged, in microseconds. */
    avg_write_latency_us: number;
    /** Median time of a write call, in microseconds. */
    p50_write_latency_us: number;
    /** 99 of 100 write calls took no longer, in microseconds. */
    p99_write_latency_us: number;
    /** 999 of 1000 write calls took no longer, in microseconds. */
    p999_write_latency_us: number;
    /** Mean time in which the operating system took bytes for the log, in microseconds. */
    avg_log_write_latency_us: number;
    /** Mean time of a sync of the log, in microseconds. */
    avg_log_sync_latency_us: number;
    /** 99 of 100 syncs of the log took no longer, in microseconds. */
    p99_log_sync_latency_us: number;
    /** Keys looked up, one by one and in batches: `row_hits` and `row_misses`. */
    reads: number;
    /** Batches and single writes that were acknowledged, of every level. */
    writes: number;
    /** Failures of work in the background. */
    background_errors: number;
    /** Look-ups of pages that found them in the cache. */
    cache_hits: number;
    /** Look-ups of pages that did not find them in the cache. */
    cache_misses: number;
    /** Keys answered by a cached row. */
    row_hits: number;
    /** Keys looked for in memtables and tables, found or not. */
    row_misses: number;
    /** Calls that read several keys. */
    batch_reads: number;
    /** Keys that these calls asked for. */
    batch_read_keys: number;
    /** Scans opened. */
    scans: number;
    /** Entries that scans gave; those of a running one are counted every 256. */
    scan_entries: number;
    /** Writes and commits at `Strong`. */
    writes_strong: number;
    /** Writes and commits at `Quorum`. */
    writes_quorum: number;
    /** Writes and commits at `Eventual`. */
    writes_eventual: number;
    /** Records in the writes: puts and deletes. */
    write_records: number;
    /** Bytes of the keys and values in the writes. */
    write_bytes: number;
    /** Times that bytes were handed to the operating system for the log. */
    log_writes: number;
    /** Bytes of these. */
    log_bytes: number;
    /** Times that the log was brought to stable storage. */
    log_syncs: number;
    /** Sets of memtables written to tables. */
    flushes: number;
    /** Bytes of memory of these memtables. */
    flush_input_bytes: number;
    /** Bytes of the tables that flushes made. */
    flush_output_bytes: number;
    /** Compactions finished. */
    compactions: number;
    /** Bytes of the tables that went into compactions. */
    compaction_input_bytes: number;
    /** Bytes of the tables that compactions made. */
    compaction_output_bytes: number;
    /** Transactions begun. */
    transactions_begun: number;
    /** Transactions committed, those that only read included. */
    transactions_committed: number;
    /** Transactions taken back by the caller, or failed for another reason than a conflict. */
    transactions_aborted: number;
    /** Transactions that lost against a commit. */
    transaction_conflicts: number;
    /** Writes that had to wait for flush or compaction. */
    write_stalls: number;
    /** Pages read from tables. */
    page_reads: number;
    /** Bytes of these, as they are stored. */
    page_read_bytes: number;
    /** Files removed because nobody needed them any more. */
    files_removed: number;
    /** Seconds of flushes. */
    flush_seconds: number;
    /** Seconds of compactions. */
    compaction_seconds: number;
    /** Seconds that writes waited for flush or compaction, of all threads together. */
    write_stall_seconds: number;
}
/** Memory that a database uses, in bytes. */
export interface MemoryStats {
    /** Bytes of cache and memtables. */
    total_bytes: number;
    /** Bytes of the cache in use, by pages and rows. */
    cache_bytes: number;
    /** Bytes that the cache may use: the option `cache_size`. */
    cache_limit_bytes: number;
    /** Bytes of cached pages, and of what is remembered of evicted ones. */
    page_bytes: number;
    /** Bytes of cached pages that lead to records: inner pages and filters. */
    index_bytes: number;
    /** Bytes of cached rows, and of hints to where others are. */
    row_bytes: number;
    /** Bytes of memtables. */
    memtable_bytes: number;
    /** Bytes of memtables that wait for their flush. */
    sealed_memtable_bytes: number;
    /** Bytes of tables that are mapped; the operating system decides which of them are in memory. */
    mapped_bytes: number;
}
