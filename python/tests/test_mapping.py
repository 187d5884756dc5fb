"""A database, a snapshot and a transaction are mappings."""

from __future__ import annotations

import tempfile
from collections.abc import ItemsView, Iterator, KeysView, Mapping, MutableMapping, ValuesView
from test import mapping_tests  # type: ignore[import-not-found]
from typing import Any

import pytest

import lightning_db
from lightning_db import Database


class TestMappingProtocol(mapping_tests.BasicTestMappingProtocol):  # type: ignore[misc]
    """The interpreter's own tests of what a mapping is."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.db = lightning_db.open(folder.name, default_level="eventual")
        self.addCleanup(self.db.close)

    def _reference(self) -> dict[bytes, bytes]:
        return {b"1": b"2", b"key1": b"value1", b"key2": b"\x00\xff"}

    def _empty_mapping(self) -> Database:
        self.db.clear()
        return self.db

    def test_items(self) -> None:
        """A dict's take no arguments, and theirs none that is `None`; ours take bounds, and `None` is none."""
        self.assertEqual(list(self.db.items(None)), list(self.db.items()))

    def test_values(self) -> None:
        self.assertEqual(list(self.db.values(None)), list(self.db.values()))


# Its class is a test case too, without a type to test.
del mapping_tests


def test_what_it_is(db: Database) -> None:
    assert isinstance(db, MutableMapping)
    with db.snapshot() as snapshot, db.transaction() as tx:
        assert isinstance(snapshot, Mapping) and not isinstance(snapshot, MutableMapping)
        assert isinstance(tx, MutableMapping)
        assert not hasattr(snapshot, "__setitem__") and not hasattr(snapshot, "put")
    assert isinstance(db.keys(), KeysView)
    assert isinstance(db.values(), ValuesView)
    assert isinstance(db.items(), ItemsView)


@pytest.fixture(params=["database", "transaction", "snapshot"])
def mapping(request: pytest.FixtureRequest, db: Database) -> Iterator[Any]:
    """The same three entries, seen through each of the three."""
    db.put_many({b"a": b"1", b"b": b"2", b"c": b"3"})
    match request.param:
        case "database":
            yield db
        case "transaction":
            with db.transaction() as tx:
                yield tx
        case "snapshot":
            with db.snapshot() as snapshot:
                db.clear()
                yield snapshot


def test_reads(mapping: Any) -> None:
    assert mapping[b"a"] == b"1" and type(mapping[b"a"]) is bytes
    assert mapping.get(b"b") == b"2" and mapping.get(b"z") is None and mapping.get(b"z", 7) == 7
    assert b"c" in mapping and b"z" not in mapping
    with pytest.raises(KeyError) as caught:
        mapping[b"z"]
    assert caught.value.args == (b"z",) and type(caught.value) is KeyError
    assert len(mapping) == 3 and bool(mapping) is True
    assert mapping.get_many([b"c", b"z", bytearray(b"a")]) == [b"3", None, b"1"]
    assert list(mapping) == [b"a", b"b", b"c"] and list(reversed(mapping)) == [b"c", b"b", b"a"]
    assert dict(mapping) == {b"a": b"1", b"b": b"2", b"c": b"3"}


def test_views_are_live_sets_in_order(mapping: Any) -> None:
    keys, values, items = mapping.keys(), mapping.values(), mapping.items()
    assert list(keys) == list(keys) == [b"a", b"b", b"c"] and list(reversed(keys)) == [b"c", b"b", b"a"]
    assert list(values) == [b"1", b"2", b"3"] and list(reversed(values)) == [b"3", b"2", b"1"]
    assert list(items)[0] == (b"a", b"1") and list(reversed(items))[0] == (b"c", b"3")
    assert len(keys) == len(values) == len(items) == 3
    assert b"a" in keys and b"2" in values and (b"a", b"1") in items and (b"a", b"2") not in items
    assert keys & {b"a", b"z"} == {b"a"} and keys == {b"a", b"b", b"c"} and items >= {(b"b", b"2")}
    if hasattr(mapping, "put"):
        mapping.put(b"d", b"4")
        assert b"d" in keys and len(items) == 4 and list(values)[-1] == b"4"


