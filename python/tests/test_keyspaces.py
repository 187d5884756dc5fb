"""Keyspaces: the mapping of a database, with keys of their own."""

from __future__ import annotations

import copy
import gc
import threading
from collections.abc import Callable, MutableMapping
from pathlib import Path

import pytest

import lightning_db
from lightning_db import Database, Keyspace


def all_raise(kind: type[Exception], *calls: Callable[[], object]) -> None:
    for call in calls:
        with pytest.raises(kind):
            call()


@pytest.fixture
def users(db: Database) -> Keyspace:
    return db.create_keyspace("users")


def test_it_is_the_mapping_that_a_database_is(db: Database, users: Keyspace) -> None:
    assert isinstance(users, MutableMapping) and isinstance(users, lightning_db.Store)
    model = {b"%d" % number: b"x" * number for number in range(50)}
    db[b"other"] = b""
    users.update(model)
    assert dict(users) == model and len(users) == 50 and list(db) == [b"other"]
    assert list(users.keys()) == sorted(model) and list(reversed(users)) == sorted(model)[::-1]
    assert users.pop(b"7") == model[b"7"] and users.pop(b"7", None) is None
    assert users.setdefault(b"0", b"no") == b"" and users.popitem() == (b"0", b"")
    assert [key for key, _ in users[b"10":b"12"]] == [b"10", b"11"]
    assert users.count(prefix=b"1") == 11 and users.get_many([b"1", b"other"]) == [b"x", None]
    with pytest.raises(KeyError):
        del users[b"other"]
    del users[b"1"]
    users.clear()
    assert not users and list(db) == [b"other"]


def test_it_has_an_order_of_its_own_and_is_found_again(tmp_path: Path) -> None:
    with lightning_db.open(tmp_path / "db") as db:
        numbers = db.create_keyspace("numbers", comparator="decimal", page_size=512)
        numbers.put_many((b"%d" % number, b"") for number in (10, 9, 100))
    with lightning_db.open(tmp_path / "db") as db:
        assert db.list_keyspaces() == ["default", "numbers"]
        assert list(db.keyspace("numbers")) == [b"9", b"10", b"100"]
        with pytest.raises(lightning_db.InvalidArgumentError, match="cache_size"):
            db.create_keyspace("more", cache_size=1 << 20)  # type: ignore[call-arg]


def test_batches_span_keyspaces(db: Database, users: Keyspace) -> None:
    with users.batch() as batch:
        batch[b"a"] = b"users"
        batch.put(b"a", b"default", keyspace=db.keyspace("default"))
        batch.put(b"b", b"", keyspace=users)
        batch.delete(b"b", keyspace=users)
        with pytest.raises(TypeError):
            batch.put(b"a", b"", keyspace=db)  # type: ignore[arg-type]
    assert dict(users) == {b"a": b"users"} and dict(db) == {b"a": b"default"}


def test_transactions_span_keyspaces_and_end_as_one(db: Database, users: Keyspace) -> None:
    with db.transaction() as tx:
        part = tx.keyspace(users)
        part[b"a"] = tx[b"b"] = b"1"
        assert b"b" not in part and dict(part) == {b"a": b"1"} and part.path == db.path
        with tx.keyspace(users) as other:
            assert other[b"a"] == b"1"
        assert other.closed and not part.closed and not tx.closed and not users
    assert part.closed and dict(users) == {b"a": b"1"} and dict(db) == {b"b": b"1"}
    for call in (part.commit, part.abort, lambda: part.get(b"a"), lambda: part.put(b"a", b"")):
        with pytest.raises(lightning_db.ClosedError):
            call()

    tx = users.transaction()
    tx[b"a"] = b"2"
    tx.keyspace(db.keyspace("default")).commit()
    assert tx.closed and users[b"a"] == b"2"
    with users.transaction() as tx:
        tx.keyspace(users).abort()
    assert users.transact(lambda tx: tx[b"a"]) == b"2"


