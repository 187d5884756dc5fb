"""The database: a store with a folder, keyspaces and upkeep."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from lightning_db import _native, _open
from lightning_db._keyspace import Keyspace
from lightning_db._store import Store

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self, Unpack

    from _typeshed import StrOrBytesPath

    from lightning_db._types import KeyspaceOptions, MemoryStats, Metrics, Options, Stats

Mode: TypeAlias = Literal["rwc", "rw", "r"]
"""Read and write, and make the database if there is none; read and write one that exists; only read one that exists."""


class CompactionProgress(NamedTuple):
    """How far a compaction has got."""

    bytes_done: int
    """Bytes of tables that have been read, or turned out to need no reading: `bytes_in` at the end."""
    bytes_in: int
    """Bytes of tables to be read, as far as is known: may rise, as what is written may be read again; never falls."""
    tables: int
    """Tables written."""


CompactionProgress.__module__ = "lightning_db"


class Database(_native.Database, Store):
    """An open database: a mapping of bytes to bytes with its keys in order. Made by `lightning_db.open`.

    May be used from any number of threads at once. Close it with `with` or `close()`: a database that is collected
    while open is closed with a `ResourceWarning`, as is one that is open when the interpreter exits.
    """

    __slots__ = ("__weakref__", "_process")
    _process: int
    __module__ = "lightning_db"

    def __new__(cls, path: StrOrBytesPath, mode: Mode = "rwc", **options: Unpack[Options]) -> Self:
        self = super().__new__(cls, os.fsdecode(path), mode, **options)
        self._process = os.getpid()
        _open.add(self)
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        _open.collected(self)

    def create_keyspace(self, name: str, **options: Unpack[KeyspaceOptions]) -> Keyspace:
        """Makes a keyspace: keys of their own, in tables of their own. It is on stable storage when this returns.

        `name`: 1 to 255 bytes of UTF-8. `options` are stored with it for good; what is left out is taken from those of the
        database. Blocks for the disk, with the interpreter's lock released. Errors: `AlreadyExistsError`,
        `InvalidArgumentError`, `NoSpaceError`, `ReadOnlyError`, `HaltedError`, `ClosedError`, `IoError`.
        """
        return Keyspace(self, name, True, **options)

    def keyspace(self, name: str) -> Keyspace:
        """The keyspace of a name; "default" has the keys of the database itself. Errors: `NotFoundError`, `ClosedError`."""
        return Keyspace(self, name)

    def stats(self) -> Stats:
        """Figures about the database, each taken at its own instant.

        `total_keys` is an estimate, `len()` is exact. `background_error` is what last went wrong in the background, or `None`.
        Errors: `ClosedError`.
        """
        return self._stats()

    def metrics(self) -> Metrics:
        """Counters since the database was opened, rates and latencies, by name; the name says the unit.

        Rates, averages and quantiles are about the time since the last call that is at least 10 seconds old, or since the
        database was opened. Errors: `ClosedError`.
        """
        return self._metrics()

    def memory_stats(self) -> MemoryStats:
        """Bytes in memory by what they are for. Errors: `ClosedError`."""
        return self._memory_stats()

    def prometheus(self, labels: Mapping[str, str] | None = None) -> str:
        """The metrics in Prometheus' text format (`text/plain; version=0.0.4`).

        `labels` stand on every line, to tell databases apart; in their names, what is no letter, digit or `_` becomes `_`.
        Errors: `ClosedError`.
        """
        return self._prometheus(list((labels or {}).items()))

    def compact(self, progress: Callable[[CompactionProgress], object] | None = None) -> None:
        """Merges all tables of each keyspace into one level, without what nobody can see any more.

        Blocks until done, with the interpreter's lock released; others read and write on. Goes piece by piece, so it needs
        room for a second copy of some hundred MiB. `progress` is called now and then, on this thread: `False` ends the
        compaction with `CancelledError`, an exception ends it and comes through, as that of a signal does. It must not
        call `close` or `compact` itself.

        Errors: `NoSpaceError`, `CorruptionError`, `ReadOnlyError`, `HaltedError`, `ClosedError`, `IoError`;
        `CancelledError` also when another thread closes the database.
        """
        if progress is None:
            self._compact()
        else:
            self._compact(lambda *figures: progress(CompactionProgress(*figures)))

    def backup(self, target: StrOrBytesPath) -> None:
        """Copies all that is committed into `target`, a folder that is absent or empty (missing parents are made).

        Others read and write on. Blocks until the copy is on stable storage and verified, with the interpreter's lock
        released. Errors: `AlreadyExistsError`, `InvalidArgumentError` (inside the database), `NoSpaceError`,
        `CorruptionError`, `HaltedError`, `ClosedError`, `IoError`; `ReadOnlyError` in mode "r": the writer makes backups.
        """
        self._backup(os.fsdecode(target))


def open(path: StrOrBytesPath, mode: Mode = "rwc", **options: Unpack[Options]) -> Database:
    """Opens the database in a folder.

    `mode`: "rwc" makes the database if there is none, "rw" wants one that exists. "r" wants one too and only reads: it shows
    what was committed at that moment, takes no lock, so another process may have it open, and its writes are
    `ReadOnlyError`. `options`: see `Options`. Blocks while what is in the log is replayed, with the interpreter's lock
    released.

    Errors: `LockedError` (open elsewhere, also in this process), `NotFoundError`, `NotADatabaseError`,
    `InvalidArgumentError`, `MismatchError` (another order of keys), `CorruptionError`, `UnsupportedVersionError`,
    `PermissionDeniedError`, `NoSpaceError`, `IoError`; `TimedOutError` in mode "r" if the writer changed the files again and
    again.
    """
    return Database(path, mode, **options)


def restore(source: StrOrBytesPath, target: StrOrBytesPath) -> None:
    """Restores a backup to `target`, a folder that is absent or empty, every byte verified; then `open` it.

    Blocks until done, with the interpreter's lock released. Errors: `NotFoundError`, `AlreadyExistsError`,
    `CorruptionError`, `NoSpaceError`, `IoError`.
    """
    _native.restore(os.fsdecode(source), os.fsdecode(target))
