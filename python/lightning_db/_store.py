"""What databases and keyspaces share as mappings: writes, transactions, figures about keys."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, MutableMapping
from itertools import islice
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, overload

from lightning_db import _native
from lightning_db._errors import ConflictError
from lightning_db._mapping import Ordered
from lightning_db._snapshot import Snapshot
from lightning_db._transaction import Transaction

if TYPE_CHECKING:
    from typing import Unpack

    from _typeshed import SupportsKeysAndGetItem
    from typing_extensions import Buffer

    from lightning_db._mapping import Bounds
    from lightning_db._types import Consistency, Isolation

K = TypeVar("K", bound="Buffer")
T = TypeVar("T")

_MISSING: Any = object()

# Keys that `clear` deletes at a time.
_CLEARED_AT_ONCE = 10_000


class Store(_native.Store, Ordered, MutableMapping[bytes, bytes]):
    """What a `Database` and a `Keyspace` are both: a mapping of bytes to bytes with its keys in order.

    What works with either takes a `Store`.
    """

    __slots__ = ()
    __module__ = "lightning_db"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a database cannot be pickled or copied: pass its path, and open it once, in one process")

    def snapshot(self) -> Snapshot:
        """Takes a snapshot of what is visible now, in all keyspaces. Errors: `ClosedError`."""
        return Snapshot(self)

    def transaction(self, isolation: Isolation = "serializable") -> Transaction:
        """Begins a transaction. It spans all keyspaces; `Transaction.keyspace` shows it through another one.

        `isolation`: "serializable" checks at the commit what was read, so that the outcome is that of some serial order;
        "snapshot" checks only the keys written, so that two transactions that each read what the other writes may
        both commit. Errors: `TooManyError`, `HaltedError`, `ClosedError`.
        """
        return Transaction(self, isolation)

    def transact(
        self,
        work: Callable[[Transaction], T],
        *,
        isolation: Isolation = "serializable",
        consistency: Consistency | None = None,
    ) -> T:
        """Calls `work` with a transaction, commits it and returns what `work` returned.

        When the transaction meets a `ConflictError`, `work` is called again with a new one after a short pause, so it may
        run several times; after 1000 attempts the error is raised. Any other exception of `work` takes the
        transaction back and is raised. Errors: also those of `transaction` and of `put`.
        """
        attempt = 1
        while True:
            with self.transaction(isolation) as transaction:
                try:
                    result = work(transaction)
                    if not transaction._ended:
                        transaction.commit(consistency)
                    return result
                except ConflictError as error:
                    pause = self._pause_before_retry(attempt, error.code)
                    if pause is None:
                        raise
                    # It may be one of another transaction, raised in `work`.
                    transaction.close()
            time.sleep(pause)
            attempt += 1

    def update(
        self,
        other: SupportsKeysAndGetItem[K, Buffer] | Iterable[tuple[Buffer, Buffer]] = (),
        /,
        *,
        consistency: Consistency | None = None,
        timeout: float | None = None,
    ) -> None:
        """As `put_many`: all or none. Keys are bytes, so there are no keyword arguments for them."""
        self.put_many(other, consistency, timeout)

    @overload
    def pop(self, key: Buffer, /) -> bytes: ...
    @overload
    def pop(self, key: Buffer, default: T, /) -> bytes | T: ...
    def pop(self, key: Buffer, default: Any = _MISSING, /) -> Any:
        """Deletes a key and returns its value, as one: of several threads, one gets it."""

        def take(transaction: Transaction) -> bytes | None:
            value = transaction.get(key)
            if value is not None:
                transaction.delete(key)
            return value

        value = self.transact(take)
        if value is not None:
            return value
        if default is _MISSING:
            raise KeyError(key)
        return default

    def popitem(self) -> tuple[bytes, bytes]:
        """Deletes the smallest key and returns it with its value, as one: of several threads, one gets it."""

        def take(transaction: Transaction) -> tuple[bytes, bytes] | None:
            for key, value in transaction.items(limit=1):
                transaction.delete(key)
                return key, value
            return None

        item = self.transact(take)
        if item is None:
            raise KeyError("there are no keys")
        return item

    def setdefault(self, key: Buffer, default: Buffer, /) -> bytes:
        """The value of a key; if it is absent, puts `default` and returns it, as one."""

        def settle(transaction: Transaction) -> bytes:
            value = transaction.get(key)
            if value is not None:
                return value
            transaction.put(key, default)
            return bytes(default)

        return self.transact(settle)

    def clear(self) -> None:
        """Deletes all keys, 10,000 at a time: who reads meanwhile may see some of them gone."""
        with self._keys() as keys:
            while some := list(islice(keys, _CLEARED_AT_ONCE)):
                self.delete_many(some)

    def count(
        self, start: Buffer | None = None, stop: Buffer | None = None, **bounds: Unpack[Bounds]
    ) -> int:
        """How many entries `items` with these bounds gives: exact, and as much work as walking over their keys.

        Blocks until done, with the interpreter's lock released; signals get through. Errors: as `items`.
        """
        return self._count(start, stop, **bounds)

    def approximate_size(
        self, start: Buffer | None = None, stop: Buffer | None = None, **bounds: Unpack[Bounds]
    ) -> int:
        """About how many bytes of tables on disk the entries between bounds take; no entry is read.

        What is in memory only does not count: `flush` first to have it counted. Exact to a few pages, and grows with old
        versions that are not merged away yet. `reverse` and `limit` do not
        count. Errors: as `items`.
        """
        return self._approximate_size(start, stop, **bounds)
