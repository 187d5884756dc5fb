"""Read-only opens, check and repair, figures, compaction with progress, patient writes, sizes."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

import lightning_db
from lightning_db import CompactionProgress, Database


def test_mode_r_shows_one_moment_and_writes_nothing(db: Database) -> None:
    db[b"a"] = b"1"
    db.create_keyspace("k")[b"b"] = b"2"
    db.flush()
    with lightning_db.open(db.path, "r") as reader:
        db[b"a"] = b"2"
        assert reader[b"a"] == b"1" and reader.keyspace("k")[b"b"] == b"2"
        for call in (
            lambda: reader.put(b"a", b""),
            lambda: reader.keyspace("k").delete(b"b"),
            lambda: reader.create_keyspace("l"),
            lambda: reader.transact(lambda tx: tx.put(b"a", b"")),
            reader.compact,
        ):
            with pytest.raises(lightning_db.ReadOnlyError):
                call()
    with pytest.raises(lightning_db.NotFoundError):
        lightning_db.open(Path(db.path) / "none", "r")
    assert db[b"a"] == b"2"


def damaged(path: Path) -> None:
    with lightning_db.open(path) as db:
        keyspace = db.create_keyspace("k", page_size=512, compression_type=0)
        keyspace.put_many((b"%05d" % number, b"x" * 100) for number in range(2000))
        db.flush()
    table = max(path.glob("*.table"), key=lambda table: table.stat().st_size)
    content = bytearray(table.read_bytes())
    content[len(content) // 2] ^= 1
    table.write_bytes(content)


def test_check_and_repair_say_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "db"
    damaged(path)
    report = lightning_db.check(path)
    (problem,) = report.problems
    assert not report.ok and report.repair is None and report.files > 2 and report.pages > 2 and report.bytes > 2
    assert Path(problem.file).suffix == ".table" and problem.offset is not None and problem.keyspace == "k"
    assert problem.first_key is not None and problem.last_key is not None and problem.first_key < problem.last_key
    assert lightning_db.check(path) == report

    repaired = lightning_db.repair(path)
    assert repaired.problems == report.problems and repaired.repair is not None
    assert 1 < repaired.repair.salvaged_records < 2000
    assert any(file.endswith(".table") for file in repaired.repair.set_aside)
    for file in map(Path, repaired.repair.set_aside):
        assert file.exists() and file.parent.name == "lost"
    assert lightning_db.check(path).ok
    with lightning_db.open(path) as db:
        kept = set(db.keyspace("k"))
    gone = {b"%05d" % number for number in range(2000)} - kept
    lost = repaired.repair.lost[0]
    assert lost.first_key is not None and lost.last_key is not None
    assert gone and lost.first_key <= min(gone) and max(gone) <= lost.last_key
    assert len(kept) == repaired.repair.salvaged_records


def test_check_and_repair_tell_how_far_they_are(tmp_path: Path) -> None:
    path = tmp_path / "db"
    damaged(path)
    for work in (lightning_db.check, lightning_db.repair):
        told: list[lightning_db.CheckProgress] = []
        report = work(path, progress=told.append, cache_size=1 << 20)
        assert report.problems and told[-1].done == told[-1].total > 0
        assert [so_far.done for so_far in told] == sorted(so_far.done for so_far in told)

    def refuse(so_far: lightning_db.CheckProgress) -> None:
        raise LookupError(so_far.total)

    with pytest.raises(LookupError):
        lightning_db.check(path, progress=refuse)


def test_check_of_what_cannot_be_checked(db: Database, tmp_path: Path) -> None:
    for work in (lightning_db.check, lightning_db.repair):
        with pytest.raises(lightning_db.LockedError):
            work(db.path)
        with pytest.raises(lightning_db.NotFoundError):
            work(tmp_path / "none")
        with pytest.raises(lightning_db.InvalidArgumentError, match="page_size"):
            work(tmp_path / "none", page_size=3)
    db.close()
    assert lightning_db.repair(db.path) == lightning_db.check(db.path)


def test_figures(db: Database) -> None:
    db[b"a"] = b"1"
    assert db[b"a"] == b"1"
    metrics = db.metrics()
    assert metrics["writes_eventual"] == 1 and type(metrics["uptime_seconds"]) is float
    assert db.memory_stats()["total_bytes"] > 0
    text = db.prometheus()
    assert '\nlightning_db_writes_total{level="eventual"} 1\n' in text
    assert '\nlightning_db_scans_total{database="or\\"ders"} 0\n' in db.prometheus({"database": 'or"ders'})
    with pytest.raises(TypeError):
        db.prometheus({"a": 1})  # type: ignore[dict-item]
    db.close()
    for call in (db.metrics, db.memory_stats, db.prometheus):
        with pytest.raises(lightning_db.ClosedError):
            call()


def fill(db: Database) -> None:
    """Leaves something to compact, whatever was compacted in the background meanwhile."""
    for part in range(3):
        db.put_many((b"%05d" % number, b"%d" % part * 100) for number in range(3000))
        if part < 2:
            db.flush()


def test_compaction_tells_how_far_it_is(db: Database) -> None:
    fill(db)
    told: list[CompactionProgress] = []
    here = threading.current_thread()

    def progress(so_far: CompactionProgress) -> None:
        assert threading.current_thread() is here and db[b"00000"] == b"2" * 100
        told.append(so_far)

    db.compact(progress)
    assert all(0 <= so_far.bytes_done <= so_far.bytes_in for so_far in told)
    assert told[0].bytes_done == 0 < told[-1].bytes_done == told[-1].bytes_in and told[-1].tables > 0
    assert told == sorted(told, key=lambda so_far: so_far.bytes_done)
    assert sum(db.stats()["tables_per_level"]) == 1


def test_compaction_is_cancelled_by_false_alone(db: Database) -> None:
    fill(db)
    for answer in (None, 0, "", True):
        db.compact(lambda _, answer=answer: answer)  # type: ignore[misc]
    with pytest.raises(lightning_db.CancelledError):
        db.compact(progress=lambda _: False)
    db.compact()
    assert len(db) == 3000


def test_an_exception_in_progress_comes_through(db: Database) -> None:
    fill(db)
    for kind in (KeyError, KeyboardInterrupt):

        def fail(_: CompactionProgress) -> None:
            raise kind("mine")  # noqa: B023

        with pytest.raises(kind, match="mine"):
            db.compact(fail)
    with pytest.raises(TypeError):
        db.compact(progress=3)  # type: ignore[arg-type]
    assert db.compact() is None  # type: ignore[func-returns-value]


def test_a_patient_write_is_a_write(db: Database) -> None:
    users = db.create_keyspace("users")
    for store in (db, users):
        store.put(b"a", b"1", timeout=0)
        store.put(b"b", b"2", "quorum", 1.5)
        store.put_many({b"c": b"3"}, timeout=float("inf"))
        store.update({b"d": b"4"}, timeout=1)
        store.delete(b"a", timeout=1e300)
        store.delete_many([b"b"], timeout=1)
        with store.batch(timeout=1) as batch:
            batch[b"e"] = b"5"
        batch = store.batch()
        batch[b"f"] = b"6"
        batch.write(timeout=1)
        assert dict(store) == {b"c": b"3", b"d": b"4", b"e": b"5", b"f": b"6"}
        for timeout in (-1, float("nan"), float("-inf")):
            with pytest.raises(lightning_db.InvalidArgumentError, match="timeout"):
                store.put(b"g", b"", timeout=timeout)
        with pytest.raises(TypeError):
            store.put(b"g", b"", timeout="1")  # type: ignore[arg-type]
        assert b"g" not in store


def test_the_size_of_a_range(db: Database) -> None:
    users = db.create_keyspace("users", compression_type=0)
    users.put_many((b"%05d" % number, b"x" * 1000) for number in range(2000))
    db.flush()
    whole, half = users.approximate_size(), users.approximate_size(b"01000")
    assert 2_000_000 <= whole <= 3_000_000 and 900_000 <= half <= 1_600_000
    assert users.approximate_size(prefix=b"00") < whole and users.approximate_size(gt=b"9") < 50_000
    assert db.approximate_size() < 10_000
    with pytest.raises(lightning_db.InvalidArgumentError):
        users.approximate_size(b"a", gte=b"a")
