"""Lightning DB: an embedded, ordered, transactional key-value database.

A database is a folder. It is used like a dict of bytes whose keys are in order::

    import lightning_db

    with lightning_db.open("mydb") as db:
        db[b"user:1"] = b"Alice"
        for key, value in db.items(prefix=b"user:"):
            print(key, value)

Keys (up to 65,535 bytes) and values (up to 1 GiB) are any bytes-like objects; what is read is `bytes`. One process has
a database open at a time; in it, all objects may be used from any number of threads. Calls that wait for the disk or for
other work release the interpreter's lock. Every failure is a subclass of `Error`; an absent key is a `KeyError`.
"""

from lightning_db import _errors
from lightning_db._check import CheckProgress, CheckReport, Finding, RepairReport, check, repair
from lightning_db._database import CompactionProgress, Database, Mode, open, restore
from lightning_db._errors import *  # noqa: F403
from lightning_db._keyspace import Keyspace
from lightning_db._mapping import Bounds, Items, Keys, Values
from lightning_db._native import (
    MAX_KEY_LEN,
    MAX_VALUE_LEN,
    VERSION as __version__,
    Batch,
    ItemsIterator,
    KeysIterator,
    ValuesIterator,
)
from lightning_db._snapshot import Snapshot
from lightning_db._store import Store
from lightning_db._transaction import Transaction
from lightning_db._types import Consistency, Isolation, KeyspaceOptions, MemoryStats, Metrics, Options, Stats

__all__ = [
    "MAX_KEY_LEN",
    "MAX_VALUE_LEN",
    "Batch",
    "Bounds",
    "CheckProgress",
    "CheckReport",
    "CompactionProgress",
    "Consistency",
    "Database",
    "Finding",
    "Isolation",
    "Items",
    "ItemsIterator",
    "Keys",
    "KeysIterator",
    "Keyspace",
    "KeyspaceOptions",
    "MemoryStats",
    "Metrics",
    "Mode",
    "Options",
    "RepairReport",
    "Snapshot",
    "Stats",
    "Store",
    "Transaction",
    "Values",
    "ValuesIterator",
    "__version__",
    "check",
    "open",
    "repair",
    "restore",
]
__all__ += _errors.__all__
