"""Names and types of options and figures. Made by `make generate-python`; not to be edited."""

from __future__ import annotations

from typing import Literal, TypeAlias, TypedDict

Consistency: TypeAlias = Literal["strong", "quorum", "eventual"]
"""How far a write has got when it is acknowledged."""

Isolation: TypeAlias = Literal["serializable", "snapshot"]
"""What is checked at a commit."""


class Options(TypedDict, total=False):
    """How to open a database."""

    page_size: int
    """Bytes at which a new page of a table is full, before compression. Takes a whole number, 512 to 65536; default:
    4096."""
    cache_size: int
    """Bytes of table pages and of often read rows kept in memory; pages and rows share it as they earn. Takes a whole
    number, 1048576 or more; default: 64 MiB."""
    mmap_size: int
    """Tables are read through read-only maps, the first ones in use, up to so many bytes of files; not part of
    `cache_size`. Takes a whole number, 1048576 or more; default: none."""
    compression_enabled: bool
    """Compress new pages where that saves an eighth or more. Takes true or false; default: true."""
    compression_type: int
    """Codec of new pages of the deepest level: 1 Zstd, 2 LZ4, 3 Snappy; pages of every codec are always read. Takes a whole
    number, 1 to 3; default: 2."""
    compression_level: int
    """How hard Zstd tries. Takes a whole number, 1 to 19; default: 1."""
    max_active_transactions: int
    """Transactions open at once, of every kind. Takes a whole number, 1 to 1000000; default: 1000."""
    use_optimized_transactions: bool
    """Commits of transactions that meet share one log write and one sync; `false`: each has its own. Takes true or false;
    default: true."""
    prefetch_enabled: bool
    """Whether pages are read and decompressed ahead of a scan, on other threads. Takes true or false; default: true."""
    prefetch_distance: int
    """Pages that are read ahead of a scan. Takes a whole number, 1 to 1024; default: 8."""
    prefetch_workers: int
    """Threads that read ahead, started by the first scan that needs them. Takes a whole number, 1 to 64; default: 2."""
    default_level: Consistency
    """Level of a write that names none. Takes strong, quorum or eventual; default: strong."""
    sync_writes: bool
    """`false` turns a default level of `Strong` into `Quorum`; a level named at the call is kept. Takes true or false;
    default: true."""
    checkpoint_interval: float
    """Oldest age of writes that are in the log only; bounds the replay at open. Takes a number of seconds, 1 to 315360000;
    default: 60 s."""
    memtable_size: int
    """Bytes of memtable before it is sealed and flushed; tables get half as large, 256 KiB to 32 MiB. Takes a whole number,
    65536 to 4294967296; default: 64 MiB."""
    level0_file_num_compaction_trigger: int
    """Tables in level 0 that start a compaction; above three times as many writes are slowed down, at five times they wait.
    Takes a whole number, 1 to 64; default: 4."""
    max_background_compactions: int
    """Compactions that may run at once, each in a thread of its own. Takes a whole number, 1 to 64; default: 1."""
    upper_compression_type: int
    """Codec of new pages of the other levels: numbers of `compression_type`, and 0, which is none. Takes a whole number, 0
    to 3; default: 2."""
    comparator: Literal["bytewise", "reverse-bytewise", "unsigned", "signed", "decimal"]
    """Order of keys, checked by name at every open; one of these names need not be given again. Takes bytewise,
    reverse-bytewise, unsigned, signed or decimal; default: bytewise."""


class KeyspaceOptions(TypedDict, total=False):
    """How to make a keyspace: as in `Options`; `compression_type` 0 is none."""

    page_size: int
    compression_type: int
    compression_level: int
    comparator: Literal["bytewise", "reverse-bytewise", "unsigned", "signed", "decimal"]


class Stats(TypedDict):
    """Figures about a database."""

    total_keys: int
    """Puts less deletes in memtables and tables: an estimate of the keys. A put of a key that was there and a delete of one
    that was not make it wrong until they are compacted away. A scan counts exactly."""
    total_size: int
    """Bytes of tables and log on disk."""
    live_bytes: int
    """Bytes of tables that a compaction of everything would leave, at least: those of tables that are neither dead nor
    pinned."""
    dead_bytes: int
    """Bytes of tables that compaction can drop, at most: old versions, deleted records, tombstones. Estimated from the
    counts and ranges of tables: each record is taken to hide an older one under it, which is true of overwrites and not of
    new keys. At rest at most about a fifth of the live ones."""
    pinned_bytes: int
    """Bytes that only held snapshots (estimated as dead ones) and running scans and backups keep."""
    cache_hit_rate: float
    """Share of look-ups that the cache answered, by a row or by a page, 0 to 1. A row that is not there is no miss of its
    own: pages are looked up then."""
    cache_bytes: int
    """Bytes of the cache in use, by pages and rows."""
    mapped_bytes: int
    """Bytes of tables that are mapped; not part of `cache_bytes`."""
    memtable_bytes: int
    """Bytes of memtables."""
    sealed_memtables: int
    """Sets of memtables that wait for their flush."""
    stalled_writes: int
    """Writes that wait now because flush or compaction are behind."""
    write_stalls: int
    """Writes that were slowed down or stopped so far."""
    write_stall_seconds: float
    """Seconds that they have waited, in all."""
    tables_per_level: list[int]
    """Tables in each level."""
    active_transactions: int
    """Open transactions, those by number included."""
    snapshots: int
    """Held snapshots, those of transactions included."""
    background_error: str | None
    """What last went wrong in the background."""


