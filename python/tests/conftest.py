"""What the tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import lightning_db
from lightning_db import _native

# These want another build of the native module.
collect_ignore = [] if hasattr(_native, "_test_disk") else ["faults"]

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def db(tmp_path: Path) -> Iterator[lightning_db.Database]:
    """An empty database that does not wait for the disk."""
    with lightning_db.open(tmp_path / "db", default_level="eventual") as database:
        yield database
