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
    """From 512 to 65,536."""
    cache_size: int
    """1,048,576 and up."""
    mmap_size: int
    """1,048,576 and up."""
    compression_enabled: bool
    compression_type: int
    """From 1 to 3."""
    compression_level: int
    """From 1 to 19."""
    max_active_transactions: int
    """From 1 to 1,000,000."""
    use_optimized_transactions: bool
    prefetch_enabled: bool
    prefetch_distance: int
    """From 1 to 1,024."""
    prefetch_workers: int
    """From 1 to 64."""
    default_level: Consistency
    sync_writes: bool
    checkpoint_interval: float
    """From 1 to 315,360,000."""
    memtable_size: int
    """From 65,536 to 4,294,967,296."""
    level0_file_num_compaction_trigger: int
    """From 1 to 64."""
    max_background_compactions: int
    """From 1 to 64."""
    upper_compression_type: int
    """From 0 to 3."""
    comparator: Literal["bytewise", "reverse-bytewise", "unsigned", "signed", "decimal"]


class KeyspaceOptions(TypedDict, total=False):
    """How to make a keyspace: as in `Options`; `compression_type` 0 is none."""

    page_size: int
    compression_type: int
    compression_level: int
    comparator: Literal["bytewise", "reverse-bytewise", "unsigned", "signed", "decimal"]


class Stats(TypedDict):
    """Figures about a database."""

    total_keys: int
    total_size: int
    live_bytes: int
    dead_bytes: int
    pinned_bytes: int
    cache_hit_rate: float
    cache_bytes: int
    mapped_bytes: int
    memtable_bytes: int
    sealed_memtables: int
    stalled_writes: int
    write_stalls: int
    write_stall_seconds: float
    tables_per_level: list[int]
    active_transactions: int
    snapshots: int
    background_error: str | None


class Metrics(TypedDict):
    """What a database has counted and measured since it was opened."""

    uptime_seconds: float
    read_ops_per_sec: float
    write_ops_per_sec: float
    avg_read_latency_us: float
    p50_read_latency_us: float
    p99_read_latency_us: float
    p999_read_latency_us: float
    avg_write_latency_us: float
    p50_write_latency_us: float
    p99_write_latency_us: float
    p999_write_latency_us: float
    avg_log_write_latency_us: float
    avg_log_sync_latency_us: float
    p99_log_sync_latency_us: float
    reads: int
    writes: int
    background_errors: int
    cache_hits: int
    cache_misses: int
    row_hits: int
    row_misses: int
    batch_reads: int
    batch_read_keys: int
    scans: int
    scan_entries: int
    writes_strong: int
    writes_quorum: int
    writes_eventual: int
    write_records: int
    write_bytes: int
    log_writes: int
    log_bytes: int
    log_syncs: int
    flushes: int
    flush_input_bytes: int
    flush_output_bytes: int
    compactions: int
    compaction_input_bytes: int
    compaction_output_bytes: int
    transactions_begun: int
    transactions_committed: int
    transactions_aborted: int
    transaction_conflicts: int
    write_stalls: int
    page_reads: int
    page_read_bytes: int
    files_removed: int
    flush_seconds: float
    compaction_seconds: float
    write_stall_seconds: float


class MemoryStats(TypedDict):
    """Bytes in memory, by what they are for."""

    total_bytes: int
    cache_bytes: int
    cache_limit_bytes: int
    page_bytes: int
    index_bytes: int
    row_bytes: int
    memtable_bytes: int
    sealed_memtable_bytes: int
    mapped_bytes: int