def test_equality_is_identity(mapping: Any, db: Database) -> None:
    assert mapping == mapping and hash(mapping) == hash(mapping)
    assert mapping != dict(mapping)
    with db.snapshot() as first, db.snapshot() as second:
        assert first != second and len({first, second, first}) == 2


def test_repr(mapping: Any) -> None:
    kind = type(mapping).__name__
    assert repr(mapping) == f"<lightning_db.{kind} {mapping.path!r} open>"
    mapping.close()
    assert repr(mapping).endswith(" closed>")
    assert mapping.closed


@pytest.fixture(params=["database", "transaction"])
def writable(request: pytest.FixtureRequest, db: Database) -> Iterator[Any]:
    db.put_many({b"b": b"2", b"a": b"1", b"c": b"3"})
    if request.param == "database":
        yield db
    else:
        with db.transaction() as tx:
            yield tx


def test_writes(writable: Any) -> None:
    assert writable.popitem() == (b"a", b"1"), "the smallest"
    assert writable.pop(b"b") == b"2" and writable.pop(b"b", None) is None
    with pytest.raises(KeyError):
        writable.pop(b"b")
    assert writable.setdefault(b"c", b"9") == b"3" and writable.setdefault(b"d", b"4") == b"4"
    writable.update([(b"e", b"5"), (bytearray(b"f"), memoryview(b"6"))])
    writable.update({b"c": b"0"})
    del writable[b"e"]
    with pytest.raises(KeyError):
        del writable[b"e"]
    writable.delete(b"e")
    assert dict(writable) == {b"c": b"0", b"d": b"4", b"f": b"6"}
    writable.clear()
    assert not writable and len(writable) == 0
    with pytest.raises(KeyError):
        writable.popitem()


def test_clear_of_more_than_is_deleted_at_once(db: Database) -> None:
    db.put_many((number.to_bytes(4), b"") for number in range(25_000))
    assert len(db) == 25_000
    db.clear()
    assert len(db) == 0


BYTES_LIKE = [b"key", bytearray(b"key"), memoryview(b"key"), memoryview(b"k-e-y")[::2]]


@pytest.mark.parametrize("key", BYTES_LIKE, ids=["bytes", "bytearray", "memoryview", "strided"])
def test_bytes_like(db: Database, key: Any) -> None:
    db[key] = key
    assert db[key] == db[b"key"] == b"key" and key in db and db.get(key) == b"key"
    db.put_many([(key, key)])
    db.put_many([[key, key]])  # type: ignore[list-item]
    assert db.get_many([key]) == [b"key"] and list(db.keys(key, prefix=key)) == [b"key"]
    with db.batch() as batch:
        batch[key] = key
    with db.transaction() as tx:
        tx[key] = key
    db.delete_many([key])
    assert key not in db


def test_other_items_of_an_array(db: Database) -> None:
    import array

    db[b"k"] = array.array("H", [1, 2])
    assert db[b"k"] == array.array("H", [1, 2]).tobytes()


WRONG: list[Any] = ["text", 1, None, 1.5, [b"a"], (b"a",), object()]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: type(wrong).__name__)
def test_wrong_types(db: Database, wrong: Any) -> None:
    with db.transaction() as tx, db.batch() as batch:
        attempts: list[Any] = [
            lambda: db[wrong],
            lambda: db.get(wrong),
            lambda: wrong in db,
            lambda: db.__setitem__(wrong, b""),
            lambda: db.__setitem__(b"", wrong),
            lambda: db.__delitem__(wrong),
            lambda: db.put(b"", wrong),
            lambda: db.delete(wrong),
            lambda: db.put_many({b"a": wrong}),
            lambda: db.put_many([(wrong, b"")]),
            lambda: db.put_many([wrong, wrong]),
            lambda: db.get_many([wrong]),
            lambda: db.delete_many([b"a", wrong]),
            lambda: db.pop(wrong),
            lambda: db.setdefault(b"new", wrong),
            lambda: tx.put(wrong, b""),
            lambda: tx[wrong],
            lambda: batch.put(b"", wrong),
        ]
        if wrong is not None:
            attempts += [lambda: db.put(b"", b"", wrong), lambda: db.transaction(wrong)]
            attempts += [lambda: db.items(wrong), lambda: db.items(prefix=wrong), lambda: db[wrong:b""]]
        for attempt in attempts:
            with pytest.raises((TypeError, ValueError)) as caught:
                attempt()
            assert not isinstance(caught.value, lightning_db.Error) or wrong == "text", repr(caught.value)
    assert dict(db) == {}


