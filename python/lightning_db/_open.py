"""The databases that are open: closed when they are collected and when the interpreter exits."""

from __future__ import annotations

import atexit
import os
import sys
import warnings
import weakref
from contextlib import ExitStack
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lightning_db._database import Database

# By identity. Threads may add while another one closes all: `valuerefs` is a list, made at once.
_databases: weakref.WeakValueDictionary[int, Database] = weakref.WeakValueDictionary()


def add(database: Database) -> None:
    """From now on, `database` is closed at exit."""
    _databases[id(database)] = database


def _all() -> list[Database]:
    return [database for found in _databases.valuerefs() if (database := found()) is not None]


def collected(database: Database) -> None:
    """Closes a database that nobody can reach any more."""
    # At the end of the interpreter modules are gone; it has then been closed by `_at_exit`.
    if not sys.is_finalizing():
        _close(database)


def _close(database: Database) -> None:
    # In a child process that was forked it is the parent's. One whose opening was interrupted has no process yet.
    if database.closed or getattr(database, "_process", os.getpid()) != os.getpid():
        return
    try:
        warnings.warn(f"unclosed {database!r}", ResourceWarning, stacklevel=4, source=database)
    finally:
        database.close()


@atexit.register
def _at_exit() -> None:
    # One that fails, or a warning that is an error, keeps none of the others open.
    with ExitStack() as stack:
        for database in _all():
            stack.callback(_close, database)


def _in_child() -> None:
    """After a fork: threads, files and lock of the databases are the parent's."""
    for database in _all():
        database._abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
