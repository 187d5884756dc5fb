"""Batches, transactions and snapshots: with, close, and what outlives what."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from pathlib import Path
from typing import Any

import pytest

import lightning_db
from lightning_db import ClosedError, ConflictError, Database, _native


class PlannedError(Exception):
    """What a block fails with."""


def test_batch(db: Database) -> None:
    db[b"old"] = b"1"
    with db.batch() as batch:
        batch[b"a"] = b"1"
        batch.put(b"b", b"2")
        del batch[b"old"]
        batch.delete(b"never there")
        assert len(batch) == 4 and batch.size > 0 and dict(db) == {b"old": b"1"}
    assert dict(db) == {b"a": b"1", b"b": b"2"}
    with pytest.raises(ClosedError):
        batch[b"c"] = b"would be lost"
    assert batch.closed


def test_batch_is_dropped_on_an_exception(db: Database) -> None:
    with pytest.raises(PlannedError), db.batch() as batch:
        batch[b"a"] = b"1"
        raise PlannedError
    assert dict(db) == {} and batch.closed


def test_batch_by_hand(db: Database) -> None:
    batch = db.batch("quorum")
    batch[b"a"] = b"1"
    batch.clear()
    batch[b"b"] = b"2"
    batch.write()
    assert len(batch) == 0
    batch[b"c"] = b"3"
    batch.write("strong")
    batch[b"d"] = b"4"
    db.close()
    with pytest.raises(ClosedError):
        batch.write()
    assert len(batch) == 1, "what could not be written is kept"
    batch.close()
    batch.close()
    with pytest.raises(ClosedError):
        db.batch()


def test_transaction(db: Database) -> None:
    with db.transaction() as tx:
        tx[b"a"] = b"1"
        assert tx[b"a"] == b"1" and b"a" not in db
    assert db[b"a"] == b"1"
    with pytest.raises(PlannedError), db.transaction() as tx:
        tx[b"a"] = b"2"
        raise PlannedError
    assert db[b"a"] == b"1" and tx.closed
    with db.transaction() as tx:
        tx[b"a"] = b"2"
        tx.abort()
    with db.transaction() as tx:
        tx[b"b"] = b"2"
        tx.commit("quorum")
    assert dict(db) == {b"a": b"1", b"b": b"2"}
    for call in (tx.commit, tx.abort, lambda: tx[b"a"], lambda: tx.put(b"a", b""), lambda: len(tx), lambda: list(tx)):
        with pytest.raises(ClosedError):
            call()
    tx.close()
    assert db.stats()["active_transactions"] == 0


def test_a_transaction_whose_database_was_closed_is_not_lost_in_silence(tmp_path: Path) -> None:
    def work(tx: lightning_db.Transaction) -> None:
        tx[b"a"] = b"1"
        db.close()

    db = lightning_db.open(tmp_path / "db")
    with pytest.raises(ClosedError), db.transaction() as tx:
        work(tx)
    db = lightning_db.open(tmp_path / "db")
    with pytest.raises(ClosedError):
        db.transact(work)
    with lightning_db.open(tmp_path / "db") as db:
        assert len(db) == 0


def test_isolation(db: Database) -> None:
    db.put_many({b"a": b"1", b"b": b"1"})

    def skew(isolation: Any) -> None:
        with db.transaction(isolation) as one, db.transaction(isolation=isolation) as two:
            one[b"a"] = two[b"b"]
            two[b"b"] = one[b"a"]
            one[b"b"], two[b"a"]

    skew("snapshot")
    with pytest.raises(ConflictError) as caught:
        skew("serializable")
    assert caught.value.retryable


def test_ranges_that_were_scanned_are_checked(db: Database) -> None:
    for read in (len, list, lambda tx: list(tx.items(prefix=b"a"))):
        with pytest.raises(ConflictError), db.transaction() as tx:
            read(tx)
            db[b"a%d" % len(db)] = b""
            tx[b"sum"] = b""


def test_transact(db: Database) -> None:
    db[b"n"] = b"0"
    attempts = 0

    def work(tx: lightning_db.Transaction) -> int:
        nonlocal attempts
        attempts += 1
        number = int(tx[b"n"])
        if attempts <= 3:
            db[b"n"] = b"%d" % (number + 10)
        tx[b"n"] = b"%d" % (number + 1)
        return number

    assert db.transact(work, consistency="quorum") == 30 and attempts == 4 and db[b"n"] == b"31"


def test_transact_gives_up_and_gives_back(db: Database) -> None:
    attempts = 0

    def lose(tx: lightning_db.Transaction) -> None:
        nonlocal attempts
        attempts += 1
        tx.get(b"n")
        db[b"n"] = b""
        tx[b"m"] = b""

    with pytest.raises(ConflictError):
        db.transact(lose)
    assert attempts == 1000 and b"m" not in db

    def fail(tx: lightning_db.Transaction) -> None:
        tx[b"m"] = b""
        raise PlannedError

    with pytest.raises(PlannedError):
        db.transact(fail)
    assert b"m" not in db and db.stats()["active_transactions"] == 0

    calls = []

    def other(tx: lightning_db.Transaction) -> int:
        calls.append(tx)
        if len(calls) == 1:
            tx[b"m"] = b"must not stay"
            raise ConflictError
        return len(calls)

    assert db.transact(other) == 2 and b"m" not in db and calls[0].closed

    def end(tx: lightning_db.Transaction) -> str:
        tx.abort()
        return "done"

    assert db.transact(end) == "done"
    for wrong in (None, 1, lambda: None):
        with pytest.raises(TypeError):
            db.transact(wrong)  # type: ignore[arg-type]


def test_too_many_transactions(tmp_path: Path) -> None:
    with lightning_db.open(tmp_path / "db", max_active_transactions=2) as db:
        open_ones = [db.transaction(), db.transaction()]
        with pytest.raises(lightning_db.TooManyError):
            db.transaction()
        del open_ones[0]
        gc.collect()
        db.transaction().close()


def test_snapshot(db: Database) -> None:
    db[b"a"] = b"old"
    with db.snapshot() as snapshot:
        db[b"a"] = b"new"
        db.flush()
        db.compact()
        db.clear_cache()
        assert snapshot[b"a"] == b"old" and snapshot.get_many([b"a"]) == [b"old"] and db[b"a"] == b"new"
        scan = iter(snapshot.values())
        assert db.stats()["snapshots"] == 1
    for call in (lambda: snapshot[b"a"], lambda: len(snapshot), lambda: list(snapshot), lambda: b"a" in snapshot):
        with pytest.raises(ClosedError):
            call()
    assert list(scan) == [b"old"] and db.stats()["snapshots"] == 0
    snapshot.close()


def test_reads_from_the_disk(tmp_path: Path) -> None:
    """What is not in memory is read without the interpreter's lock, and is the same."""
    model = {number.to_bytes(4): number.to_bytes(4) * 100 for number in range(5000)}
    with lightning_db.open(tmp_path / "db", cache_size=1 << 20) as db:
        db.put_many(model)
    with lightning_db.open(tmp_path / "db", cache_size=1 << 20) as db:
        assert db.get_many([*model, b"none"]) == [*model.values(), None]
        for key in list(model)[::7]:
            db.clear_cache()
            assert db[key] == model[key] and key in db and key + b"x" not in db
            assert db.get(key + b"x") is None


