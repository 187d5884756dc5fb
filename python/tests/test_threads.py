"""Many threads on one database, and closing in the middle."""

from __future__ import annotations

import gc
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import lightning_db
from lightning_db import ClosedError, Database


def in_threads(*works: Callable[[], Any]) -> list[Any]:
    with ThreadPoolExecutor(len(works)) as pool:
        return [future.result(timeout=120) for future in [pool.submit(work) for work in works]]


@pytest.fixture
def long_turns() -> Iterator[None]:
    """Who gives up the interpreter's lock beside a busy thread waits this long for it."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.1)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("long_turns")
def test_a_reader_beside_pure_python(db: Database) -> None:
    """A read of what is in memory keeps the interpreter's lock, so the other seldom gets a turn."""
    keys = [b"%d" % number for number in range(1000)]
    db.put_many((key, b"x" * 100) for key in keys)
    begun, done, reads, most = threading.Event(), threading.Event(), 0, 300

    def spin() -> int:
        begun.set()
        turns, seen = 0, 0
        while not done.is_set() and turns < most:
            if seen != reads:
                turns, seen = turns + 1, reads
        return turns

    def read() -> None:
        nonlocal reads
        begun.wait()
        for _ in range(30):
            for key in keys:
                db[key]
                reads += 1
        done.set()

    # A turn in 0.1 seconds, and not one in each of 30,000 reads.
    assert in_threads(read, spin)[1] < most


@pytest.mark.usefixtures("long_turns")
def test_others_run_while_one_waits_for_the_disk(db: Database) -> None:
    """A write at Strong gives the lock up: the other thread gets on beside it."""
    begun, done, puts, most = threading.Event(), threading.Event(), 0, 2000

    def write() -> None:
        nonlocal puts
        begun.wait()
        # Nobody is made to give the lock up.
        sys.setswitchinterval(100)
        while puts < most and not done.is_set():
            # Large, so that it takes its time on a disk that is memory too.
            db.put(b"key", bytes(300_000), "strong")
            puts += 1

    def count() -> int:
        begun.set()
        turns, seen = 0, 0
        while turns < 20 and puts < most:
            if seen != puts:
                turns, seen = turns + 1, puts
            time.sleep(0.001)
        done.set()
        return turns

    assert in_threads(write, count)[1] == 20


def test_writers_and_readers_and_scanners(db: Database) -> None:
    """Entries are written in pairs; whoever looks sees whole pairs."""
    stop = threading.Event()

    def write(name: bytes) -> int:
        for number in range(300):
            db.put_many([(b"l" + name, b"%d" % number), (b"r" + name, b"%d" % number)])
        stop.set()
        return number

    def look() -> None:
        while not stop.is_set():
            for name in (b"1", b"2"):
                left, right = db.get_many([b"l" + name, b"r" + name])
                assert left == right
            with db.snapshot() as snapshot:
                found = dict(snapshot)
            assert all(found[b"r" + key[1:]] == value for key, value in found.items() if key.startswith(b"l"))
            assert all(db[key] for key in list(db))

    in_threads(lambda: write(b"1"), lambda: write(b"2"), look, look)
    assert len(db) == 4


def test_popitem_gives_each_entry_once(db: Database) -> None:
    db.put_many((number.to_bytes(2), b"") for number in range(200))

    def take() -> list[bytes]:
        taken = []
        try:
            while True:
                taken.append(db.popitem()[0])
        except KeyError:
            return taken

    taken = in_threads(take, take, take)
    assert sorted(sum(taken, [])) == [number.to_bytes(2) for number in range(200)]


def test_transact_loses_nothing(db: Database) -> None:
    def add() -> None:
        for _ in range(100):
            db.transact(lambda tx: tx.put(b"n", b"%d" % (int(tx.get(b"n", b"0")) + 1)))

    in_threads(add, add, add)
    assert db[b"n"] == b"300"


