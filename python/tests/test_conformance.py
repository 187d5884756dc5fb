"""Replays the cases that all languages share: bindings/conformance/README.md says what their fields mean."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY

import lightning_db
from lightning_db import _errors, _native

FILES = sorted((REPOSITORY / "bindings" / "conformance").glob("*.json"))
CASES = [(file.stem, case) for file in FILES for case in json.loads(file.read_text())]

# Fields that are words of Python.
RENAMED = {"as": "as_", "is": "is_", "in": "in_"}

_UNSAID: Any = object()
_replayed = 0


# Fields that say what a step gives, and the steps that give something.
RESULTS = {"is_", "either", "count", "attempts", "at_least", "at_most", "ok", "lost", "contains", "progress"}
HAVE_RESULTS = {"get", "get_many", "scan", "count", "next", "transact", "stats", "list_keyspaces", "approximate_size"}
HAVE_RESULTS |= {"check", "repair", "metrics", "memory_stats", "prometheus", "ingest"}


class PlannedError(Exception):
    """What a callback fails with when its case says so."""


def data(form: Any) -> Any:
    """Bytes, or no value, in any of their forms."""
    match form:
        case None:
            return None
        case str():
            return form.encode()
        case {"hex": digits, **rest} if not rest:
            return bytes.fromhex(digits)
        case {"repeat": text, "times": times, **rest} if not rest:
            return text.encode() * times
        case list():
            return [data(part) for part in form]
    raise AssertionError(f"no such form of bytes: {form}")


class Replay:
    """One case, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.handles: dict[str, Any] = {}
        self.puts = self.gets = 0

    def run(self, steps: list[dict[str, Any]]) -> None:
        for number, step in enumerate(steps):
            try:
                self.step(step)
            except BaseException as failure:
                failure.add_note(f"in step {number}: {step}")
                raise

    def step(self, step: dict[str, Any]) -> None:
        fields = {RENAMED.get(name, name): value for name, value in step.items()}
        name, error = RENAMED.get(step["op"], step["op"]), fields.pop("error", None)
        del fields["op"]
        operation: Callable[..., None] = getattr(self, f"op_{name}")
        assert error is None or not fields.keys() & RESULTS, "a step with an error has no result"
        if error is None:
            assert name not in HAVE_RESULTS or fields.keys() & RESULTS, "a step has its result"
            operation(**fields)
        else:
            self.fails(name, error, operation, fields)

    def fails(self, name: str, error: str, operation: Callable[..., None], fields: dict[str, Any]) -> None:
        with pytest.raises(lightning_db.Error) as caught:
            operation(**fields)
        assert caught.value.name == error, repr(caught.value)
        assert type(caught.value) is _errors.KINDS[caught.value.code]
        assert type(caught.value).__name__ == f"{error}Error"
        if error == "Corruption" and name != "raise":
            assert caught.value.file is not None and type(caught.value.offset) is int, repr(caught.value)

    def close(self) -> None:
        with ExitStack() as stack:
            for handle in self.handles.values():
                stack.callback(handle.close)

    def path(self, name: str) -> Path:
        return self.folder / name

    def op_open(self, as_: str, path: str, options: dict[str, Any] | None = None) -> None:
        self.handles[as_] = lightning_db.open(self.path(path), **(options or {}))

    def op_close(self, on: str = "db") -> None:
        self.handles[on].close()

    def op_put(self, key: Any, value: Any, on: str = "db", keyspace: str | None = None, **how: Any) -> None:
        self.puts += not how
        if keyspace is not None:
            self.handles[on].put(data(key), data(value), keyspace=self.handles[keyspace])
        elif how:
            self.handles[on].put(data(key), data(value), **manner(how))
        elif self.puts % 2:
            self.handles[on][data(key)] = data(value)
        else:
            self.handles[on].put(data(key), data(value))

    def op_get(self, key: Any, on: str = "db", is_: Any = _UNSAID) -> None:
        handle, key = self.handles[on], data(key)
        self.gets += 1
        # By turns, as some cases count the reads.
        if self.gets % 3 == 0:
            found = handle.get(key)
            assert is_ is _UNSAID or found == data(is_)
        elif self.gets % 3 == 1:
            present = key in handle
            assert is_ is _UNSAID or present == (is_ is not None)
        elif is_ is None:
            with pytest.raises(KeyError):
                handle[key]
        else:
            found = handle[key]
            assert is_ is _UNSAID or found == data(is_)

    def op_delete(self, key: Any, on: str = "db", keyspace: str | None = None, **how: Any) -> None:
        within = {} if keyspace is None else {"keyspace": self.handles[keyspace]}
        self.handles[on].delete(data(key), **manner(how), **within)

    def op_put_many(self, entries: Any, on: str = "db", **how: Any) -> None:
        self.handles[on].put_many([tuple(entry) for entry in data(entries)], **manner(how))

    def op_get_many(self, keys: Any, on: str = "db", is_: Any = _UNSAID) -> None:
        found = self.handles[on].get_many(data(keys))
        assert is_ is _UNSAID or found == data(is_)

    def op_delete_many(self, keys: Any, on: str = "db", **how: Any) -> None:
        self.handles[on].delete_many(data(keys), **manner(how))

    def op_batch(self, as_: str, on: str = "db") -> None:
        self.handles[as_] = self.handles[on].batch()

    def op_write(self, on: str, **how: Any) -> None:
        self.handles[on].write(**manner(how))
        assert len(self.handles[on]) == 0

    def op_scan(
        self,
        on: str = "db",
        only: str | None = None,
        is_: Any = _UNSAID,
        either: Any = _UNSAID,
        count: Any = _UNSAID,
        **bounds: Any,
    ) -> None:
        scan = getattr(self.handles[on], only or "items")
        found = list(scan(**arguments(bounds)))
        assert count is _UNSAID or len(found) == count
        lists = [is_] if either is _UNSAID else either
        allowed = [[tuple(entry) if only is None else entry for entry in data(each)] for each in lists if each is not _UNSAID]
        assert not allowed or found in allowed

    def op_count(self, is_: Any = _UNSAID, on: str = "db", **bounds: Any) -> None:
        found = self.handles[on].count(**arguments(bounds))
        assert is_ is _UNSAID or found == is_

    def op_cursor(self, as_: str, on: str = "db", **bounds: Any) -> None:
        self.handles[as_] = iter(self.handles[on].items(**arguments(bounds)))

    def op_next(self, on: str, is_: Any = _UNSAID) -> None:
        entry = next(self.handles[on], None)
        assert is_ is _UNSAID or entry == (is_ if is_ is None else tuple(data(is_)))

    def op_snapshot(self, as_: str, on: str = "db") -> None:
        self.handles[as_] = self.handles[on].snapshot()

    def op_transaction(self, as_: str, on: str = "db", **isolation: str) -> None:
        self.handles[as_] = self.handles[on].transaction(**isolation)

    def op_commit(self, on: str, level: str | None = None) -> None:
        self.handles[on].commit(level)

    def op_abort(self, on: str) -> None:
        self.handles[on].abort()

    def op_transact(
        self,
        as_: str,
        steps: list[dict[str, Any]],
        on: str = "db",
        interfere: list[dict[str, Any]] | None = None,
        fail: bool = False,
        attempts: int | None = None,
    ) -> None:
        calls = 0

        def work(transaction: lightning_db.Transaction) -> None:
            nonlocal calls
            calls += 1
            self.handles[as_] = transaction
            self.run(steps)
            if calls == 1:
                self.run(interfere or [])
            if fail:
                raise PlannedError

        try:
            self.handles[on].transact(work)
            assert not fail
        except PlannedError:
            assert fail
        assert attempts is None or calls == attempts

    def op_backup(self, path: str, on: str = "db") -> None:
        self.handles[on].backup(self.path(path))

    def op_restore(self, source: str, target: str) -> None:
        lightning_db.restore(self.path(source), self.path(target))

    def op_flush(self, on: str = "db") -> None:
        self.handles[on].flush()

    def op_compact(self, on: str = "db", cancel: bool = False, progress: Any = _UNSAID) -> None:
        calls = 0

        def told(so_far: lightning_db.CompactionProgress) -> bool:
            nonlocal calls
            assert 0 <= so_far.bytes_done <= so_far.bytes_in and so_far.tables >= 0
            calls += 1
            return not cancel

        if cancel or progress is not _UNSAID:
            self.handles[on].compact(progress=told)
        else:
            self.handles[on].compact()
        assert progress is _UNSAID or (calls > 0) is progress

    def op_create_keyspace(self, as_: str, name: Any, on: str = "db", options: dict[str, Any] | None = None) -> None:
        self.handles[as_] = self.handles[on].create_keyspace(text(name), **(options or {}))

    def op_keyspace(self, as_: str, name: Any, on: str = "db") -> None:
        self.handles[as_] = self.handles[on].keyspace(text(name))

    def op_list_keyspaces(self, is_: Any = _UNSAID, on: str = "db") -> None:
        names = self.handles[on].list_keyspaces()
        assert is_ is _UNSAID or names == [text(name) for name in is_]

    def op_drop_keyspace(self, name: Any, on: str = "db") -> None:
        self.handles[on].drop_keyspace(text(name))

    def op_in_(self, as_: str, on: str, keyspace: str) -> None:
        self.handles[as_] = self.handles[on].keyspace(self.handles[keyspace])

    def op_ingest(self, entries: Any, on: str = "db", is_: Any = _UNSAID) -> None:
        added = self.handles[on].ingest((key, value) for key, value in data(entries))
        assert is_ is _UNSAID or added == is_

    def op_approximate_size(
        self, on: str = "db", at_least: int | None = None, at_most: int | None = None, **bounds: Any
    ) -> None:
        size = self.handles[on].approximate_size(**arguments(bounds))
        assert at_least is None or size >= at_least, size
        assert at_most is None or size <= at_most, size

    def op_check(self, path: str, options: dict[str, Any] | None = None, **results: Any) -> None:
        judge(lightning_db.check(self.path(path), **(options or {})), **results)

    def op_repair(self, path: str, options: dict[str, Any] | None = None, **results: Any) -> None:
        judge(lightning_db.repair(self.path(path), **(options or {})), **results)

    def op_metrics(self, on: str = "db", **results: Any) -> None:
        weigh(self.handles[on].metrics(), **results)

    def op_memory_stats(self, on: str = "db", **results: Any) -> None:
        weigh(self.handles[on].memory_stats(), **results)

    def op_prometheus(self, on: str = "db", contains: str = "") -> None:
        assert contains in self.handles[on].prometheus()

    def op_clear_cache(self, on: str = "db") -> None:
        self.handles[on].clear_cache()

    def op_stats(self, on: str = "db", is_: Any = _UNSAID) -> None:
        stats = self.handles[on].stats()
        for name, expected in (is_ if is_ is not _UNSAID else {}).items():
            assert same(stats[name], expected), name

    def op_damage(self, file: str, offset: int, xor: int) -> None:
        (path,) = self.folder.glob(file)
        content = bytearray(path.read_bytes())
        content[offset] ^= xor
        path.write_bytes(content)

    def op_write_file(self, path: str, bytes: Any) -> None:
        self.path(path).write_bytes(data(bytes))

    def op_make_folder(self, path: str) -> None:
        self.path(path).mkdir()

    def op_raise(self, code: int) -> None:
        _native._error(code)


