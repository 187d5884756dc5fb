"""Loading sorted entries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import lightning_db
from lightning_db import Database


def entries(count: int) -> Iterator[tuple[bytes, bytes]]:
    return ((b"%06d" % number, b"x" * (number % 100)) for number in range(count))


def tables(db: Database) -> int:
    return len(list(Path(db.path).glob("*.table")))


def test_it_loads_all_at_once(db: Database) -> None:
    users = db.create_keyspace("users", comparator="decimal")
    db[b"000007"] = b"old"
    seen = []

    def watched() -> Iterator[tuple[bytes, bytes]]:
        for entry in entries(5000):
            seen.append(db.get(b"000006"))
            yield entry

    assert db.ingest(watched()) == 5000
    assert set(seen) == {None} and dict(db) == dict(entries(5000))
    assert users.ingest([(bytearray(b"9"), memoryview(b"1")), [b"10", b"2"]]) == 2  # type: ignore[list-item]
    assert list(users) == [b"9", b"10"] and db.ingest([]) == 0
    assert users.ingest(iter(users.items())) == 2
    assert users.ingest({b"11": b"3", b"12": b"4"}) == 2 and users.ingest(users) == 4


def test_what_fails_leaves_nothing(db: Database) -> None:
    db[b"a"] = b"1"
    db.flush()
    before = tables(db)

    def fails(kind: type[BaseException]) -> Iterator[tuple[bytes, bytes]]:
        yield from entries(3000)
        raise kind("mine")

    for kind in (KeyError, KeyboardInterrupt):
        with pytest.raises(kind, match="mine"):
            db.ingest(fails(kind))
    with pytest.raises(lightning_db.InvalidArgumentError):
        db.ingest([*entries(2000), (b"000000", b"")])
    with pytest.raises(ValueError, match="3 parts"):
        db.ingest([(b"a", b"b", b"c")])  # type: ignore[list-item]
    for wrong in ({b"ab": "text"}, [(b"b", "text")], 3, [b"cd"]):
        with pytest.raises(TypeError):
            db.ingest(wrong)  # type: ignore[arg-type]
    assert dict(db) == {b"a": b"1"} and tables(db) == before


def test_the_iterable_may_use_and_close_the_database(db: Database) -> None:
    def writes() -> Iterator[tuple[bytes, bytes]]:
        for entry in entries(2000):
            db[b"other"] = entry[0]
            yield entry

    assert db.ingest(writes()) == 2000
    assert db[b"other"] == b"001999" and len(db) == 2001

    def closes() -> Iterator[tuple[bytes, bytes]]:
        db.close()
        yield from entries(2000)

    with pytest.raises(lightning_db.ClosedError):
        db.ingest(closes())
    with lightning_db.open(db.path) as again:
        assert len(again) == 2001