@pytest.fixture
def short_turns() -> Iterator[None]:
    """Threads change as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("short_turns")
def test_one_iterator_in_many_threads(db: Database) -> None:
    """Each entry goes to one of them."""
    keys = [number.to_bytes(4) for number in range(2000)]
    db.put_many((key, bytes(2000)) for key in keys)
    with db.snapshot() as snapshot, db.transaction() as tx:
        for source in [db, snapshot, tx] * 5:
            scan = source.items(b"")
            taken = in_threads(*[lambda scan=scan: [key for key, _ in scan]] * 8)
            assert sorted(sum(taken, [])) == keys


def test_one_batch_and_one_transaction_in_many_threads(db: Database) -> None:
    def fill(puts: lightning_db.Batch | lightning_db.Transaction) -> None:
        for number in range(1000):
            puts[b"%d" % number] = b""

    with db.batch() as batch:
        in_threads(*[lambda: fill(batch)] * 3)
        assert len(batch) == 3000
    assert len(db) == 1000
    db.clear()
    with db.transaction() as tx:
        in_threads(*[lambda: fill(tx)] * 3)
        assert len(tx) == 1000
    assert len(db) == 1000


def test_a_batch_that_is_being_written(db: Database) -> None:
    """Writing and filling at once: each put is written or refused."""
    batch, kept = db.batch("strong"), []
    stop = threading.Event()

    def fill() -> None:
        for number in range(2000):
            try:
                batch.put(b"%d" % number, b"")
                kept.append(number)
            except lightning_db.InvalidArgumentError:
                pass
        stop.set()

    def write() -> None:
        while not stop.is_set():
            batch.write()

    in_threads(fill, write)
    batch.write()
    assert set(db) == {b"%d" % number for number in kept}


@pytest.mark.parametrize("rounds", range(5))
def test_close_in_the_middle(tmp_path: Path, rounds: int) -> None:
    """All calls end, with an answer or with ClosedError."""
    db = lightning_db.open(tmp_path / "db", default_level="eventual", memtable_size=1 << 16)
    db.put_many((number.to_bytes(4), bytes(100)) for number in range(2000))

    def until_closed(call: Callable[[], Any]) -> Callable[[], None]:
        def work() -> None:
            try:
                while True:
                    call()
            except ClosedError:
                assert db.closed

        return work

    def transact() -> None:
        with db.transaction() as tx:
            tx[b"x"] = tx.get(b"x", b"") + b"1"

    def close() -> None:
        time.sleep(0.05)
        db.close()

    calls: list[Callable[[], Any]] = [
        lambda: db[(7).to_bytes(4)],
        lambda: db.put(b"new", bytes(100)),
        lambda: list(db.items()),
        lambda: len(db),
        lambda: db.get_many([number.to_bytes(4) for number in range(500)]),
        lambda: db.put_many({b"a": b"1"}, "quorum"),
        transact,
        db.flush,
        db.stats,
        lambda: db.snapshot().get(b"new"),
    ]
    in_threads(close, close, *map(until_closed, calls))
    with lightning_db.open(tmp_path / "db", "rw") as again:
        assert len(again) >= 2000


def test_close_of_an_iterator_in_the_middle(db: Database) -> None:
    db.put_many((number.to_bytes(4), bytes(100)) for number in range(20_000))
    for _ in range(20):
        scan = iter(db)
        reached = threading.Event()

        def read(scan: Any = scan, reached: Any = reached) -> bool:
            try:
                for number, _ in enumerate(scan):
                    if number == 1000:
                        reached.set()
                return False
            except ClosedError:
                return True

        def close(scan: Any = scan, reached: Any = reached) -> None:
            reached.wait()
            scan.close()

        in_threads(read, read, close)
        with pytest.raises(ClosedError):
            next(scan)


def test_close_in_a_finalizer_while_others_read(tmp_path: Path) -> None:
    """The finalizer runs wherever the collector does: between two entries, never under a lock."""
    for _ in range(10):
        db = lightning_db.open(tmp_path / "db", default_level="eventual")
        db.put_many((number.to_bytes(4), b"") for number in range(3000))

        class Closes:
            def __init__(self, db: Database) -> None:
                self.me, self.db = self, db

            def __del__(self) -> None:
                self.db.close()

        def read(db: Database = db) -> None:
            with pytest.raises(ClosedError):
                while True:
                    for _ in db.items():
                        pass

        def collect(db: Database = db, kind: type[Closes] = Closes) -> None:
            kind(db)
            gc.collect()

        in_threads(read, read, collect)
        assert db.closed


def test_garbage_collection_in_the_middle_of_a_scan(db: Database) -> None:
    """A finalizer that uses the same iterator runs between two entries, never inside one."""
    db.put_many((number.to_bytes(4), b"") for number in range(3000))
    scan = db.items(b"")
    taken: list[tuple[bytes, bytes]] = []

    class Cycle:
        def __init__(self) -> None:
            self.me = self

        def __del__(self) -> None:
            taken.extend(entry for _, entry in zip(range(3), scan, strict=False))

    threshold = gc.get_threshold()
    gc.set_threshold(5)
    try:
        for entry in scan:
            taken.append(entry)
            Cycle()
    finally:
        gc.set_threshold(*threshold)
    gc.collect()
    assert sorted(key for key, _ in taken) == [number.to_bytes(4) for number in range(3000)]