def test_a_conflict_in_another_keyspace_is_one(db: Database, users: Keyspace) -> None:
    users[b"a"] = b"1"
    tx = db.transaction()
    tx[b"sum"] = tx.keyspace(users)[b"a"]
    users[b"a"] = b"2"
    with pytest.raises(lightning_db.ConflictError):
        tx.commit()


def test_snapshots_span_keyspaces(db: Database, users: Keyspace) -> None:
    users[b"a"] = b"1"
    snapshot = db.snapshot()
    users[b"a"] = b"2"
    part = snapshot.keyspace(users)
    assert part[b"a"] == b"1" and b"a" not in snapshot and part.get_many([b"a"]) == [b"1"]
    alone = part.keyspace(users)
    alone.close()
    assert alone.closed and not (part.closed or snapshot.closed)
    snapshot.close()
    assert snapshot.closed and part.closed and db.stats()["snapshots"] == 0
    with pytest.raises(lightning_db.ClosedError):
        part[b"a"]
    with users.snapshot() as taken:
        assert taken[b"a"] == b"2"


def test_a_keyspace_of_another_database_is_refused(db: Database, tmp_path: Path) -> None:
    with lightning_db.open(tmp_path / "other") as other:
        strange = other.keyspace("default")
        for call in (
            lambda: db.snapshot().keyspace(strange).get(b"a"),
            lambda: list(db.snapshot().keyspace(strange).items()),
            lambda: db.transaction().keyspace(strange).put(b"a", b""),
        ):
            with pytest.raises(lightning_db.InvalidArgumentError):
                call()
        with pytest.raises(lightning_db.InvalidArgumentError), db.batch() as batch:
            batch.put(b"a", b"", keyspace=strange)
        assert not db and not other


def test_a_closed_handle_and_a_dropped_keyspace(db: Database, users: Keyspace) -> None:
    users[b"a"] = b"1"
    with db.keyspace("users") as handle:
        batch, items = handle.batch(), iter(handle.items())
        assert repr(handle) == f"<lightning_db.Keyspace 'users' of {db.path!r} open>"
    assert handle.closed and not users.closed and repr(handle).endswith("closed>")
    handle.close()
    all_raise(
        lightning_db.ClosedError,
        lambda: handle[b"a"],
        lambda: handle.put(b"a", b""),
        handle.snapshot,
        handle.transaction,
        handle.batch,
    )
    with pytest.raises(lightning_db.ClosedError):
        db.transaction().keyspace(handle)
    batch.put(b"b", b"2")
    batch.write()
    assert dict(items) == {b"a": b"1"} and users[b"b"] == b"2"

    db.drop_keyspace("users")
    all_raise(
        lightning_db.NotFoundError,
        lambda: users[b"a"],
        lambda: users.put(b"a", b""),
        lambda: list(users),
        lambda: batch.put(b"a", b""),
    )
    again = db.create_keyspace("users")
    assert not again
    with pytest.raises(TypeError, match="pickled"):
        copy.copy(again)
    db.close()
    all_raise(
        lightning_db.ClosedError,
        lambda: again[b"a"],
        lambda: again.put(b"a", b""),
        lambda: db.keyspace("users"),
        db.list_keyspaces,
    )
    assert again.closed


def test_a_handle_keeps_its_database(tmp_path: Path) -> None:
    keyspace = lightning_db.open(tmp_path / "db").create_keyspace("k")
    gc.collect()
    part = keyspace.snapshot().keyspace(keyspace)
    keyspace[b"a"] = b"1"
    assert keyspace[b"a"] == b"1" and b"a" not in part
    del keyspace
    gc.collect()
    assert len(part) == 0
    with pytest.warns(ResourceWarning):
        del part
        gc.collect()


def test_threads_make_and_drop_keyspaces(db: Database) -> None:
    failures: list[BaseException] = []

    def work(name: str) -> None:
        try:
            for _ in range(5):
                keyspace = db.create_keyspace(name)
                keyspace[b"a"] = name.encode()
                assert dict(keyspace) == {b"a": name.encode()}
                db.drop_keyspace(name)
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work, args=[f"k{number}"]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures and db.list_keyspaces() == ["default"]
