# Made by `make generate-python`; not to be edited.
"""
The engine, as Python sees it. Use the package `lightning_db` instead.
"""

from _typeshed import SupportsGetItem
from typing import Final, SupportsFloat, SupportsIndex, final
from typing_extensions import Buffer, disjoint_base
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self, TypeVar, overload

from _typeshed import SupportsKeysAndGetItem

from lightning_db._types import Consistency, Isolation, MemoryStats, Metrics, Stats

_K = TypeVar("_K", bound=Buffer)
_T = TypeVar("_T")

__all__ = ["MAX_KEY_LEN", "MAX_VALUE_LEN", "VERSION", "Batch", "Database", "ItemsIterator", "KeysIterator", "Keyspace", "Reader", "Snapshot", "Store", "Transaction", "ValuesIterator", "_check", "_error", "_error_kinds", "_isolations", "_keyspace_options", "_levels", "_meanings", "_nothing", "_options", "_repair", "restore"]

MAX_KEY_LEN: Final[int]
MAX_VALUE_LEN: Final[int]
VERSION: Final[str]

@final
class Batch:
    """
    Writes that are applied all or not at all, in their order. Made by `batch()` of a database or a
    keyspace; they go there, or to the keyspace that a write names.

    `with` writes them at its end, or drops them if there was an exception, and closes the batch. They are held in
    memory: at most 1 GiB. May be used from several threads.
    """
    def __delitem__(self, key: Buffer, /) -> None: ...
    def __enter__(self, /) -> Batch: ...
    def __exit__(self, kind: object, error: object, traceback: object, /) -> None: ...
    def __len__(self, /) -> int:
        """
        Number of writes.
        """
    def __setitem__(self, key: Buffer, value: Buffer, /) -> None: ...
    def clear(self, /) -> None:
        """
        Forgets all writes.
        """
    def close(self, /) -> None:
        """
        Drops what has not been written. Later calls raise `ClosedError`; closing again does nothing.
        """
    @property
    def closed(self, /) -> bool:
        """
        Whether the batch, or its database, has been closed.
        """
    def delete(self, /, key: Buffer, keyspace: Keyspace | None = None) -> None:
        """
        Adds a delete, in `keyspace` if one is named; an absent key is no error. Fails as `put`.
        """
    def put(self, /, key: Buffer, value: Buffer, keyspace: Keyspace | None = None) -> None:
        """
        Adds a put, into `keyspace` if one is named. Errors: `InvalidArgumentError` if key, value or batch get too large,
        or the keyspace is of another database; `NotFoundError` if it has been dropped.
        """
    @property
    def size(self, /) -> int:
        """
        Bytes of all keys and values.
        """
    def write(self, /, consistency: Consistency | None = None, timeout: SupportsFloat | SupportsIndex | None = None) -> None:
        """
        Writes all now. The batch is then empty and may be filled again; if it fails, it is as before.

        `consistency` and `timeout` come before those of `batch()`. Blocks as a write does. Errors: those of `Database.put`.
        """

@disjoint_base
class Database(Store):
    """
    The native half of `lightning_db.Database`.
    """
    def __new__(cls, /, path: str, mode: str = "rwc", **options: Any) -> Self: ...
    def _abandon(self, /) -> None:
        """
        Never closes the database when the last handle goes: in a child process it is the parent's.
        """
    def _backup(self, /, target: str) -> None:
        """
        Copies all that is committed into a folder that is absent or empty.
        """
    def _compact(self, /, progress: Callable[[int, int, int], object] | None = None) -> None:
        """
        Merges all tables; `progress` is called with the fields of `CompactionProgress`.
        """
    def _memory_stats(self, /) -> MemoryStats:
        """
        Figures by name.
        """
    def _metrics(self, /) -> Metrics:
        """
        Figures by name.
        """
    def _prometheus(self, /, labels: SupportsGetItem[int, tuple[str, str]]) -> str:
        """
        Metrics as text, with labels.
        """
    def _stats(self, /) -> Stats:
        """
        Figures by name.
        """
    def clear_cache(self, /) -> None:
        """
        Empties the cache of pages and rows.
        """
    def close(self, /) -> None:
        """
        Closes the database for all its handles: later calls on them raise `ClosedError`.

        Waits for running commits and background work, writes what is in memory and releases the folder, with the
        interpreter's lock released. Closing again does nothing. Errors: the failure that halted the database, or one
        of the last writes; the folder is released all the same.
        """
    def drop_keyspace(self, /, name: str) -> None:
        """
        Drops a keyspace with all that is in it, for all its handles: later calls on them raise `NotFoundError`, an
        iterator that runs goes on. What was committed before is durable then. Blocks for the disk, with the interpreter's lock
        released.

        Errors: `NotFoundError`, `InvalidArgumentError` for "default", `NoSpaceError`, `ReadOnlyError`, `HaltedError`,
        `ClosedError`, `IoError`.
        """
    def flush(self, /) -> None:
        """
        Writes all that is in memory to tables. Blocks until done, with the interpreter's lock released.
        """
    def list_keyspaces(self, /) -> list[str]:
        """
        The names of all keyspaces, sorted; "default" is among them: its keys are those of the database. Errors:
        `ClosedError`.
        """

