"""Exceptions: one class for each kind, with what Python expects of it."""

from __future__ import annotations

import copy
import errno
import os
import pickle
from pathlib import Path
from typing import Any

import pytest

import lightning_db
from lightning_db import Database, Error, _errors, _native


@pytest.mark.parametrize(("code", "name", "retryable"), _native._error_kinds())
def test_every_kind_is_raised_as_its_class(code: int, name: str, retryable: bool) -> None:
    with pytest.raises(Error) as caught:
        _native._error(code)
    error = caught.value
    assert type(error) is getattr(lightning_db, f"{name}Error") is _errors.KINDS[code]
    assert (error.code, error.name, error.retryable) == (code, name, retryable)
    assert str(error) == "raised by a test" and error.file is None and error.offset is None
    assert f"{type(error).__module__}.{type(error).__qualname__}" == f"lightning_db.{name}Error"


def test_every_class_is_a_kind_and_exported() -> None:
    classes = {name for name in dir(lightning_db) if name.endswith("Error")}
    assert classes == {f"{name}Error" for _, name, _ in _native._error_kinds()} | {"Error"}
    assert classes < set(lightning_db.__all__)
    with pytest.raises(lightning_db.InvalidArgumentError):
        _native._error(99)


BUILTIN = {
    "IoError": OSError,
    "LockedError": OSError,
    "NoSpaceError": OSError,
    "NotFoundError": FileNotFoundError,
    "AlreadyExistsError": FileExistsError,
    "PermissionDeniedError": PermissionError,
    "TimedOutError": TimeoutError,
    "InvalidArgumentError": ValueError,
    "ClosedError": ValueError,
    "OutOfMemoryError": MemoryError,
    "InternalError": RuntimeError,
}


def test_what_python_calls_them() -> None:
    for kind in _errors.KINDS.values():
        expected = BUILTIN.get(kind.__name__)
        assert kind.__bases__ == ((Error,) if expected is None else (Error, expected))


@pytest.mark.parametrize("kind", _errors.KINDS.values(), ids=lambda kind: kind.__name__)
def test_pickles_and_copies(kind: type[Error]) -> None:
    error = kind("broken", "/some/file", 17, errno.EIO)
    error.add_note("while testing")
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(error, protocol))
        assert type(again) is kind and str(again) == "broken" == str(copy.copy(error))
        assert (again.file, again.offset, again.code) == ("/some/file", 17, kind.code)
        assert again.__notes__ == ["while testing"]
        if isinstance(again, OSError):
            assert (again.errno, again.filename) == (errno.EIO, "/some/file")
    assert kind("").args == ("",) and str(kind()) == ""


def test_what_the_operating_system_said(tmp_path: Path, db: Database) -> None:
    with pytest.raises(FileNotFoundError) as missing:
        lightning_db.open(tmp_path / "none", "rw")
    assert missing.value.errno == errno.ENOENT and missing.value.filename == str(tmp_path / "none")
    with pytest.raises(lightning_db.LockedError) as locked:
        lightning_db.open(db.path)
    assert locked.value.errno == errno.EWOULDBLOCK and locked.value.filename == db.path and locked.value.retryable
    (tmp_path / "file").write_text("")
    with pytest.raises(lightning_db.NotADatabaseError):
        lightning_db.open(tmp_path / "file")
    with pytest.raises(FileExistsError):
        db.backup(tmp_path)
    with pytest.raises(lightning_db.IoError) as nul:
        lightning_db.open("a\0b")
    assert isinstance(nul.value, OSError)


OPTIONS: list[tuple[str, Any]] = [
    ("page_size", -1),
    ("page_size", 1000),
    ("page_size", 1 << 70),
    ("page_size", -(1 << 2000)),
    ("page_size", 4096.0),
    ("page_size", True),
    ("cache_size", 0),
    ("compression_enabled", 1),
    ("checkpoint_interval", float("nan")),
    ("checkpoint_interval", float("inf")),
    ("checkpoint_interval", -0.5),
    ("default_level", "Strong"),
    ("mode", "w"),
    ("mode", ""),
    ("page_sise", 4096),
]


@pytest.mark.parametrize(("name", "value"), OPTIONS)
def test_wrong_options_name_the_option(tmp_path: Path, name: str, value: Any) -> None:
    with pytest.raises(lightning_db.InvalidArgumentError, match=name):
        lightning_db.open(tmp_path / "db", **{name: value})
    assert not (tmp_path / "db").exists()


def test_wrong_types_of_options(tmp_path: Path) -> None:
    for wrong in (None, [], b"4096", object()):
        with pytest.raises(TypeError, match="page_size"):
            lightning_db.open(tmp_path, page_size=wrong)  # type: ignore[arg-type]
    for path in (None, 7, ["x"]):
        with pytest.raises(TypeError):
            lightning_db.open(path)  # type: ignore[arg-type]
    assert os.listdir(tmp_path) == []


def test_paths(tmp_path: Path) -> None:
    for path in (tmp_path / "a", str(tmp_path / "b"), os.fsencode(tmp_path / "c"), tmp_path / "\udcff-\N{SNOWMAN}"):
        with lightning_db.open(path) as db:
            assert os.fspath(db.path) == os.path.realpath(os.fsdecode(path))
            db.backup(os.fsencode(path) + b".backup")
        lightning_db.restore(os.fsdecode(path) + ".backup", os.fsencode(path) + b".again")
    assert len(os.listdir(tmp_path)) == 12


def test_names_of_levels(db: Database) -> None:
    for call in (lambda: db.put(b"a", b"", "fast"), lambda: db.batch("fast"), lambda: db.transaction("fast")):  # type: ignore[arg-type]
        with pytest.raises(lightning_db.InvalidArgumentError, match="fast"):
            call()
    tx = db.transaction()
    with pytest.raises(lightning_db.InvalidArgumentError):
        tx.commit("fast")  # type: ignore[arg-type]
    assert not tx.closed, "it can be committed at another level"
    tx.commit("quorum")
    with pytest.raises(lightning_db.ClosedError):
        tx.commit()


def test_a_value_that_is_too_long(db: Database) -> None:
    with pytest.raises(lightning_db.InvalidArgumentError):
        db[b"k"] = bytes(lightning_db.MAX_VALUE_LEN + 1)
    assert b"k" not in db


def test_nothing_steers_disks_in_a_build_for_users() -> None:
    assert not hasattr(_native, "_test_disk")
