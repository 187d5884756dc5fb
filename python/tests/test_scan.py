"""Scans: bounds, slices, pages, and iterators as context managers."""

from __future__ import annotations

import itertools
import operator
import random
from typing import Any

import pytest

import lightning_db
from lightning_db import Database


def test_bounds_against_a_sorted_list(db: Database) -> None:
    """All combinations of bounds over keys of one and two letters."""
    letters = [b"a", b"b", b"ba", b"bb", b"c"]
    model = {key: key.upper() for key in letters}
    db.put_many(model)
    db.flush()
    model |= {b"bab": b"", b"d": b"x"}
    db.put_many({b"bab": b"", b"d": b"x"})
    db.delete(b"bb")
    del model[b"bb"]
    holds = {"gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le}
    for low, high, prefix, reverse in itertools.product(
        [None, ("gt", b"b"), ("gte", b"b"), ("gte", b"c"), ("start", b"ba")],
        [None, ("lt", b"bb"), ("lte", b"bb"), ("lt", b"a"), ("stop", b"c")],
        [None, b"", b"b", b"ba", b"zz"],
        [False, True],
    ):
        named: dict[str, Any] = dict(bound for bound in (low, high) if bound)
        expected = [
            (key, value)
            for key, value in sorted(model.items(), reverse=reverse)
            if all(holds[{"start": "gte", "stop": "lt"}.get(name, name)](key, bound) for name, bound in named.items())
            and key.startswith(prefix or b"")
        ]
        bounds = dict(named, prefix=prefix, reverse=reverse)
        assert list(db.items(**bounds)) == expected, bounds
        assert list(db.keys(**bounds, limit=2)) == [key for key, _ in expected[:2]]
        assert list(db.values(**bounds)) == [value for _, value in expected]


def test_slices(db: Database) -> None:
    db.put_many({b"a": b"1", b"b": b"2", b"c": b"3"})
    assert list(db[b"a":b"c"]) == [(b"a", b"1"), (b"b", b"2")]
    assert [key for key, _ in db[b"b":]] == [b"b", b"c"]
    assert [key for key, _ in db[:b"b"]] == [b"a"]
    assert len(list(db[:])) == 3 and list(db[b"c":b"a"]) == []
    with pytest.raises(lightning_db.InvalidArgumentError):
        db[b"a":b"c":2]  # type: ignore[index]
    with pytest.raises(TypeError):
        del db[b"a":b"c"]  # type: ignore[arg-type]


def test_wrong_bounds(db: Database) -> None:
    for one, other in (("gt", "gte"), ("start", "gte"), ("start", "gt"), ("lt", "lte"), ("stop", "lt"), ("stop", "lte")):
        with pytest.raises(lightning_db.InvalidArgumentError, match=f"{one} and {other}: give one of them"):
            db.items(**{one: b"", other: b""})
    wrong: list[dict[str, Any]] = [{"limit": -1}, {"limit": -(1 << 80)}]
    for bounds in wrong:
        with pytest.raises(lightning_db.InvalidArgumentError):
            db.items(**bounds)
    wrong = [{"limit": 1.5}, {"limit": "1"}, {"upto": b""}, {"limit": float("nan")}]
    for bounds in wrong:
        with pytest.raises(TypeError):
            db.keys(**bounds)
    assert list(db.items(limit=1 << 80)) == [] and list(db.items(limit=0)) == []


def test_keys_alone_with_values_of_all_kinds(db: Database) -> None:
    """Keys, counts and truth do not touch the values; a value must not come out of such a walk either."""
    db.put_many({b"a": b"1", b"b": b"", b"c": bytes(100_000)})
    with db.snapshot() as snapshot, db.transaction() as tx:
        tx[b"d"] = b"own"
        for source, keys in ((db, b"abc"), (snapshot, b"abc"), (tx, b"abcd")):
            expected = [bytes([key]) for key in keys]
            assert list(source.keys()) == list(source.keys(b"")) == expected and len(source) == len(expected)
            assert list(reversed(source.keys())) == expected[::-1] and bool(source)
            assert list(source.values())[2] == bytes(100_000) and next(iter(source.items())) == (b"a", b"1")


def test_many_pages(db: Database) -> None:
    """Entries of all sizes come once and in order, however many fit in what crosses at a time."""
    seed = random.randrange(1 << 30)
    sizes = random.Random(seed)
    model = {f"{number:06}".encode(): sizes.randbytes(sizes.choice([0, 5, 100, 3000])) for number in range(5000)}
    model[b"big"] = bytes(300_000)
    db.put_many(model)
    assert list(db.items(reverse=False)) == sorted(model.items()), seed
    assert list(db.keys(reverse=True)) == sorted(model, reverse=True), seed
    assert len(db) == len(model)


def test_an_iterator_is_as_of_its_beginning(db: Database) -> None:
    db.put_many((number.to_bytes(4), b"") for number in range(2000))
    scan = iter(db)
    next(scan)
    db.clear()
    assert sum(1 for _ in scan) == 1999


def test_iterators_close(db: Database) -> None:
    db.put_many({b"a": b"1", b"b": b"2"})
    scans: list[Any] = [db.items(reverse=False), db.keys(limit=2), db.values(b""), iter(db), iter(db.items()), db[:]]
    for scan in scans:
        assert iter(scan) is scan
        with scan as entered:
            assert entered is scan
            next(scan)
            assert not scan.closed
        assert scan.closed
        with pytest.raises(lightning_db.ClosedError):
            next(scan)
        scan.close()
    with pytest.raises(ZeroDivisionError), db.items(b"") as items:
        next(items)
        1 // 0  # noqa: B018
    done = iter(db)
    assert list(done) == [b"a", b"b"]
    assert [*done] == [] and next(done, None) is None


def test_what_was_read_ahead_is_not_given_after_the_close(db: Database) -> None:
    db.put_many((number.to_bytes(4), b"") for number in range(100))
    scans: list[Any] = [iter(db), db.items(b""), iter(db.values())]
    with db.snapshot() as snapshot, db.transaction() as tx:
        scans += [iter(snapshot), iter(tx)]
        for scan in scans:
            for _ in range(20):
                next(scan)
        db.close()
        for scan in scans:
            for _ in range(2):
                with pytest.raises(lightning_db.ClosedError):
                    next(scan)
        tx.abort()


def test_damage_is_an_error_behind_the_entries_in_front_of_it(tmp_path: Any) -> None:
    with lightning_db.open(tmp_path / "db", compression_enabled=False) as db:
        db.put_many((number.to_bytes(4), bytes(1000)) for number in range(200))
        db.flush()
    (table,) = (tmp_path / "db").glob("*.table")
    content = bytearray(table.read_bytes())
    content[len(content) // 2] ^= 1
    table.write_bytes(content)
    with lightning_db.open(tmp_path / "db") as db:
        scan, seen = iter(db), []
        with pytest.raises(lightning_db.CorruptionError) as caught:
            for key in scan:
                seen.append(key)
        assert seen == [number.to_bytes(4) for number in range(len(seen))] and 50 < len(seen) < 150
        assert caught.value.file == str(table) and isinstance(caught.value.offset, int)
        for _ in range(2):
            with pytest.raises(lightning_db.CorruptionError):
                next(scan)
        for failing in (lambda: len(db), lambda: list(db.items())):
            with pytest.raises(lightning_db.CorruptionError):
                failing()