@final
class ItemsIterator:
    """
    Keys and values of a scan, in key order.

    Closes itself at its end; `with` and `close()` do so before. May be used from several threads, which
    then take turns. An error is raised, never an early end, and again at every later step.
    """
    def __enter__(self, /) -> ItemsIterator: ...
    def __exit__(self, /, *_error: object) -> None: ...
    def __iter__(self, /) -> ItemsIterator: ...
    def __next__(self, /) -> tuple[bytes, bytes]: ...
    def close(self, /) -> None:
        """
        Releases what the iterator holds. Later steps raise `ClosedError`; closing again does nothing.
        """
    @property
    def closed(self, /) -> bool:
        """
        Whether the iterator, or its database, has been closed.
        """

@final
class KeysIterator:
    """
    Keys of a scan, in order.

    Closes itself at its end; `with` and `close()` do so before. May be used from several threads, which
    then take turns. An error is raised, never an early end, and again at every later step.
    """
    def __enter__(self, /) -> KeysIterator: ...
    def __exit__(self, /, *_error: object) -> None: ...
    def __iter__(self, /) -> KeysIterator: ...
    def __next__(self, /) -> bytes: ...
    def close(self, /) -> None:
        """
        Releases what the iterator holds. Later steps raise `ClosedError`; closing again does nothing.
        """
    @property
    def closed(self, /) -> bool:
        """
        Whether the iterator, or its database, has been closed.
        """

class Keyspace(Store):
    """
    The native half of `lightning_db.Keyspace`.
    """
    def __new__(cls, db: Database, name: str, make: bool = False, /, **options: Any) -> Self:
        """
        The keyspace of a name; `make`: a new one, with options.
        """
    def close(self, /) -> None:
        """
        Closes this handle alone: later calls on it raise `ClosedError`, and what was made from it goes on. Closing again
        does nothing.
        """
    @property
    def name(self, /) -> str:
        """
        Its name.
        """

@disjoint_base
class Reader:
    """
    What databases, keyspaces, snapshots and transactions have in common.
    """
    def __bool__(self, /) -> bool: ...
    def __contains__(self, key: object, /) -> bool: ...
    @overload
    def __getitem__(self, key: Buffer, /) -> bytes: ...
    @overload
    def __getitem__(self, key: slice[Buffer | None, Buffer | None, None], /) -> ItemsIterator: ...
    def __iter__(self, /) -> KeysIterator: ...
    def __len__(self, /) -> int:
        """
        Counts the keys by walking over all of them.
        """
    def __reversed__(self, /) -> KeysIterator: ...
    def _items(self, start: Buffer | None = None, stop: Buffer | None = None, /, **bounds: Any) -> ItemsIterator:
        """
        Entries between bounds; see `items`.
        """
    def _keys(self, start: Buffer | None = None, stop: Buffer | None = None, /, **bounds: Any) -> KeysIterator:
        """
        Keys between bounds; see `keys`.
        """
    def _values(self, start: Buffer | None = None, stop: Buffer | None = None, /, **bounds: Any) -> ValuesIterator:
        """
        Values between bounds; see `values`.
        """
    @property
    def closed(self, /) -> bool:
        """
        Whether it, or its database, has been closed.
        """
    @overload
    def get(self, key: Buffer, default: None = None, /) -> bytes | None: ...
    @overload
    def get(self, key: Buffer, default: _T, /) -> bytes | _T:
        """
        The value of a key, or `default` if it is absent.

        Looks in memory first and releases the interpreter's lock only to read from the disk.
        """
    def get_many(self, /, keys: Iterable[Buffer]) -> list[bytes | None]:
        """
        The values of several keys, all as of one instant, in the order of the keys; `None` for an absent key.

        What is in memory is read with the interpreter's lock held, in stretches of 1024 keys, the rest without.
        """
    @property
    def path(self, /) -> str:
        """
        The folder of the database, absolute.
        """

