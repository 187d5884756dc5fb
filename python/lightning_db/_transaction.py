"""Transactions as mappings."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import TYPE_CHECKING

from lightning_db import _native
from lightning_db._mapping import Ordered

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from lightning_db._keyspace import Keyspace


class Transaction(_native.Transaction, Ordered, MutableMapping[bytes, bytes]):
    """A transaction, as a mapping. Made by `transaction()` of a database or a keyspace.

    Reads see the database as it was at the beginning, and the transaction's own writes. Nothing is visible to others
    before the commit. `with` commits at its end, or aborts if there was an exception. A transaction that is collected
    before it has ended is taken back.

    It holds no lock. If another commit has changed what it read (a key, or a range that it scanned), its own commit
    raises `ConflictError`; `Database.transact` tries again in that case. All its writes are held in memory: at most
    1 GiB. May be used from several threads.
    """

    __slots__ = ()
    __module__ = "lightning_db"

    def clear(self) -> None:
        """Deletes all keys."""
        for key in self._keys():
            self.delete(key)

    def keyspace(self, keyspace: Keyspace) -> Transaction:
        """This transaction through a keyspace. Both are one: a commit or an abort of either ends it in all keyspaces.

        `close` and `with` of what this gives close that alone, and end nothing. Errors: `ClosedError`; at its calls
        `NotFoundError` if the keyspace was dropped, `InvalidArgumentError` if it is one of another database.
        """
        return Transaction(keyspace, part_of=self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None and not (self._ended or self._is_part):
            self.commit()
        else:
            self.close()