def test_everything_of_a_closed_database(db: Database) -> None:
    tx, snapshot, batch, scan = db.transaction(), db.snapshot(), db.batch(), db.items(b"")
    db.close()
    db.close()
    calls: list[Any] = [
        lambda: db[b"a"],
        lambda: db.get(b"a"),
        lambda: b"a" in db,
        lambda: db.put(b"a", b""),
        lambda: db.__setitem__(b"a", b""),
        lambda: db.__delitem__(b"a"),
        lambda: db.delete(b"a"),
        lambda: len(db),
        lambda: bool(db),
        lambda: iter(db),
        lambda: reversed(db),
        lambda: list(db.items()),
        lambda: db.keys(b""),
        lambda: db[b"":],
        lambda: db.get_many([b"a"]),
        lambda: db.put_many({b"a": b""}),
        lambda: db.delete_many([b"a"]),
        lambda: db.pop(b"a", None),
        db.popitem,
        lambda: db.setdefault(b"a", b""),
        lambda: db.update({b"a": b""}),
        db.clear,
        db.flush,
        db.compact,
        db.clear_cache,
        db.stats,
        db.snapshot,
        db.transaction,
        db.batch,
        lambda: db.transact(lambda tx: None),
        lambda: db.backup("nowhere"),
        lambda: tx[b"a"],
        lambda: tx.put(b"a", b""),
        lambda: list(tx),
        tx.commit,
        lambda: snapshot[b"a"],
        lambda: len(snapshot),
        lambda: next(scan),
    ]
    for number, call in enumerate(calls):
        with pytest.raises(ClosedError):
            call()
            pytest.fail(f"call {number}")
    for handle in (tx, snapshot, batch, scan):
        handle.close()
    assert db.closed and tx.closed and snapshot.closed and batch.closed
    with lightning_db.open(db.path, "rw"):
        pass


