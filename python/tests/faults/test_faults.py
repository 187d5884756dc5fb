"""Disks that fail: wants a build of the native module with the feature `faults` (`make test-python` makes it)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY
from test_conformance import Replay

import lightning_db
from lightning_db import _native

FILES = sorted((REPOSITORY / "bindings" / "conformance" / "faults").glob("*.json"))
CASES = [(file.stem, case) for file in FILES for case in json.loads(file.read_text())]
COUNTERS = {"fail": "calls", "fail-from": "calls", "fail-read": "reads", "fail-reads-from": "reads"}
MOST_ROUNDS = 5000

# Not in the stub.
steer: Callable[[str, str], int] = vars(_native)["_test_disk"]


class FaultReplay(Replay):
    """A case with disks that fail."""

    def close(self) -> None:
        for handle in self.handles.values():
            with suppress(lightning_db.Error):
                handle.close()

    def op_disk(self, name: str, command: str) -> None:
        steer(name, command)

    def op_fail_each(self, disk: str, fault: str, at_least: int, **parts: Any) -> None:
        failed = 0
        for number in range(MOST_ROUNDS):
            kept = dict(self.handles)
            try:
                fails, met = self.round(number, disk, fault, **parts)
            except BaseException as failure:
                failure.add_note(f"in round {number}")
                raise
            left, self.handles = self.handles, {name: handle for name, handle in self.handles.items() if name not in kept}
            self.close()
            self.handles = {name: handle for name, handle in left.items() if name in kept}
            failed += fails
            if not met:
                break
        assert not met
        assert failed >= at_least

    def round(
        self,
        number: int,
        disk: str,
        fault: str,
        errno: int,
        errors: list[str],
        steps: list[dict[str, Any]],
        before: Any = (),
        after: Any = (),
    ) -> tuple[bool, bool]:
        self.run(before)
        first = steer(disk, COUNTERS[fault])
        steer(disk, f"{fault} {number} {errno}")
        fails = False
        try:
            for step in steps:
                assert "error" not in step
                self.step(step)
        except lightning_db.Error as error:
            assert error.name in errors, repr(error)
            assert type(error).__name__ == f"{error.name}Error"
            fails = True
        met = steer(disk, COUNTERS[fault]) > first + number
        steer(disk, "heal")
        self.run(after)
        return fails, met


@pytest.mark.parametrize("case", [pytest.param(case, id=f"{file}: {case['name']}") for file, case in CASES])
def test_case(case: dict[str, Any], tmp_path: Path) -> None:
    assert set(case) == {"name", "steps", "open"} and case["open"] is False
    replay = FaultReplay(tmp_path)
    try:
        replay.run(case["steps"])
    finally:
        replay.close()
    assert list(tmp_path.iterdir()) == [], "on the real disk"


def test_there_are_cases() -> None:
    assert len(CASES) > 0 and len({case["name"] for _, case in CASES}) == len(CASES)


ENTRIES = {f"k{number:02}".encode(): b"v" * 300 for number in range(20)}


@pytest.fixture
def db() -> Iterator[lightning_db.Database]:
    """A database in tables of many pages on the disk "forms"."""
    steer("forms", "new 1")
    options: Any = {"test_disk": "forms", "page_size": 512, "compression_enabled": False}
    with lightning_db.open("/forms", **options) as database:
        database.put_many(ENTRIES.items())
        database.flush()
        yield database
    steer("forms", "drop")


def stepwise(iterator: Iterator[Any]) -> list[Any]:
    """All that `next` gives."""
    found = []
    while (entry := next(iterator, None)) is not None:
        found.append(entry)
    return found


def in_with(scan: Any) -> list[Any]:
    with scan as entries:
        return [entry for entry in entries]


KEYS, VALUES, ITEMS = list(ENTRIES), list(ENTRIES.values()), list(ENTRIES.items())
FORMS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "list of the mapping": (list, KEYS),
    "list of an iterator of it": (lambda db: list(iter(db)), KEYS),
    "list of keys": (lambda db: list(db.keys()), KEYS),
    "list of values": (lambda db: list(db.values()), VALUES),
    "list of items": (lambda db: list(db.items()), ITEMS),
    "loop over the mapping": (lambda db: [key for key in db], KEYS),
    "loop over keys": (lambda db: [key for key in db.keys()], KEYS),
    "loop over values": (lambda db: [value for value in db.values()], VALUES),
    "loop over items": (lambda db: [item for item in db.items()], ITEMS),
    "loop over bounded items": (lambda db: [item for item in db.items(gte=b"k")], ITEMS),
    "with": (lambda db: in_with(db.items(gte=b"k")), ITEMS),
    "slice": (lambda db: list(db[b"k05":b"k15"]), ITEMS[5:15]),
    "next": (lambda db: stepwise(db.items(gte=b"k")), ITEMS),
    "next of keys": (lambda db: stepwise(db.keys(gte=b"k")), KEYS),
    "next of values": (lambda db: stepwise(db.values(gte=b"k")), VALUES),
    "reversed keys": (lambda db: list(reversed(db.keys())), KEYS[::-1]),
    "reversed values": (lambda db: list(reversed(db.values())), VALUES[::-1]),
    "reversed items": (lambda db: list(reversed(db.items())), ITEMS[::-1]),
    "backward": (lambda db: list(db.items(reverse=True)), ITEMS[::-1]),
    "unpacking": (lambda db: [*db], KEYS),
    "dict": (lambda db: dict(db), ENTRIES),
    "dict of items": (lambda db: dict(db.items()), ENTRIES),
    "sorted": (lambda db: sorted(db.items()), ITEMS),
    "set": (lambda db: set(db.keys()), set(KEYS)),
    "len": (len, 20),
    "len of items": (lambda db: len(db.items()), 20),
    "truth of items": (lambda db: bool(db.items()), True),
    "count": (lambda db: db.count(), 20),
    "sum": (lambda db: sum(1 for _ in db.values()), 20),
    "get": (lambda db: db.get(b"k07"), b"v" * 300),
    "get of a key that is absent": (lambda db: db.get(b"k07x", b"none"), b"none"),
    "item": (lambda db: db[b"k07"], b"v" * 300),
    "in": (lambda db: (b"k07" in db, b"k07x" in db), (True, False)),
    "value in values": (lambda db: b"w" in db.values(), False),
    "item in items": (lambda db: (b"k07", b"v" * 300) in db.items(), True),
    "get_many": (lambda db: db.get_many([b"k00", b"none", b"k19"]), [b"v" * 300, None, b"v" * 300]),
    "setdefault": (lambda db: db.setdefault(b"k07", b"other"), b"v" * 300),
    "snapshot": (lambda db: list(db.snapshot().items()), ITEMS),
    "transaction": (lambda db: list(db.transaction().items()), ITEMS),
    "transaction backward": (lambda db: list(db.transaction().items(reverse=True)), ITEMS[::-1]),
}


@pytest.mark.parametrize("form", FORMS)
def test_no_form_of_reading_takes_an_error_for_an_end(db: lightning_db.Database, form: str) -> None:
    read, expected = FORMS[form]
    failed = 0
    for number in count():
        db.clear_cache()
        first = steer("forms", "reads")
        steer("forms", f"fail-read {number} 5")
        try:
            assert read(db) == expected, number
        except lightning_db.IoError:
            failed += 1
        met = steer("forms", "reads") > first + number
        steer("forms", "heal")
        assert list(db) == KEYS
        if not met:
            break
    assert failed >= 1


def test_an_error_is_raised_again_and_is_no_end(db: lightning_db.Database) -> None:
    db.clear_cache()
    scan = db.items(gte=b"k")
    steer("forms", "fail-reads-from 0 5")
    with pytest.raises(lightning_db.IoError):
        next(scan, None)
    steer("forms", "heal")
    for take in (next, list, stepwise):
        with pytest.raises(lightning_db.IoError):
            take(scan)


def test_leaving_a_with_of_a_halted_database_raises() -> None:
    steer("halted", "new 1")
    options: Any = {"test_disk": "halted"}
    with pytest.raises(lightning_db.HaltedError), lightning_db.open("/db", **options) as database:
        database[b"a"] = b"1"
        steer("halted", "fail 0 5")
        with pytest.raises(lightning_db.IoError):
            database[b"b"] = b"2"
    assert database.closed
    with lightning_db.open("/db", "rw", **options) as database:
        assert database[b"a"] == b"1"
    steer("halted", "drop")