def text(form: Any) -> str:
    """A name in one of the forms of bytes."""
    name: bytes = data(form)
    return name.decode()


def manner(how: dict[str, Any]) -> dict[str, Any]:
    """How a write is made, as keyword arguments."""
    assert not how.keys() - {"level", "timeout"}
    renamed = {"consistency": how["level"]} if "level" in how else {}
    return renamed | ({"timeout": how["timeout"] / 1000} if "timeout" in how else {})


def judge(report: lightning_db.CheckReport, ok: bool | None = None, lost: int | None = None) -> None:
    """Compares what a check or a repair found."""
    assert ok is None or report.ok is ok, report
    assert lost is None or len(report.repair.lost if report.repair else []) == lost, report


def weigh(figures: Any, is_: dict[str, Any] | None = None, at_least: dict[str, Any] | None = None) -> None:
    """Compares figures."""
    for name, expected in (is_ or {}).items():
        assert same(figures[name], expected), (name, figures[name])
    for name, smallest in (at_least or {}).items():
        assert figures[name] >= smallest, (name, figures[name])


def same(found: Any, expected: Any) -> bool:
    """Equal, and of one kind: `True` is not 1, nor 1 1.0."""
    if isinstance(expected, list):
        return type(found) is list and len(found) == len(expected) and all(map(same, found, expected))
    return type(found) is type(expected) and bool(found == expected)