class Metrics(TypedDict):
    """What a database has counted and measured since it was opened."""

    uptime_seconds: float
    """Seconds since the database was opened."""
    read_ops_per_sec: float
    """Keys looked up and scans opened, a second."""
    write_ops_per_sec: float
    """Records written, a second."""
    avg_read_latency_us: float
    """Mean time of a read of one key, in microseconds."""
    p50_read_latency_us: float
    """Median time of a read of one key, in microseconds."""
    p99_read_latency_us: float
    """99 of 100 reads of one key took no longer, in microseconds."""
    p999_read_latency_us: float
    """999 of 1000 reads of one key took no longer, in microseconds."""
    avg_write_latency_us: float
    """Mean time of a write call, until it is acknowledged, in microseconds."""
    p50_write_latency_us: float
    """Median time of a write call, in microseconds."""
    p99_write_latency_us: float
    """99 of 100 write calls took no longer, in microseconds."""
    p999_write_latency_us: float
    """999 of 1000 write calls took no longer, in microseconds."""
    avg_log_write_latency_us: float
    """Mean time in which the operating system took bytes for the log, in microseconds."""
    avg_log_sync_latency_us: float
    """Mean time of a sync of the log, in microseconds."""
    p99_log_sync_latency_us: float
    """99 of 100 syncs of the log took no longer, in microseconds."""
    reads: int
    """Keys looked up, one by one and in batches: `row_hits` and `row_misses`."""
    writes: int
    """Batches and single writes that were acknowledged, of every level."""
    background_errors: int
    """Failures of work in the background."""
    cache_hits: int
    """Look-ups of pages that found them in the cache."""
    cache_misses: int
    """Look-ups of pages that did not find them in the cache."""
    row_hits: int
    """Keys answered by a cached row."""
    row_misses: int
    """Keys looked for in memtables and tables, found or not."""
    batch_reads: int
    """Calls that read several keys."""
    batch_read_keys: int
    """Keys that these calls asked for."""
    scans: int
    """Scans opened."""
    scan_entries: int
    """Entries that scans gave; those of a running one are counted every 256."""
    writes_strong: int
    """Writes and commits at `Strong`."""
    writes_quorum: int
    """Writes and commits at `Quorum`."""
    writes_eventual: int
    """Writes and commits at `Eventual`."""
    write_records: int
    """Records in the writes: puts and deletes."""
    write_bytes: int
    """Bytes of the keys and values in the writes."""
    log_writes: int
    """Times that bytes were handed to the operating system for the log."""
    log_bytes: int
    """Bytes of these."""
    log_syncs: int
    """Times that the log was brought to stable storage."""
    flushes: int
    """Sets of memtables written to tables."""
    flush_input_bytes: int
    """Bytes of memory of these memtables."""
    flush_output_bytes: int
    """Bytes of the tables that flushes made."""
    compactions: int
    """Compactions finished."""
    compaction_input_bytes: int
    """Bytes of the tables that went into compactions."""
    compaction_output_bytes: int
    """Bytes of the tables that compactions made."""
    transactions_begun: int
    """Transactions begun."""
    transactions_committed: int
    """Transactions committed, those that only read included."""
    transactions_aborted: int
    """Transactions taken back by the caller, or failed for another reason than a conflict."""
    transaction_conflicts: int
    """Transactions that lost against a commit."""
    write_stalls: int
    """Writes that had to wait for flush or compaction."""
    page_reads: int
    """Pages read from tables."""
    page_read_bytes: int
    """Bytes of these, as they are stored."""
    files_removed: int
    """Files removed because nobody needed them any more."""
    flush_seconds: float
    """Seconds of flushes."""
    compaction_seconds: float
    """Seconds of compactions."""
    write_stall_seconds: float
    """Seconds that writes waited for flush or compaction, of all threads together."""


class MemoryStats(TypedDict):
    """Bytes in memory, by what they are for."""

    total_bytes: int
    """Bytes of cache and memtables."""
    cache_bytes: int
    """Bytes of the cache in use, by pages and rows."""
    cache_limit_bytes: int
    """Bytes that the cache may use: the option `cache_size`."""
    page_bytes: int
    """Bytes of cached pages, and of what is remembered of evicted ones."""
    index_bytes: int
    """Bytes of cached pages that lead to records: inner pages and filters."""
    row_bytes: int
    """Bytes of cached rows, and of hints to where others are."""
    memtable_bytes: int
    """Bytes of memtables."""
    sealed_memtable_bytes: int
    """Bytes of memtables that wait for their flush."""
    mapped_bytes: int
    """Bytes of tables that are mapped; the operating system decides which of them are in memory."""
