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


class Stats(TypedDict):
    """Figures about a database."""

    total_keys: int
    total_size: int
    cache_hit_rate: float
    cache_bytes: int
    memtable_bytes: int
    sealed_memtables: int
    tables_per_level: list[int]
    active_transactions: int
    snapshots: int
    background_error: str | None