def test_handles_keep_their_database(tmp_path: Path) -> None:
    """What was made of a database keeps it open, without a warning; the last one closes it, with one."""
    db = lightning_db.open(tmp_path / "db")
    db[b"a"] = b"1"
    gone = weakref.ref(db)
    handles: list[Any] = [db.snapshot(), db.transaction(), iter(db), db.batch(), db.items(), iter(db.snapshot())]
    del db
    gc.collect()
    assert handles[0][b"a"] == b"1" and handles[1][b"a"] == b"1" and next(handles[2]) == b"a"
    handles[3][b"b"] = b"2"
    handles[3].write()
    assert len(handles[4]) == 2 and next(handles[5]) == b"a"
    with pytest.warns(ResourceWarning, match="unclosed <lightning_db.Database '.*db' open>"):
        while handles:
            assert gone() is not None
            del handles[0]
            gc.collect()
    assert gone() is None
    with lightning_db.open(tmp_path / "db", "rw") as again:
        assert dict(again) == {b"a": b"1", b"b": b"2"}


def test_a_database_whose_opening_was_interrupted(tmp_path: Path) -> None:
    """A signal comes behind the native part of the opening."""
    db = _native.Database.__new__(Database, str(tmp_path / "db"))
    with pytest.warns(ResourceWarning):
        del db
    lightning_db.open(tmp_path / "db", "rw").close()


def test_cycles_are_collected(tmp_path: Path) -> None:
    class Own(Database):
        handles: list[Any]

    db = Own(tmp_path / "db")
    db.handles = [iter(db), db.snapshot(), db.transaction(), db.batch(), iter(db.snapshot())]
    del db
    with pytest.warns(ResourceWarning, match="unclosed <lightning_db.Own"):
        gc.collect()
    lightning_db.open(tmp_path / "db", "rw").close()


def test_a_view_of_a_database_that_is_closed_says_so(db: Database) -> None:
    view = db.keys()
    db.close()
    with pytest.raises(ClosedError):
        list(view)


def test_neither_pickled_nor_copied(db: Database) -> None:
    with db.transaction() as tx, db.snapshot() as snapshot, db.batch() as batch:
        for handle in (db, tx, snapshot, batch, iter(db)):
            for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
                with pytest.raises(TypeError):
                    attempt(handle)


def test_made_by_hand(db: Database) -> None:
    """Classes take only what they are made of."""
    for kind in (lightning_db.Batch, lightning_db.ItemsIterator, lightning_db.KeysIterator):
        with pytest.raises(TypeError):
            kind()
    for wrong in (None, b"", object()):
        with pytest.raises(TypeError):
            lightning_db.Snapshot(wrong)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            lightning_db.Transaction(wrong)  # type: ignore[arg-type]
    with lightning_db.Snapshot(db) as snapshot:
        assert len(snapshot) == 0


def test_modes(tmp_path: Path) -> None:
    with pytest.raises(lightning_db.NotFoundError):
        lightning_db.open(tmp_path / "db", "rw")
    lightning_db.open(tmp_path / "db", "rwc").close()
    lightning_db.open(tmp_path / "db", mode="rw").close()
    with pytest.raises(PlannedError), lightning_db.open(tmp_path / "db") as db:
        raise PlannedError
    assert db.closed
