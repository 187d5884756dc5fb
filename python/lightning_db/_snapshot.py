"""Snapshots as read-only mappings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lightning_db import _native
from lightning_db._mapping import Ordered

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from lightning_db._keyspace import Keyspace


class Snapshot(_native.Snapshot, Ordered):
    """The database as it was when the snapshot was taken, as a read-only mapping. Made by `snapshot()` of
    a database or a keyspace.

    Never changes and never blocks a writer; keeps old versions on disk until it is closed or collected.
    """

    __slots__ = ()
    __module__ = "lightning_db"

    def keyspace(self, keyspace: Keyspace) -> Snapshot:
        """This snapshot through a keyspace. Closing the snapshot closes what this gives; that closes alone.

        Errors: `ClosedError`; at its calls `NotFoundError` if the keyspace was dropped, `InvalidArgumentError` if it is
        one of another database.
        """
        return Snapshot(keyspace, self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