@disjoint_base
class Snapshot(Reader):
    """
    The native half of `lightning_db.Snapshot`.
    """
    def __new__(cls, /, store: Store, part_of: Snapshot | None = None) -> Self:
        """
        A new one of `store`, or the one of `part_of` through the keyspace `store`.
        """
    def close(self, /) -> None:
        """
        Releases the snapshot, in all keyspaces; one made by `keyspace()` is closed alone. Later calls raise `ClosedError`;
        iterators that were made go on. Closing again does nothing.
        """

class Store(Reader):
    """
    What databases and keyspaces have in common.
    """
    def __delitem__(self, key: Buffer, /) -> None: ...
    def __setitem__(self, key: Buffer, value: Buffer, /) -> None: ...
    def _approximate_size(self, start: Buffer | None = None, stop: Buffer | None = None, /, **bounds: Any) -> int: ...
    def _count(self, start: Buffer | None = None, stop: Buffer | None = None, /, **bounds: Any) -> int: ...
    def _pause_before_retry(self, /, attempt: SupportsIndex, code: SupportsIndex) -> float | None:
        """
        Seconds to wait before a transaction that lost is tried again; `None`: not at all.
        """
    def batch(self, /, consistency: Consistency | None = None, timeout: SupportsFloat | SupportsIndex | None = None) -> Batch:
        """
        An empty batch, to be filled and then written as one.

        `consistency`, `timeout`: those with which it is written. It writes here, and where a write names a keyspace, there.
        """
    def delete(self, /, key: Buffer, consistency: Consistency | None = None, timeout: SupportsFloat | SupportsIndex | None = None) -> None:
        """
        Deletes a key; an absent one is no error. Blocks and fails as `put`.
        """
    def delete_many(self, /, keys: Iterable[Buffer], consistency: Consistency | None = None, timeout: SupportsFloat | SupportsIndex | None = None) -> None:
        """
        Deletes several keys, all or none; absent ones are no error. Blocks and fails as `put`.
        """
    def ingest(self, /, entries: Mapping[_K, Buffer] | Iterable[tuple[Buffer, Buffer]]) -> int:
        """
        Loads entries whose keys rise strictly, in the order of this mapping, straight into tables: much cheaper than
        writing them. They come from a mapping or an iterable of pairs. How many there were.

        All of them become visible at once, on stable storage, when this returns. If the iterable raises, that comes through, and
        nothing is written. Blocks for the disk, with the interpreter's lock released; what was in memory is written to
        tables first. Transactions that have read a key between the first and the last one meet a `ConflictError`.

        Errors: `InvalidArgumentError` (keys that do not rise, too long), `NoSpaceError`, `ReadOnlyError`, `HaltedError`,
        `ClosedError`, `IoError`; of a keyspace also `NotFoundError`. Nothing is written then.
        """
    def put(self, /, key: Buffer, value: Buffer, consistency: Consistency | None = None, timeout: SupportsFloat | SupportsIndex | None = None) -> None:
        """
        Puts a value.

        `consistency` says how far the write has got when the call returns: "strong" (on stable storage), "quorum"
        (with the operating system), "eventual" (in memory); `None` is the default of the database. Key: up to 65,535
        bytes. Value: up to 1 GiB. Blocks for the disk at "strong" and while flush is far behind, with the
        interpreter's lock released. `timeout`: for so many seconds at most while flush is behind; the sync of a
        "strong" write is waited for all the same.

        Errors: `InvalidArgumentError` (too long), `TimedOutError` (nothing was written), `NoSpaceError`, `ReadOnlyError`,
        `HaltedError`, `ClosedError`, `IoError`; of a keyspace also `NotFoundError` once it has been dropped.
        """
    def put_many(self, /, items: SupportsKeysAndGetItem[_K, Buffer] | Iterable[tuple[Buffer, Buffer]], consistency: Consistency | None = None, timeout: SupportsFloat | SupportsIndex | None = None) -> None:
        """
        Puts all entries of a mapping or of an iterable of pairs, all or none. Blocks and fails as `put`.
        """

