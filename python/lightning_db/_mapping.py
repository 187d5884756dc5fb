"""What databases, snapshots and transactions share as mappings: live views and scans."""

from __future__ import annotations

from collections.abc import ItemsView, KeysView, Mapping, ValuesView
from typing import TYPE_CHECKING, TypedDict, overload

if TYPE_CHECKING:
    from typing import Unpack

    from typing_extensions import Buffer

    from lightning_db._native import ItemsIterator, KeysIterator, ValuesIterator


class Bounds(TypedDict, total=False):
    """Which entries a scan gives, as keyword arguments. `None` leaves one out."""

    gt: Buffer | None
    """Keys behind this one."""
    gte: Buffer | None
    """This key and those behind it; `start` is the same."""
    lt: Buffer | None
    """Keys in front of this one; `stop` is the same."""
    lte: Buffer | None
    """This key and those in front of it."""
    prefix: Buffer | None
    """Of these, keys that start so."""
    reverse: bool | None
    """From the last to the first."""
    limit: int | None
    """At most so many."""


class Keys(KeysView[bytes]):
    """All keys, in order. Live: each iteration sees what is there when it begins."""

    __slots__ = ()
    _mapping: Ordered

    def __iter__(self) -> KeysIterator:
        return self._mapping._keys()

    def __reversed__(self) -> KeysIterator:
        return self._mapping._keys(reverse=True)


class Values(ValuesView[bytes]):
    """All values, in the order of their keys. Live: each iteration sees what is there when it begins."""

    __slots__ = ()
    _mapping: Ordered

    def __iter__(self) -> ValuesIterator:
        return self._mapping._values()

    def __reversed__(self) -> ValuesIterator:
        return self._mapping._values(reverse=True)


class Items(ItemsView[bytes, bytes]):
    """All entries, in the order of their keys. Live: each iteration sees what is there when it begins."""

    __slots__ = ()
    _mapping: Ordered

    def __iter__(self) -> ItemsIterator:
        return self._mapping._items()

    def __reversed__(self) -> ItemsIterator:
        return self._mapping._items(reverse=True)


class Ordered(Mapping[bytes, bytes]):
    """A mapping with keys in order, on top of a native `Reader`.

    Equality is identity. `len()` is exact, and walks over all keys; `list(db)` and `list(db.items())` ask for it first,
    which `list(iter(db))` and a list comprehension do not.
    """

    __slots__ = ()

    if TYPE_CHECKING:
        # Of `Reader`.
        def _keys(
            self, start: Buffer | None = None, stop: Buffer | None = None, /, **bounds: Unpack[Bounds]
        ) -> KeysIterator: ...
        def _values(
            self, start: Buffer | None = None, stop: Buffer | None = None, /, **bounds: Unpack[Bounds]
        ) -> ValuesIterator: ...
        def _items(
            self, start: Buffer | None = None, stop: Buffer | None = None, /, **bounds: Unpack[Bounds]
        ) -> ItemsIterator: ...
        @property
        def closed(self) -> bool: ...
        @property
        def path(self) -> str: ...

    __eq__ = object.__eq__
    __hash__ = object.__hash__

    @overload
    def keys(self) -> Keys: ...
    @overload
    def keys(
        self, start: Buffer | None = None, stop: Buffer | None = None, **bounds: Unpack[Bounds]
    ) -> KeysIterator: ...
    def keys(
        self, start: Buffer | None = None, stop: Buffer | None = None, **bounds: Unpack[Bounds]
    ) -> Keys | KeysIterator:
        """Keys in order: all of them as a live view, or those between bounds (see `items`) as an iterator."""
        if start is None and stop is None and not bounds:
            return Keys(self)
        return self._keys(start, stop, **bounds)

    @overload
    def values(self) -> Values: ...
    @overload
    def values(
        self, start: Buffer | None = None, stop: Buffer | None = None, **bounds: Unpack[Bounds]
    ) -> ValuesIterator: ...
    def values(
        self, start: Buffer | None = None, stop: Buffer | None = None, **bounds: Unpack[Bounds]
    ) -> Values | ValuesIterator:
        """Values in key order: all of them as a live view, or those between bounds (see `items`) as an iterator."""
        if start is None and stop is None and not bounds:
            return Values(self)
        return self._values(start, stop, **bounds)

    @overload
    def items(self) -> Items: ...
    @overload
    def items(
        self, start: Buffer | None = None, stop: Buffer | None = None, **bounds: Unpack[Bounds]
    ) -> ItemsIterator: ...
    def items(
        self, start: Buffer | None = None, stop: Buffer | None = None, **bounds: Unpack[Bounds]
    ) -> Items | ItemsIterator:
        """Pairs of key and value in key order: all of them as a live view, or those between bounds as an iterator.

        Without arguments, the view is that of a dict: it can be walked many times, and is neither an iterator (`next`
        takes `iter(db.items())`) nor to be closed with `with`. With any of them, an iterator of the entries from `start`
        (included) to `stop` (left out), with the keyword arguments of `Bounds`: `gt`, `gte`, `lt`, `lte`, `prefix`,
        `reverse`, `limit`. `db[start:stop]` is `db.items(start, stop)`.

        An iterator sees the entries as they are when it is made. It closes itself at its end; use it in a `with`, or
        call its `close()`, to leave it before. It reads ahead a page at a time, with the interpreter's lock released.

        Errors: `InvalidArgumentError` (two bounds of one side, a negative limit), `ClosedError`, and at each step
        `ClosedError`, `CorruptionError`, `IoError`: an error is never an early end.
        """
        if start is None and stop is None and not bounds:
            return Items(self)
        return self._items(start, stop, **bounds)

    def __repr__(self) -> str:
        state = "closed" if self.closed else "open"
        return f"<lightning_db.{type(self).__name__} {self.path!r} {state}>"
