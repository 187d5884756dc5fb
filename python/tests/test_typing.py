"""Types: the package, the examples and the tests are checked strictly, the stub against what is there."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import REPOSITORY

import lightning_db
from lightning_db import _native

PYTHON = REPOSITORY / "python"


def module(name: str, *arguments: str | Path, cwd: Path, **environment: str) -> None:
    command = [sys.executable, "-m", name, *map(str, arguments)]
    result = subprocess.run(command, cwd=cwd, env=os.environ | environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("what", ["python/lightning_db", "python/tools", "python/tests", "examples/python"])
def test_mypy_strict(what: str, tmp_path: Path) -> None:
    config = ("--config-file", PYTHON / "pyproject.toml", "--cache-dir", tmp_path)
    path = {"MYPYPATH": str(REPOSITORY / what)} if what != "python/lightning_db" else {}
    # The tour, written to be compared with those in other languages, has no types.
    module("mypy", *config, "--exclude", "/tour[.]py$", REPOSITORY / what, cwd=tmp_path, **path)


def test_stub_against_the_module(tmp_path: Path) -> None:
    module("mypy.stubtest", "lightning_db._native", cwd=tmp_path)


def test_types_that_users_see(tmp_path: Path) -> None:
    (tmp_path / "user.py").write_text(USER)
    module("mypy", "--strict", "--warn-unused-ignores", "user.py", cwd=tmp_path)


USER = """
from typing import assert_type
import pathlib
import lightning_db

with lightning_db.open(pathlib.Path("x"), cache_size=1 << 20, default_level="quorum") as db:
    assert_type(db, lightning_db.Database)
    assert_type(db[b"a"], bytes)
    assert_type(db[b"a":b"b"], lightning_db.ItemsIterator)
    assert_type(db.get(b"a"), bytes | None)
    assert_type(db.get(bytearray(b"a"), 1), bytes | int)
    assert_type(db.keys(), lightning_db.Keys)
    assert_type(db.keys(prefix=b"a", reverse=True, limit=3), lightning_db.KeysIterator)
    assert_type(db.pop(b"a", None), bytes | None)
    assert_type(db.transact(lambda tx: tx[b"a"]), bytes)
    assert_type(db.stats()["total_keys"], int)
    assert_type([key for key in db], list[bytes])
    assert_type(dict(db), dict[bytes, bytes])
    db.update({b"a": b"b"})
    db.put_many([(b"a", bytearray(b"b"))], consistency="strong")
    with db.transaction(isolation="snapshot") as tx, db.snapshot() as snapshot, db.batch() as batch:
        assert_type(tx, lightning_db.Transaction)
        assert_type(snapshot[b"a"], bytes)
        batch[b"a"] = memoryview(b"b")
    db["a"]  # type: ignore[call-overload]
    db.put("a", b"")  # type: ignore[arg-type]
    db.put(b"a", b"", "fast")  # type: ignore[arg-type]
    db.items(upto=b"a")  # type: ignore[call-overload]
    lightning_db.open("x", page_sise=3)  # type: ignore[call-arg]
    lightning_db.open("x", "w")  # type: ignore[arg-type]
    users = db.create_keyspace("users", comparator="decimal", page_size=512)
    assert_type(users, lightning_db.Keyspace)
    assert_type(db.list_keyspaces(), list[str])
    assert_type(tx.keyspace(users), lightning_db.Transaction)
    assert_type(snapshot.keyspace(db.keyspace("default")), lightning_db.Snapshot)
    batch.put(b"a", b"1", keyspace=users)
    db.put(b"a", b"1", timeout=2)
    db.compact(lambda so_far: so_far.bytes_done < 7)
    assert_type(db.metrics()["p99_read_latency_us"], float)
    assert_type(db.memory_stats()["total_bytes"], int)
    stores: list[lightning_db.Store] = [db, users]
    report = lightning_db.repair("x", page_size=4096)
    assert_type([finding.first_key for finding in report.problems], list[bytes | None])
    tx.keyspace(db)  # type: ignore[arg-type]
    db.create_keyspace("x", cache_size=1)  # type: ignore[call-arg]
    users.backup("x")  # type: ignore[attr-defined]
    lightning_db.open("x", mode="rw")
"""


def test_everything_public_is_documented() -> None:
    public = [getattr(lightning_db, name) for name in lightning_db.__all__ if not name.startswith("__")]
    classes = [thing for thing in public if inspect.isclass(thing)]
    assert len(classes) > 25
    for kind in classes:
        assert kind.__doc__ or issubclass(kind, lightning_db.Error), kind
        for name, member in vars(kind).items():
            if not name.startswith("_") and callable(member) and not issubclass(kind, lightning_db.Error):
                assert inspect.getdoc(member), f"{kind.__name__}.{name}"


def test_signatures_are_visible() -> None:
    assert str(inspect.signature(_native.Database.put)) == "(self, /, key, value, consistency=None, timeout=None)"
    assert str(inspect.signature(_native.Reader.get)) == "(self, key, default=None, /)"