@disjoint_base
class Transaction(Reader):
    """
    The native half of `lightning_db.Transaction`.
    """
    def __delitem__(self, key: Buffer, /) -> None: ...
    def __new__(cls, /, store: Store, isolation: Isolation = "serializable", part_of: Transaction | None = None) -> Self:
        """
        A new one of `store`, or the one of `part_of` through the keyspace `store`.
        """
    def __setitem__(self, key: Buffer, value: Buffer, /) -> None: ...
    @property
    def _ended(self, /) -> bool:
        """
        Whether it has been committed or taken back; one whose database was closed under it has not.
        """
    @property
    def _is_part(self, /) -> bool:
        """
        Whether it is another one seen through a keyspace.
        """
    def abort(self, /) -> None:
        """
        Takes everything back, in all keyspaces. Errors: `ClosedError` if it has ended.
        """
    def close(self, /) -> None:
        """
        As `abort`; does nothing if the transaction has ended. One made by `keyspace()` is closed alone: the transaction
        goes on.
        """
    def commit(self, /, consistency: Consistency | None = None) -> None:
        """
        Commits the writes in all keyspaces. The transaction has then ended, whatever the outcome.

        `consistency`: strong, "quorum" or "eventual"; `None` is the default of the database. Blocks as a write
        does, with the interpreter's lock released. Errors: `ConflictError` if what was read has changed.
        """
    def delete(self, /, key: Buffer) -> None:
        """
        Deletes a key; an absent one is no error.
        """
    def put(self, /, key: Buffer, value: Buffer) -> None:
        """
        Puts a value, for this transaction to see at once and for all others when it commits.
        """

@final
class ValuesIterator:
    """
    Values of a scan, in key order.

    Closes itself at its end; `with` and `close()` do so before. May be used from several threads, which
    then take turns. An error is raised, never an early end, and again at every later step.
    """
    def __enter__(self, /) -> ValuesIterator: ...
    def __exit__(self, /, *_error: object) -> None: ...
    def __iter__(self, /) -> ValuesIterator: ...
    def __next__(self, /) -> bytes: ...
    def close(self, /) -> None:
        """
        Releases what the iterator holds. Later steps raise `ClosedError`; closing again does nothing.
        """
    @property
    def closed(self, /) -> bool:
        """
        Whether the iterator, or its database, has been closed.
        """

def _check(path: str, progress: Callable[[int, int], object] | None = None, **options: Any) -> dict[str, Any]:
    """
    Looks at every byte.
    """

def _error(code: SupportsIndex) -> None:
    """
    Raises the error with a number, as a failed call does. For tests.
    """

def _error_kinds() -> list[tuple[int, str, bool]]:
    """
    Number, name and whether the same call may succeed later, for each kind of error.
    """

def _isolations() -> list[str]:
    """
    The names of the isolations.
    """

def _keyspace_options() -> list[str]:
    """
    The names of the options that a keyspace has too: it takes a value of the right type for no others.
    """

def _levels() -> list[str]:
    """
    The names of the levels.
    """

def _meanings() -> list[tuple[str, str, str]]:
    """
    The figures of `stats`, `metrics` and `memory_stats`: their type, name, and what they say.
    """

def _nothing(key: Buffer, /) -> None:
    """
    Does nothing with a key, as every call does it. For measuring.
    """

def _options() -> list[tuple[str, str, str]]:
    """
    Name, what it takes in words, and what there is to say of it, for each option.
    """

def _repair(path: str, progress: Callable[[int, int], object] | None = None, **options: Any) -> dict[str, Any]:
    """
    Looks at every byte, and mends.
    """

def restore(source: str, target: str) -> None:
    """
    Restores a backup to a folder that is absent or empty.
    """
