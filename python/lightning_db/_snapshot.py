"""Snapshots as read-only mappings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lightning_db import _native
from lightning_db._mapping import Ordered

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self


class Snapshot(_native.Snapshot, Ordered):
    """The database as it was when the snapshot was taken, as a read-only mapping. Made by `Database.snapshot()`.

    Never changes and never blocks a writer; keeps old versions on disk until it is closed or collected.
    """

    __slots__ = ()
    __module__ = "lightning_db"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