def test_a_wrong_type_says_what_of_and_what_to_do(db: Any) -> None:
    with db.transaction() as tx, db.batch() as batch:
        attempts: list[tuple[Any, str]] = [
            (lambda: db.put("a", b""), "a key is bytes-like, not str: encode it"),
            (lambda: db.put(b"a", "x"), "a value is bytes-like, not str: encode it"),
            (lambda: db.__setitem__(b"a", 7), "a value is bytes-like, not int"),
            (lambda: db["a"], "a key is bytes-like, not str: encode it"),
            (lambda: "a" in db, "a key is bytes-like, not str: encode it"),
            (lambda: db.pop("a"), "a key is bytes-like, not str: encode it"),
            (lambda: db.setdefault(b"a", None), "a value is bytes-like, not NoneType"),
            (lambda: db.update({b"a": "x"}), "a value is bytes-like, not str: encode it"),
            (lambda: db.put_many([("a", b"x")]), "a key is bytes-like, not str: encode it"),
            (lambda: db.items(prefix="a"), "prefix is bytes-like, not str: encode it"),
            (lambda: db["a":], "start is bytes-like, not str: encode it"),
            (lambda: tx.put(b"a", []), "a value is bytes-like, not list"),
            (lambda: batch.delete("a"), "a key is bytes-like, not str: encode it"),
            (lambda: db.delete_many(["a"]), "a key is bytes-like, not str: encode it"),
            (lambda: db.put(b"a", b"", consistency=3), "consistency is a str, not int"),
            (lambda: tx.commit(b"strong"), "consistency is a str, not bytes"),
        ]
        for attempt, message in attempts:
            with pytest.raises(TypeError) as caught:
                attempt()
            assert str(caught.value) == message


@pytest.mark.parametrize("one", [b"abc", b"", bytearray(b"a"), memoryview(b"a"), "abc"], ids=repr)
def test_one_key_is_not_several(db: Database, one: Any) -> None:
    db.put_many({b"a": b"", b"b": b""})
    for call in (db.get_many, db.delete_many):
        with pytest.raises(TypeError, match=f"not {type(one).__name__}: put one key in a list"):
            call(one)
    assert len(db) == 2


def test_put_many_takes_what_dict_update_takes(db: Database) -> None:
    class Pairs:
        def keys(self) -> list[bytes]:
            return [b"x", b"y"]

        def __getitem__(self, key: bytes) -> bytes:
            return key * 2

    db.put_many(Pairs())
    db.put_many((key, b"") for key in (b"g", b"h"))
    db.put_many([])
    with db.snapshot() as snapshot:
        db.clear()
        db.put_many(snapshot)
    assert dict(db) == {b"g": b"", b"h": b"", b"x": b"xx", b"y": b"yy"}
    for wrong in ([(b"a",)], [(b"a", b"b", b"c")], [()]):
        with pytest.raises(ValueError):
            db.put_many(wrong)  # type: ignore[arg-type]


def test_a_dict_that_changes_while_it_is_read(db: Database) -> None:
    growing: dict[Any, bytes] = {b"a": b"1"}

    class Grows(bytearray):
        def __hash__(self) -> int:  # type: ignore[override]
            growing[len(growing).to_bytes(2)] = b""
            return 1

    growing[Grows(b"b")] = b"2"
    db.put_many(growing)
    assert db[b"b"] == b"2"


def test_all_or_none(db: Database) -> None:
    with pytest.raises(lightning_db.InvalidArgumentError):
        db.put_many([(b"a", b""), (b"k" * (lightning_db.MAX_KEY_LEN + 1), b"")])
    with pytest.raises(ZeroDivisionError):
        db.put_many((b"a", b"%d" % (1 // number)) for number in (1, 0))
    assert dict(db) == {}
    db[b"k" * lightning_db.MAX_KEY_LEN] = b""
    db[b""] = b"empty"
    assert db[b""] == b"empty" and next(iter(db)) == b""
