"""Keyspaces as mappings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lightning_db import _native
from lightning_db._store import Store

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self


class Keyspace(_native.Keyspace, Store):
    """A keyspace (elsewhere: column family) of a database, as a mapping. Made by `Database.keyspace()` and `create_keyspace()`.

    Its keys are its own, with an order, page size and codec of their own; a batch, a transaction or a snapshot spans all
    keyspaces. A handle is cheap, may be used from any number of threads, and keeps its database from being collected. Closing
    it is never needed, and closes it alone; when the database is closed, its calls raise `ClosedError`, and once the
    keyspace has been dropped, `NotFoundError`.
    """

    __slots__ = ()
    __module__ = "lightning_db"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self.closed else "open"
        return f"<lightning_db.Keyspace {self.name!r} of {self.path!r} {state}>"