def arguments(bounds: dict[str, Any]) -> dict[str, Any]:
    """Bounds as keyword arguments. The call itself refuses those that it does not know."""
    plain = ("reverse", "limit")
    return {name: value if name in plain else data(value) for name, value in bounds.items()}


@pytest.mark.parametrize("case", [pytest.param(case, id=f"{file}: {case['name']}") for file, case in CASES])
def test_case(case: dict[str, Any], tmp_path: Path) -> None:
    assert not set(case) - {"name", "steps", "options", "open"}
    replay = Replay(tmp_path)
    try:
        if case.get("open", True):
            replay.op_open("db", "db", case.get("options"))
        replay.run(case["steps"])
    finally:
        replay.close()
    global _replayed
    _replayed += 1


def test_every_case_was_replayed(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\nconformance: {_replayed} of {len(CASES)} cases of {len(FILES)} files")
    assert _replayed == len(CASES) > 0
    assert len({case["name"] for _, case in CASES}) == len(CASES)


def unplaced() -> None:
    raise lightning_db.CorruptionError("unplaced")


def test_what_is_not_known_fails(tmp_path: Path) -> None:
    replay = Replay(tmp_path)
    replay.op_open("db", "db")
    wrong: list[dict[str, Any]] = [{"op": "fly"}, {"op": "get", "key": "a", "if": 1}, {"op": "scan", "is": [], "upto": 3}]
    wrong += [{"op": "get", "key": {"base64": ""}}, {"op": "get", "key": "a", "is": "b"}]
    wrong += [{"op": "get", "key": "a"}, {"op": "scan"}, {"op": "get", "key": "a", "is": None, "error": "Closed"}]
    wrong += [{"op": "stats", "is": {"snapshots": False}}, {"op": "stats", "is": {"tables_per_level": [False] * 7}}]
    for step in wrong:
        with pytest.raises((AttributeError, TypeError, AssertionError)):
            replay.run([step])
    with pytest.raises(AssertionError, match="unplaced"):
        replay.fails("get", "Corruption", unplaced, {})
    replay.close()
